//! Jobs and outcome of a loop over cases.

use crate::CaseFailure;

/// One case of a loop.
#[derive(Clone, Debug)]
pub struct Job<T> {
    /// The case's identifier.
    pub case: String,
    /// Upper bound of its memory in bytes, for a loop with a memory budget.
    pub bytes: u64,
    /// Input of the work.
    pub input: T,
}

impl<T> Job<T> {
    /// A job without a memory bound.
    pub fn new(case: impl Into<String>, input: T) -> Self {
        Self {
            case: case.into(),
            bytes: 0,
            input,
        }
    }
}

/// Progress of a verb at the start of a loop.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Name of the unit, such as `cases cropped`.
    pub unit: &'static str,
    /// Units finished before the loop.
    pub done: u64,
    /// Total units.
    pub total: u64,
}

impl Progress {
    /// Progress with no finished units.
    pub fn new(unit: &'static str, total: usize) -> Self {
        Self {
            unit,
            done: 0,
            total: total as u64,
        }
    }
}

/// Results of the successful cases and failures of the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome<R> {
    /// Result of each job, in the order of the jobs; `None` if it failed.
    pub results: Vec<Option<R>>,
    /// Failures, in the order of the jobs.
    pub failures: Vec<CaseFailure>,
}
