//! The end of a run's time.

use std::time::Instant;

use settings::{parse_duration, TrainOptions};

/// The moment after which a run stops, for time limits of batch systems.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeLimit(Option<Instant>);

impl TimeLimit {
    /// The limit of a command that begins now.
    pub fn new(options: &TrainOptions) -> Self {
        let length = options.stop_after.as_deref().and_then(parse_duration);
        Self(length.and_then(|length| Instant::now().checked_add(length)))
    }

    /// Whether the time is over.
    pub fn is_over(self) -> bool {
        self.0.is_some_and(|end| Instant::now() >= end)
    }
}
