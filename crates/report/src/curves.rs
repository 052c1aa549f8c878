//! Curves of a run, from its own files.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use dataset::results::{fold_lock, FINAL_CHECKPOINT, PROGRESS_FILE, TRAINING_LOG};
use run::EpochReport;
use serde_json::Value;

use crate::data::{Run, RunState, Series, SeriesGroup};
use crate::find::names;
use crate::names::Names;
use crate::scores::defined;
use crate::Result;

/// What the files of a fold say about its epochs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Epochs {
    /// Reports by epoch, ascending.
    pub reports: Vec<EpochReport>,
    /// First epochs of the later logs.
    pub resumptions: Vec<u64>,
    /// Logs, oldest first.
    pub logs: Vec<PathBuf>,
}

impl Epochs {
    /// Reads `progress.jsonl`, or the logs of nnU-Net v1 if there is none.
    pub fn read(fold: &Path) -> Result<Self> {
        let mut logs: Vec<(Vec<u64>, PathBuf)> = names(fold)?
            .into_iter()
            .filter_map(|name| {
                let stamp = name.strip_prefix(TRAINING_LOG)?.strip_suffix(".txt")?;
                Some((
                    stamp.split('_').filter_map(|n| n.parse().ok()).collect(),
                    fold.join(name),
                ))
            })
            .collect();
        logs.sort();
        let logs: Vec<PathBuf> = logs.into_iter().map(|(_, path)| path).collect();
        let text = std::fs::read_to_string(fold.join(PROGRESS_FILE)).unwrap_or_default();
        let mut reports: Vec<EpochReport> = text.lines().filter_map(report).collect();
        if reports.is_empty() {
            for log in &logs {
                read_log(log, &mut reports);
            }
        }
        let mut resumptions: Vec<u64> = logs.iter().skip(1).filter_map(|log| first_epoch(log)).collect();
        resumptions.retain(|epoch| *epoch > 0);
        resumptions.dedup();
        Ok(Self {
            reports,
            resumptions,
            logs,
        })
    }

    /// The curves of a fold.
    pub fn run(&self, fold: &Path, name: String, names: &Names, classes: &[i64]) -> Run {
        let reports = &self.reports;
        let all = |value: &dyn Fn(&EpochReport) -> Option<f64>| -> Vec<Option<f64>> {
            reports
                .iter()
                .map(|report| value(report).and_then(defined))
                .collect()
        };
        let series = |name: &str, group, unit: &str, values| Series {
            name: name.to_owned(),
            group,
            class: None,
            unit: unit.to_owned(),
            values,
        };
        let positive = |value: f64| Some(value).filter(|value| *value > 0.0);
        let mebibytes = |bytes: Option<u64>| bytes.map(|bytes| bytes as f64 / 1024.0 / 1024.0);
        let mut found = vec![
            series("Training loss", SeriesGroup::Loss, "", all(&|r| r.train_loss)),
            series(
                "Validation loss",
                SeriesGroup::Loss,
                "",
                all(&|r| r.validation_loss),
            ),
        ];
        let count = reports.iter().map(|report| report.dice.len()).max().unwrap_or(0);
        for class in 0..count {
            let label = classes.get(class).copied().unwrap_or(class as i64 + 1);
            found.push(Series {
                class: Some(names.label(label)),
                ..series(
                    "Online Dice",
                    SeriesGroup::Dice,
                    "",
                    all(&|r| r.dice.get(class).copied().flatten()),
                )
            });
        }
        let measured = |r: &EpochReport, value: f64| positive(r.iterations_per_second).map(|_| value);
        found.extend([
            series(
                "Learning rate",
                SeriesGroup::LearningRate,
                "",
                all(&|r| positive(r.learning_rate)),
            ),
            series("Epoch", SeriesGroup::Time, "s", all(&|r| positive(r.seconds))),
            series(
                "Waiting for data",
                SeriesGroup::Wait,
                "%",
                all(&|r| measured(r, 100.0 * r.wait_share)),
            ),
            series(
                "Process",
                SeriesGroup::Memory,
                "MiB",
                all(&|r| mebibytes(r.host_memory)),
            ),
            series(
                "Device",
                SeriesGroup::Memory,
                "MiB",
                all(&|r| mebibytes(r.device_memory)),
            ),
            series(
                "Norm of the gradients",
                SeriesGroup::Gradient,
                "",
                all(&|r| r.gradient_norm),
            ),
        ]);
        found.retain(|series| series.values.iter().any(Option::is_some));
        Run {
            name,
            epochs: reports.iter().map(|report| report.epoch).collect(),
            series: found,
            resumptions: self.resumptions.clone(),
            state: state(fold),
        }
    }
}

fn state(fold: &Path) -> RunState {
    if storage::Lock::holder(&fold_lock(fold)).is_some() {
        RunState::Running
    } else if fold.join(format!("{FINAL_CHECKPOINT}.model")).is_file() {
        RunState::Finished
    } else {
        RunState::Stopped
    }
}

/// A line of `progress.jsonl`. Those of earlier versions lack values that were not measured; the last line of a run that
/// was killed may be incomplete.
fn report(line: &str) -> Option<EpochReport> {
    let mut report: Value = serde_json::from_str(line).ok()?;
    for name in ["waitShare", "iterationsPerSecond"] {
        report.as_object_mut()?.entry(name).or_insert_with(|| 0.0.into());
    }
    serde_json::from_value(report).ok()
}

fn lines(path: &Path) -> impl Iterator<Item = String> {
    let file = File::open(path).ok();
    file.into_iter()
        .flat_map(|file| BufReader::new(file).lines().map_while(std::result::Result::ok))
}

