//! Remaining time of a run.

use super::mean::Mean;

/// Measures iterations to estimate the remaining time.
#[derive(Default)]
pub(crate) struct Clock {
    /// Seconds per training iteration.
    pub training: Mean,
    /// Seconds per validation iteration.
    pub validation: Mean,
}

impl Clock {
    /// Returns the estimated seconds for this many further training and validation iterations. Before the
    /// first measurement, a validation iteration is assumed to take a third of a training one, since it has
    /// no backward pass.
    pub fn left(&self, training: u64, validation: u64) -> f64 {
        let train = self.training.value().unwrap_or(0.0);
        let validate = self.validation.value().unwrap_or(train / 3.0);
        training as f64 * train + validation as f64 * validate
    }
}
