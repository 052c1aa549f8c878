//! Results and failures of the jobs of a loop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{catch, Cancelled, CaseFailure, Code, Coded, Context, Job, Outcome, Progress};

/// Results, failures and progress of the jobs of one loop, and its stop condition.
pub(crate) struct Ledger<'a, T, R, E> {
    context: &'a Context,
    jobs: &'a [Job<T>],
    state: Mutex<State<R, E>>,
    stopped: AtomicBool,
}

struct State<R, E> {
    results: Vec<Option<R>>,
    /// Index of the job and its failure, in order of occurrence.
    failures: Vec<(usize, CaseFailure)>,
    /// The first fatal error.
    fatal: Option<E>,
    /// `None` if a stage reports progress itself.
    progress: Option<Progress>,
}

impl<'a, T, R, E: Coded + From<Cancelled>> Ledger<'a, T, R, E> {
    pub(crate) fn new(context: &'a Context, jobs: &'a [Job<T>], progress: Option<Progress>) -> Self {
        if let Some(Progress { unit, done, total }) = progress.filter(|p| p.done > 0) {
            context.progress(done, total, unit, None);
        }
        let state = State {
            results: jobs.iter().map(|_| None).collect(),
            failures: vec![],
            fatal: None,
            progress,
        };
        Self {
            context,
            jobs,
            state: Mutex::new(state),
            stopped: AtomicBool::new(false),
        }
    }

    /// Returns true if no further case may start: the verb was cancelled, or an error was fatal.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed) || self.context.check().is_err()
    }

    /// Runs the work of a job, or one stage of it. Records an error or panic as the failure of the case.
    pub(crate) fn guard<V>(&self, index: usize, work: impl FnOnce() -> Result<V, E>) -> Option<V> {
        match catch(work) {
            Ok(Ok(value)) => return Some(value),
            Ok(Err(error)) if is_fatal(&error) => {
                self.stopped.store(true, Ordering::Relaxed);
                self.lock().fatal.get_or_insert(error);
            }
            Ok(Err(error)) => self.fail(index, &error),
            Err(panic) => self.fail(index, &panic),
        }
        None
    }

    /// Records a job's result.
    pub(crate) fn succeed(&self, index: usize, result: R) {
        let mut state = self.lock();
        state.results[index] = Some(result);
        self.count(&mut state, index);
    }

    fn fail(&self, index: usize, error: &dyn Coded) {
        // After cancellation an error may be a consequence of it.
        if self.context.check().is_err() {
            return;
        }
        let case = &self.jobs[index].case;
        let mut state = self.lock();
        self.context
            .warn("WARN_CASE_FAILED", error.to_string(), Some(case));
        state.failures.push((index, CaseFailure::new(case, error)));
        self.count(&mut state, index);
    }

    /// Reports progress under the lock, so that counts arrive in ascending order.
    fn count(&self, state: &mut State<R, E>, index: usize) {
        if let Some(Progress { unit, done, total }) = &mut state.progress {
            *done += 1;
            self.context
                .progress(*done, *total, unit, Some(&self.jobs[index].case));
        }
    }

    /// The outcome of all jobs, in their order.
    pub(crate) fn finish(self) -> Result<Outcome<R>, E> {
        self.context.check()?;
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(fatal) = state.fatal {
            return Err(fatal);
        }
        let mut failures = state.failures;
        failures.sort_by_key(|(index, _)| *index);
        Ok(Outcome {
            results: state.results,
            failures: failures.into_iter().map(|(_, failure)| failure).collect(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State<R, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns true if the error would affect every other case too.
fn is_fatal(error: &dyn Coded) -> bool {
    [Code::DiskFull.as_str(), Code::Cancelled.as_str()].contains(&error.code())
}
