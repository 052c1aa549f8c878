//! Files of a run besides its checkpoints: log, curves, settings.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Zoned;
use run::EpochReport;
use serde_json::Value;

use crate::{Error, Result};

/// File with one JSON object per finished epoch.
pub const PROGRESS_FILE: &str = "progress.jsonl";

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
    path: PathBuf,
}

impl Log {
    /// Creates a log in `folder`.
    pub fn start(folder: &Path) -> Result<Self> {
        let path = folder.join(
            Zoned::now()
                .strftime("training_log_%Y_%-m_%-d_%H_%M_%S.txt")
                .to_string(),
        );
        std::fs::write(&path, "Starting... \n").map_err(|e| Error::io(&path, e))?;
        Ok(Self { path })
    }

    /// Writes a line with a timestamp. Write errors are ignored, because they must not stop the training.
    pub fn line(&self, text: &str) {
        let stamp = Zoned::now().strftime("%Y-%m-%d %H:%M:%S%.6f");
        if let Ok(mut file) = OpenOptions::new().append(true).open(&self.path) {
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
    lines: Vec<String>,
}

impl Progress {
    /// Reads the first `epochs` reports of the fold's previous run and continues after them.
    pub fn open(folder: &Path, epochs: u64) -> Self {
        let path = folder.join(PROGRESS_FILE);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let before = |line: &&str| {
            let epoch = serde_json::from_str::<Value>(line)
                .ok()
                .and_then(|v| v["epoch"].as_u64());
            epoch.is_some_and(|epoch| epoch < epochs)
        };
        let lines = text.lines().filter(before).map(str::to_owned).collect();
        Self { path, lines }
    }

    /// Dice of each foreground class in the last report.
    pub fn last_dice(&self) -> Vec<Option<f64>> {
        let report = self
            .lines
            .last()
            .and_then(|line| serde_json::from_str::<Value>(line).ok())
            .unwrap_or_default();
        report["dice"]
            .as_array()
            .into_iter()
            .flatten()
            .map(Value::as_f64)
            .collect()
    }

    /// Adds a report and replaces the file atomically.
    pub fn add(&mut self, report: &EpochReport) -> Result<()> {
        self.lines.push(serde_json::to_string(report).unwrap_or_default());
        storage::write_atomic(&self.path, |file| {
            self.lines.iter().try_for_each(|line| writeln!(file, "{line}"))
        })?;
        Ok(())
    }
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
        let epochs: Vec<u64> = text
            .lines()
            .map(|line| {
                serde_json::from_str::<Value>(line).unwrap()["epoch"]
                    .as_u64()
                    .unwrap()
            })
            .collect();
        assert_eq!(epochs, [0, 1, 2]);
    }

    #[test]
    fn the_log_has_nnunet_format() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::start(folder.path()).unwrap();
        log.epoch(&report(3), 0.005);
        let text = std::fs::read_to_string(&log.path).unwrap();
        assert!(text.starts_with("Starting... \n"), "{text}");
        assert!(
            text.contains("epoch:  3") && text.contains("train loss : 0.5000") && text.contains("[0.2500]"),
            "{text}"
        );
    }
}
