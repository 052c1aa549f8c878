//! How long a run still takes.

/// Measures iterations to tell how long the rest takes.
#[derive(Default)]
pub(super) struct Clock {
    /// Seconds and number of training iterations.
    pub training: (f64, u64),
    /// Seconds and number of validation iterations.
    pub validation: (f64, u64),
}

impl Clock {
    /// Mean of a sum over so many, if any.
    pub fn mean((seconds, count): (f64, u64)) -> Option<f64> {
        (count > 0).then(|| seconds / count as f64)
    }

    /// Seconds for so many more training and validation iterations. A validation iteration without backward pass takes about
    /// a third of the time, until one was measured.
    pub fn left(&self, training: u64, validation: u64) -> f64 {
        let train = Self::mean(self.training).unwrap_or(0.0);
        let validate = Self::mean(self.validation).unwrap_or(train / 3.0);
        training as f64 * train + validation as f64 * validate
    }
}
