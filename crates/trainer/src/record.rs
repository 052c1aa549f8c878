//! Files of a run besides its checkpoints: log, curves, settings.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use dataset::results::{PROGRESS_FILE, TRAINING_LOG};
use jiff::Zoned;
use run::EpochReport;
use serde_json::Value;

use crate::{Error, Result};

/// Finished epochs that the record of a fold's folder lists; `None` without a record.
pub(crate) fn epochs_in(folder: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(folder.join(PROGRESS_FILE)).ok()?;
    let last = text
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str::<Value>(line).ok())?;
    Some(last["epoch"].as_u64()? + 1)
}

/// The training log of a run, with nnU-Net v1's name and format.
pub(crate) struct Log {
    /// `None` for a log that is not written.
    path: Option<PathBuf>,
}

impl Log {
    /// Creates a log in `folder`.
    pub fn start(folder: &Path) -> Result<Self> {
        let time = Zoned::now().strftime("%Y_%-m_%-d_%H_%M_%S");
        let path = folder.join(format!("{TRAINING_LOG}{time}.txt"));
        std::fs::write(&path, "Starting... \n").map_err(|e| Error::io(&path, e))?;
        Ok(Self { path: Some(path) })
    }

    /// A log that is not written, of a rank that is not the first.
    pub fn none() -> Self {
        Self { path: None }
    }

    /// Writes a line with a timestamp. Write errors are ignored, because they must not stop the training.
    pub fn line(&self, text: &str) {
        let Some(path) = &self.path else { return };
        let stamp = Zoned::now().strftime("%Y-%m-%d %H:%M:%S%.6f");
        if let Ok(mut file) = OpenOptions::new().append(true).open(path) {
            let _ = writeln!(file, "{stamp}: {text} ");
        }
    }

    /// Writes nnU-Net v1's log lines of an epoch.
    pub fn epoch(&self, report: &EpochReport, next_rate: f64) {
        self.line(&format!("\nepoch:  {}", report.epoch));
        match report.train_loss {
            Some(loss) => self.line(&format!("train loss : {loss:.4}")),
            None => self.line("train loss : none (no training patch has an annotated voxel)"),
        }
        match report.validation_loss {
            Some(loss) => self.line(&format!("validation loss: {loss:.4}")),
            None => self.line("validation loss: none (no validation patch has an annotated voxel)"),
        }
        let dice: Vec<String> = report.dice.iter().flatten().map(|d| format!("{d:.4}")).collect();
        self.line(&format!("Average global foreground Dice: [{}]", dice.join(", ")));
        self.line(
            "(interpret this as an estimate for the Dice of the different classes. This is not exact.)",
        );
        self.line(&format!("lr: {}", (next_rate * 1e6).round() / 1e6));
        self.line(&format!("This epoch took {:.6} s\n", report.seconds));
    }
}

/// The reports of the finished epochs, one JSON object per line.
pub(crate) struct Progress {
    path: PathBuf,
    reports: Vec<EpochReport>,
}

impl Progress {
    /// Reads the first `epochs` reports of the fold's previous run and continues after them.
    pub fn open(folder: &Path, epochs: u64) -> Self {
        let path = folder.join(PROGRESS_FILE);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let reports = text.lines().filter_map(read_report).filter(|r| r.epoch < epochs);
        Self {
            path,
            reports: reports.collect(),
        }
    }

    /// Dice of each foreground class in the last report.
    pub fn last_dice(&self) -> Vec<Option<f64>> {
        self.reports.last().map(|r| r.dice.clone()).unwrap_or_default()
    }

    /// The reports of all finished epochs.
    pub fn reports(&self) -> &[EpochReport] {
        &self.reports
    }

    /// Adds a report and replaces the file atomically.
    pub fn add(&mut self, report: &EpochReport) -> Result<()> {
        self.reports.push(report.clone());
        storage::write_atomic(&self.path, |file| {
            self.reports.iter().try_for_each(|report| {
                serde_json::to_writer(&mut *file, report)?;
                file.write_all(b"\n")
            })
        })?;
        Ok(())
    }
}

/// A line of the file. Those of earlier versions lack values that were not measured.
fn read_report(line: &str) -> Option<EpochReport> {
    let mut report: Value = serde_json::from_str(line).ok()?;
    for name in ["waitShare", "iterationsPerSecond"] {
        report.as_object_mut()?.entry(name).or_insert_with(|| 0.0.into());
    }
    serde_json::from_value(report).ok()
}

/// Writes `debug.json`: settings by name, with all values as strings, as in nnU-Net v1.
pub(crate) fn write_settings(path: &Path, settings: &Value) -> Result<()> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let entries = settings
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| (k.clone(), Value::String(text(v))));
    let object = Value::Object(entries.collect());
    storage::write_atomic(path, |file| {
        serde_json::to_writer_pretty(&mut *file, &object)?;
        file.write_all(b"\n")
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(epoch: u64) -> EpochReport {
        EpochReport {
            epoch,
            epochs: 9,
            train_loss: Some(0.5),
            validation_loss: None,
            dice: vec![Some(0.25), None],
            best: false,
            learning_rate: 0.01,
            seconds: 1.5,
            seconds_left: 2.0,
            wait_share: 0.25,
            iterations_per_second: 8.0,
            gradient_norm: None,
            host_memory: Some(1 << 30),
            device_memory: None,
        }
    }

    #[test]
    fn progress_continues_after_the_resumed_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = Progress::open(folder.path(), 0);
        (0..4).for_each(|epoch| first.add(&report(epoch)).unwrap());
        let mut second = Progress::open(folder.path(), 2);
        second.add(&report(2)).unwrap();
        let text = std::fs::read_to_string(folder.path().join(PROGRESS_FILE)).unwrap();
        let found: Vec<EpochReport> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(found, [report(0), report(1), report(2)]);
        assert_eq!(second.reports(), found);
    }

    #[test]
    fn progress_of_an_earlier_version_lacks_only_the_new_values() {
        let folder = tempfile::tempdir().unwrap();
        let line = r#"{"epoch":0,"epochs":9,"trainLoss":0.5,"validationLoss":null,"dice":[0.25,null],"best":false,
            "learningRate":0.01,"seconds":1.5,"secondsLeft":2.0}"#;
        std::fs::write(folder.path().join(PROGRESS_FILE), line.replace('\n', "")).unwrap();
        let found = Progress::open(folder.path(), 1);
        let expected = EpochReport {
            wait_share: 0.0,
            iterations_per_second: 0.0,
            host_memory: None,
            ..report(0)
        };
        assert_eq!(found.reports(), [expected]);
    }

    #[test]
    fn the_log_has_nnunet_format() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::start(folder.path()).unwrap();
        log.epoch(&report(3), 0.005);
        let text = std::fs::read_to_string(log.path.as_ref().unwrap()).unwrap();
        assert!(text.starts_with("Starting... \n"), "{text}");
        assert!(
            text.contains("epoch:  3") && text.contains("train loss : 0.5000") && text.contains("[0.2500]"),
            "{text}"
        );
    }
}
