//! The loop over cases, shared by every verb with more than one case.

use std::sync::{Mutex, PoisonError};
use std::thread;

use rayon::ThreadPool;

use crate::budget::{Budget, Lease};
use crate::job::{Job, Outcome, Progress};
use crate::ledger::Ledger;
use crate::{Cancelled, Coded, Context, ThreadsError};

/// Runs work on many cases: in parallel with [`CaseLoop::run`], or one after the other in stages with
/// [`CaseLoop::pipeline`].
///
/// - **Threads.** One pool of the context's workers. The loop runs one case per worker. Each case runs inside
///   the pool, so its kernels can also use idle threads.
/// - **Memory.** At most one case per worker is in memory. With a memory budget, a case also waits until
///   enough bytes are free. Jobs start in order, so small cases cannot starve a large one.
/// - **Failures.** An error or a panic belongs to its case. A warning `WARN_CASE_FAILED` reports it at once,
///   and [`Outcome::failures`] lists it. The other cases continue.
/// - **Fatal errors.** `ERR_DISK_FULL` stops the loop, because every other case would fail too. Running cases
///   finish.
/// - **Cancellation.** No further case starts. Work that polls the context's flag stops inside its case. The
///   loop returns [`Cancelled`] and reports no running case as failed.
/// - **Order.** Results and failures have the order of the jobs, for any number of workers.
///
/// ```
/// use run::{CaseLoop, Cancelled, Context, Job, Progress};
///
/// let jobs: Vec<_> = ["a", "b", "c"].into_iter().zip(0..).map(|(case, n)| Job::new(case, n)).collect();
/// let progress = Progress::new("cases", jobs.len());
/// let outcome = CaseLoop::new(&Context::silent(2))?
///     .run(&jobs, progress, |job| if job.input == 1 { panic!("no voxel") } else { Ok(10 * job.input) })
///     .map_err(|stopped: Cancelled| stopped)?;
/// assert_eq!(outcome.results, [Some(0), None, Some(20)]);
/// assert_eq!((outcome.failures[0].case.as_str(), outcome.failures[0].code.as_str()), ("b", "ERR_INTERNAL"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CaseLoop<'a> {
    pub(crate) context: &'a Context,
    pub(crate) pool: ThreadPool,
    budget: Option<Budget>,
}

impl<'a> CaseLoop<'a> {
    /// A loop on the context's workers without a memory budget.
    ///
    /// # Errors
    /// As [`Context::pool`].
    pub fn new(context: &'a Context) -> Result<Self, ThreadsError> {
        Ok(Self {
            context,
            pool: context.pool()?,
            budget: None,
        })
    }

    /// Sets a memory budget of `bytes`. The default is 60 % of the memory available to the machine or to this
    /// process's control group. A case larger than the budget runs alone, with a warning
    /// `WARN_MEMORY_BUDGET`.
    #[must_use]
    pub fn with_memory_budget(mut self, bytes: Option<u64>) -> Self {
        self.budget = Some(Budget::new(bytes));
        self
    }

    /// The memory budget in bytes, if one is set.
    pub fn memory_budget(&self) -> Option<u64> {
        self.budget.as_ref().map(Budget::total)
    }

    /// The context: receives events and cancels the loop.
    pub fn context(&self) -> &'a Context {
        self.context
    }

    /// The worker pool, for work outside the cases.
    pub fn pool(&self) -> &ThreadPool {
        &self.pool
    }

    /// Runs `work` on every job in parallel. `progress` counts every finished case, including failed ones. If
    /// earlier units are already finished, the first event has no case.
    ///
    /// # Errors
    /// [`Cancelled`], or the first fatal error.
    pub fn run<T, R, E>(
        &self,
        jobs: &[Job<T>],
        progress: Progress,
        work: impl Fn(&Job<T>) -> Result<R, E> + Sync,
    ) -> Result<Outcome<R>, E>
    where
        T: Sync,
        R: Send,
        E: Coded + From<Cancelled> + Send,
    {
        let ledger = Ledger::new(self.context, jobs, Some(progress));
        let next = Mutex::new(0);
        let take = || {
            // The queue stays locked while a case waits for memory, so that jobs start in order.
            let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
            let index: usize = *next;
            let job = jobs.get(index)?;
            let lease = self.lease(job).ok()?;
            // Checked last: the loop may have stopped while this case waited.
            if ledger.is_stopped() {
                return None;
            }
            *next += 1;
            Some((index, lease))
        };
        let serve = || {
            while let Some((index, lease)) = take() {
                let result = ledger.guard(index, || self.pool.install(|| work(&jobs[index])));
                drop(lease);
                if let Some(result) = result {
                    ledger.succeed(index, result);
                }
            }
        };
        thread::scope(|scope| {
            for worker in 1..self.pool.current_num_threads().min(jobs.len()) {
                let thread = thread::Builder::new().name(format!("case-{worker}"));
                // If the system cannot start this thread, the other threads run its cases.
                let _ = thread.spawn_scoped(scope, serve);
            }
            serve();
        });
        ledger.finish()
    }

    /// Waits for a job's memory.
    fn lease<T>(&self, job: &Job<T>) -> Result<Option<Lease<'_>>, Cancelled> {
        let Some(budget) = &self.budget else {
            return Ok(None);
        };
        if job.bytes > budget.total() {
            let megabytes = |bytes: u64| bytes.div_ceil(1 << 20);
            let message = format!(
                "the case needs about {} MiB, more than the memory budget of {} MiB; it runs alone",
                megabytes(job.bytes),
                megabytes(budget.total())
            );
            self.context.warn("WARN_MEMORY_BUDGET", message, Some(&job.case));
        }
        budget.take(job.bytes, self.context.cancel()).map(Some)
    }
}
