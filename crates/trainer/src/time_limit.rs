//! The end of a run's time.

use std::path::PathBuf;
use std::time::Instant;

use settings::{parse_duration, TrainOptions};

use crate::Error;

/// The moment after which a run stops, for time limits of batch systems.
#[derive(Clone, Debug)]
pub(crate) struct TimeLimit {
    end: Option<Instant>,
    text: String,
}

impl TimeLimit {
    /// The limit of a command that began at `start`.
    pub fn new(options: &TrainOptions, start: Instant) -> Self {
        let text = options.stop_after.clone().unwrap_or_default();
        Self {
            end: parse_duration(&text).and_then(|length| start.checked_add(length)),
            text,
        }
    }

    /// Whether the time is over.
    pub fn is_over(&self) -> bool {
        self.end.is_some_and(|end| Instant::now() >= end)
    }

    /// The error of a run that stopped after `epoch` epochs, with its state in `path`.
    pub fn error(&self, epoch: u64, path: PathBuf) -> Error {
        Error::TimeLimit {
            limit: self.text.clone(),
            epoch,
            path,
        }
    }
}
