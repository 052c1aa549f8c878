//! Threads that could not be started.

use rayon::ThreadPoolBuildError;

use crate::Coded;

/// The system refused a thread of a pool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Coded)]
#[error("cannot start {workers} threads: {reason}; use fewer workers")]
#[code(Threads)]
pub struct ThreadsError {
    /// Threads asked for.
    pub workers: usize,
    /// The system's own words.
    pub reason: String,
}

impl ThreadsError {
    pub(crate) fn new(workers: usize, error: &ThreadPoolBuildError) -> Self {
        Self {
            workers,
            reason: error.to_string(),
        }
    }
}