/// The text after a name in a line of a log, such as ` 12` after `epoch:`. Lines may begin with a time.
fn after<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (before, rest) = line.split_once(name)?;
    let is_time = before.chars().all(|c| c.is_ascii_digit() || " -:.".contains(c));
    is_time.then(|| rest.trim())
}

/// The first epoch of a log.
fn first_epoch(log: &Path) -> Option<u64> {
    lines(log).find_map(|line| after(&line, "epoch:")?.parse().ok())
}

/// Adds the epochs of a log of nnU-Net v1. They replace those from the same epoch on: the run was resumed there.
fn read_log(log: &Path, reports: &mut Vec<EpochReport>) {
    // Learning rate of the next epoch.
    let mut rate = 0.0;
    let mut now: Option<EpochReport> = None;
    for line in lines(log) {
        if let Some(epoch) = after(&line, "epoch:").and_then(|text| text.parse().ok()) {
            now = Some(EpochReport {
                epoch,
                learning_rate: rate,
                ..EpochReport::default()
            });
        } else if let Some(text) = after(&line, "lr:") {
            rate = text.parse().unwrap_or(rate);
        }
        let Some(report) = &mut now else { continue };
        if let Some(text) = after(&line, "train loss :") {
            report.train_loss = text.parse().ok();
        } else if let Some(text) = after(&line, "validation loss:") {
            report.validation_loss = text.parse().ok();
        } else if let Some(text) = after(&line, "Average global foreground Dice:") {
            let values = text.trim_matches(['[', ']']).split(',');
            report.dice = values
                .filter(|value| !value.trim().is_empty())
                .map(|value| {
                    value
                        .trim()
                        .trim_start_matches("np.float64(")
                        .trim_end_matches(')')
                        .parse()
                        .ok()
                })
                .collect();
        } else if let Some(text) = after(&line, "This epoch took") {
            // The last line of an epoch: an unfinished one is none.
            report.seconds = text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0.0);
            // A resumed run repeats the epochs after its checkpoint.
            let finished = report.epoch;
            reports.retain(|report| report.epoch < finished);
            reports.extend(now.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "Starting... 
2026-11-26 17:34:37.95: lr: 0.01 
2026-11-26 17:34:53.17: 
epoch:  0 
2026-11-26 17:34:53.17: train loss : 1.3534 
2026-11-26 17:34:53.17: validation loss: 1.1213 
2026-11-26 17:34:53.17: Average global foreground Dice: [0.2340, nan] 
2026-11-26 17:34:53.17: (interpret this as an estimate for the Dice of the different classes. This is not exact.) 
2026-11-26 17:34:53.17: lr: 0.009 
2026-11-26 17:34:53.17: This epoch took 15.216040 s

2026-11-26 17:35:09.87: 
epoch:  1 
2026-11-26 17:35:09.87: train loss : 0.5 
";

    #[test]
    fn logs_of_python_give_curves_and_resumptions() {
        let fold = tempfile::tempdir().unwrap();
        let log = |name: &str, text: &str| std::fs::write(fold.path().join(name), text).unwrap();
        log("training_log_2026_11_26_9_34_37.txt", LOG);
        log(
            "training_log_2026_11_26_17_34_37.txt",
            &LOG.replace("epoch:  0", "epoch:  1").replace("1.3534", "0.75"),
        );
        let epochs = Epochs::read(fold.path()).unwrap();
        let run = epochs.run(fold.path(), "fold_0".to_owned(), &Names::default(), &[]);
        assert_eq!(
            (run.epochs.as_slice(), run.resumptions.as_slice()),
            (&[0, 1][..], &[1][..])
        );
        assert_eq!(run.state, RunState::Stopped);
        let values = |name: &str| {
            let mut series = run.series.iter().filter(|series| series.name == name);
            series.next().unwrap().values.clone()
        };
        assert_eq!(values("Training loss"), [Some(1.3534), Some(0.75)]);
        assert_eq!(values("Online Dice"), [Some(0.234), Some(0.234)]);
        assert_eq!(values("Learning rate"), [Some(0.01), Some(0.01)]);
        // A class without a value in any epoch has no curve, and nothing is said about waiting.
        assert_eq!(run.series.len(), 5);
    }

    #[test]
    fn progress_gives_all_curves_and_survives_a_torn_line() {
        let fold = tempfile::tempdir().unwrap();
        let line = |epoch: u64| {
            format!(
                r#"{{"epoch":{epoch},"epochs":9,"trainLoss":0.5,"validationLoss":null,"dice":[0.25,null],"best":false,
                "learningRate":0.01,"seconds":1.5,"secondsLeft":2.0,"waitShare":0.25,"iterationsPerSecond":2.0,
                "hostMemory":1048576}}"#
            )
            .replace('\n', "")
        };
        let text = format!("{}\n{}\n{{\"epoch\":2,", line(0), line(1));
        std::fs::write(fold.path().join("progress.jsonl"), text).unwrap();
        std::fs::write(fold.path().join("model_final_checkpoint.model"), "").unwrap();
        let epochs = Epochs::read(fold.path()).unwrap();
        let run = epochs.run(fold.path(), "fold_0".to_owned(), &Names::default(), &[7, 9]);
        assert_eq!(
            (run.epochs.as_slice(), run.state),
            (&[0, 1][..], RunState::Finished)
        );
        let found: Vec<_> = run
            .series
            .iter()
            .map(|s| (s.name.as_str(), s.values[1].unwrap()))
            .collect();
        let expected = [
            ("Training loss", 0.5),
            ("Online Dice", 0.25),
            ("Learning rate", 0.01),
            ("Epoch", 1.5),
            ("Waiting for data", 25.0),
            ("Process", 1.0),
        ];
        assert_eq!(found, expected);
        assert_eq!(run.series[1].class.as_deref(), Some("label 7"));
    }
}
