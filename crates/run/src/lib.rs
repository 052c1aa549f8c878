//! Shared parts of all long verbs: progress events, cancellation, errors with codes, and the loop over cases.
//!
//! A verb is a function `fn verb(options: &Options, context: &Context) -> Result<Summary, Error>`. It sends
//! [`Event`]s, beginning with [`Event::Started`], to the context's [`Sink`]. It polls [`Context::check`]
//! between units of work and returns exactly once. A verb over many cases runs them in a [`CaseLoop`].

// The derived code refers to this crate as `run`, also inside it.
extern crate self as run;

mod budget;
mod cancel;
mod cases;
mod code;
#[doc(hidden)]
pub mod derive;
mod error;
mod event;
mod hash;
mod job;
mod ledger;
mod memory;
mod not_found;
mod option_error;
mod options;
mod pages;
mod panic;
mod pipeline;
mod shard;
pub mod switches;
mod threads;
mod time;
mod variables;

pub use cancel::{Cancel, Cancelled};
pub use cases::CaseLoop;
pub use code::Code;
pub use error::{CaseFailure, Coded};
pub use event::{
    CheckpointKind, EpochReport, Event, EventKind, NullSink, Sink, ValidatedCase, ValidationReport,
};
pub use hash::fnv1a;
pub use job::{Job, Outcome, Progress};
pub use memory::{available_memory, memory_capacity, resident_memory};
pub use not_found::NotFound;
pub use option_error::{OptionError, OptionProblem, OptionResult};
pub use options::{merge_references, parse, schema_of, validate, CommonOptions, Given, Options};
pub use pages::prefer_large_pages;
pub use panic::{catch, Panicked};
pub use pipeline::Share;
pub use run_derive::{options, Coded};
pub use shard::Shard;
pub use threads::ThreadsError;
pub use time::utc_now;
pub use variables::expand_variables;

use std::sync::Arc;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// The context of a verb: event sink, cancellation flag, number of threads.
#[derive(Clone)]
pub struct Context {
    sink: Arc<dyn Sink>,
    cancel: Cancel,
    workers: usize,
}

impl Context {
    /// A context that emits to `sink`, stops on `cancel`, and uses `workers` threads (0 means all cores).
    pub fn new(sink: Arc<dyn Sink>, cancel: Cancel, workers: usize) -> Self {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            sink,
            cancel,
            workers: if workers == 0 { cores() } else { workers },
        }
    }

    /// A context that discards events and is never cancelled.
    pub fn silent(workers: usize) -> Self {
        Self::new(Arc::new(NullSink), Cancel::new(), workers)
    }

    /// The same context with this many threads, at least 1.
    #[must_use]
    pub fn with_workers(&self, workers: usize) -> Self {
        Self {
            workers: workers.max(1),
            ..self.clone()
        }
    }

    /// The same context without events.
    #[must_use]
    pub fn silenced(&self) -> Self {
        Self {
            sink: Arc::new(NullSink),
            ..self.clone()
        }
    }

    /// Number of worker threads, at least 1.
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// A pool of [`Context::workers`] threads.
    ///
    /// # Errors
    /// [`ThreadsError`] where the system refuses a thread.
    pub fn pool(&self) -> Result<ThreadPool, ThreadsError> {
        let name = |i| format!("worker-{i}");
        ThreadPoolBuilder::new()
            .num_threads(self.workers)
            .thread_name(name)
            .build()
            .map_err(|e| ThreadsError::new(self.workers, &e))
    }

    /// The flag that stops this verb.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Fails with [`Cancelled`] once cancellation was requested.
    pub fn check(&self) -> Result<(), Cancelled> {
        self.cancel.check()
    }

    /// Sends one event to the caller.
    pub fn emit(&self, event: Event) {
        self.sink.emit(event);
    }

    /// Sends an [`Event::Progress`].
    pub fn progress(&self, done: u64, total: u64, unit: &'static str, case: Option<&str>) {
        self.emit(Event::Progress {
            done,
            total,
            unit,
            case: case.map(str::to_owned),
        });
    }

    /// Sends an [`Event::Warning`].
    pub fn warn(&self, code: &'static str, message: impl Into<String>, case: Option<&str>) {
        self.emit(Event::Warning {
            code,
            message: message.into(),
            case: case.map(str::to_owned),
        });
    }
}
