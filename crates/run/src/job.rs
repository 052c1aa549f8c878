//! The jobs of a loop over cases, and what comes of them.

use crate::CaseFailure;

/// One case's turn.
#[derive(Clone, Debug)]
pub struct Job<T> {
    /// The case's identifier.
    pub case: String,
    /// Bytes of memory that it needs at most, where the loop has a memory budget.
    pub bytes: u64,
    /// What the work takes.
    pub input: T,
}

impl<T> Job<T> {
    /// A case whose memory is not budgeted.
    pub fn new(case: impl Into<String>, input: T) -> Self {
        Self {
            case: case.into(),
            bytes: 0,
            input,
        }
    }
}

/// How far a verb is when a loop starts.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What a unit is, such as `cases cropped`.
    pub unit: &'static str,
    /// Units that were finished before.
    pub done: u64,
    /// Units in all.
    pub total: u64,
}

impl Progress {
    /// Of `total` units, none of them finished yet.
    pub fn new(unit: &'static str, total: usize) -> Self {
        Self {
            unit,
            done: 0,
            total: total as u64,
        }
    }
}

/// Results of the cases that succeeded, and the failures of the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome<R> {
    /// Result of each job, in the order of the jobs; `None` where it failed.
    pub results: Vec<Option<R>>,
    /// Failures, in the order of the jobs.
    pub failures: Vec<CaseFailure>,
}
