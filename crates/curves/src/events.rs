//! TensorBoard's event files: TFRecord files of `tensorflow.Event` messages.
//!
//! Sources: `tensorflow/core/lib/io/record_writer.h` (records), `tensorboard/compat/proto/event.proto` and
//! `summary.proto` (messages).

mod crc32c;
mod message;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use run::EpochReport;
use storage::Error;

use crate::progress::mean_dice;

/// The beginning of every name that TensorBoard reads, and the end of those that this crate writes.
const START: &str = "events.out.tfevents.";
const END: &str = ".nnunet-diag";

/// The event file of a training.
///
/// Each epoch adds scalars at the step of its number, counted from 0: `loss/train`, `loss/validation`,
/// `dice/mean`, `dice/1`, `dice/2`, … (in the order of [`EpochReport::dice`]), `learning_rate`,
/// `gradient_norm`, `time/epoch_seconds`, `time/wait_share`, `time/iterations_per_second`,
/// `memory/host_bytes` and `memory/device_bytes`. A missing value has no scalar. Values are float32.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
}

impl EventFile {
    /// Starts a file in `folder` with the epochs that count so far, and removes the files of earlier runs,
    /// which may have epochs that do not count any more. The wall times of these epochs are counted back from
    /// now. A TensorBoard that shows the folder continues with the new file, whose name sorts last.
    ///
    /// # Errors
    /// [`Error::DiskFull`] and [`Error::Io`]. The earlier files are then kept.
    pub fn start(folder: &Path, reports: &[EpochReport]) -> Result<Self, Error> {
        let earlier = earlier_files(folder);
        let newest = earlier.iter().map(|(second, _)| *second).max();
        let second = (now() as u64).max(newest.map_or(0, |second| second + 1));
        let path = folder.join(format!("{START}{second:010}{END}"));
        let left: f64 = reports.iter().map(|r| r.seconds).sum();
        let mut time = now() - left;
        let mut bytes = message::file_start(time);
        for report in reports {
            time += report.seconds;
            bytes.extend(scalars(report, time));
        }
        storage::write_atomic(&path, |file| file.write_all(&bytes))?;
        for (_, old) in earlier {
            fs::remove_file(&old).map_err(|e| failed("remove", &old, e))?;
        }
        Ok(Self { path })
    }

    /// Appends an epoch.
    ///
    /// # Errors
    /// [`Error::DiskFull`] and [`Error::Io`]. The file then ends with the epoch before.
    pub fn add(&mut self, report: &EpochReport) -> Result<(), Error> {
        let bytes = scalars(report, now());
        let append = |file: &mut File| {
            let length = file.metadata()?.len();
            let done = file.write_all(&bytes);
            if done.is_err() {
                // A part of a record would make the following ones unreadable.
                let _ = file.set_len(length);
            }
            done
        };
        let file = OpenOptions::new().append(true).open(&self.path);
        file.and_then(|mut file| append(&mut file))
            .map_err(|e| failed("append to", &self.path, e))
    }

    /// Path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Event files of this crate in a folder, with the second in their names.
fn earlier_files(folder: &Path) -> Vec<(u64, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let second = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let second = name.strip_prefix(START)?.strip_suffix(END)?.parse().ok()?;
        Some((second, entry.path()))
    };
    entries.filter_map(second).collect()
}

/// The record of an epoch.
fn scalars(report: &EpochReport, time: f64) -> Vec<u8> {
    let mut values = vec![("loss/train".to_owned(), report.train_loss)];
    let mut add = |tag: &str, value: Option<f64>| values.push((tag.to_owned(), value));
    add("loss/validation", report.validation_loss);
    add("dice/mean", mean_dice(report));
    for (class, dice) in report.dice.iter().enumerate() {
        add(&format!("dice/{}", class + 1), *dice);
    }
    add("learning_rate", Some(report.learning_rate));
    add("gradient_norm", report.gradient_norm);
    add("time/epoch_seconds", Some(report.seconds));
    add("time/wait_share", Some(report.wait_share));
    add("time/iterations_per_second", Some(report.iterations_per_second));
    add("memory/host_bytes", report.host_memory.map(|b| b as f64));
    add("memory/device_bytes", report.device_memory.map(|b| b as f64));
    let known = values.into_iter().filter_map(|(tag, value)| Some((tag, value?)));
    message::summary(time, report.epoch, known)
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |d| d.as_secs_f64())
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> Error {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::DiskFull { path, source },
        _ => Error::Io { action, path, source },
    }
}
