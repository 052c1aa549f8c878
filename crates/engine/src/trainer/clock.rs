//! How long a run still takes.

use super::mean::Mean;

/// Measures iterations to tell how long the rest takes.
#[derive(Default)]
pub(super) struct Clock {
    /// Seconds of a training iteration.
    pub training: Mean,
    /// Seconds of a validation iteration.
    pub validation: Mean,
}

impl Clock {
    /// Seconds for so many more training and validation iterations. A validation iteration without backward pass takes about
    /// a third of the time, until one was measured.
    pub fn left(&self, training: u64, validation: u64) -> f64 {
        let train = self.training.value().unwrap_or(0.0);
        let validate = self.validation.value().unwrap_or(train / 3.0);
        training as f64 * train + validation as f64 * validate
    }
}
