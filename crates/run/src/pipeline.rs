//! A pipeline over cases with three overlapping stages.

use std::sync::mpsc::{sync_channel, Receiver};

use crate::ledger::Ledger;
use crate::{Cancelled, CaseLoop, Coded, Context, Job, Outcome};

/// Progress steps per case, independent of its number of parts.
const STEPS: u64 = 100;

/// Reports the progress of one case of a pipeline.
pub struct Share<'a> {
    context: &'a Context,
    case: &'a str,
    index: u64,
    cases: u64,
}

impl Share<'_> {
    /// Reports that `done` of `parts` parts of the case are finished, in hundredths of a case.
    pub fn report(&self, done: usize, parts: usize) {
        let within = STEPS * done as u64 / parts.max(1) as u64;
        self.context.progress(
            self.index * STEPS + within,
            self.cases * STEPS,
            "% of a case",
            Some(self.case),
        );
    }
}

impl CaseLoop<'_> {
    /// Runs every job through three stages in the order of the jobs. `prepare` and `finish` run on the pool.
    /// `work` runs on the calling thread, because its values may not be movable to another thread.
    ///
    /// While `work` runs on one case, the next case is prepared and the previous one is finished. At most
    /// three cases are in memory. The memory budget does not apply. `work` reports progress through its
    /// [`Share`].
    ///
    /// # Errors
    /// [`Cancelled`], or the first fatal error.
    pub fn pipeline<T, A, B, R, E>(
        &self,
        jobs: &[Job<T>],
        prepare: impl Fn(&Job<T>) -> Result<A, E> + Sync,
        mut work: impl FnMut(&Job<T>, A, &Share<'_>) -> Result<B, E>,
        finish: impl Fn(&Job<T>, B) -> Result<R, E> + Sync,
    ) -> Result<Outcome<R>, E>
    where
        T: Sync,
        A: Send,
        B: Send,
        R: Send,
        E: Coded + From<Cancelled> + Send,
    {
        let ledger = Ledger::new(self.context, jobs, None);
        let (records, prepare, finish) = (&ledger, &prepare, &finish);
        self.pool.in_place_scope(|scope| {
            let ahead = |index: usize| -> Option<Receiver<Option<A>>> {
                let job = jobs.get(index)?;
                let (give, take) = sync_channel(1);
                scope.spawn(move |_| {
                    let _ = give.send(records.guard(index, || prepare(job)));
                });
                Some(take)
            };
            let mut prepared = ahead(0);
            let mut finished: Option<Receiver<()>> = None;
            for (index, job) in jobs.iter().enumerate() {
                let input = prepared.take().and_then(|case| case.recv().ok().flatten());
                if records.is_stopped() {
                    break;
                }
                prepared = ahead(index + 1);
                let share = Share {
                    context: self.context,
                    case: &job.case,
                    index: index as u64,
                    cases: jobs.len() as u64,
                };
                let output = input.and_then(|input| records.guard(index, || work(job, input, &share)));
                let Some(output) = output else { continue };
                // Exits without a message once the previous case is finished.
                if let Some(before) = finished.take() {
                    let _ = before.recv();
                }
                if records.is_stopped() {
                    break;
                }
                let (give, take) = sync_channel::<()>(0);
                scope.spawn(move |_| {
                    if let Some(result) = records.guard(index, || finish(job, output)) {
                        records.succeed(index, result);
                    }
                    drop(give);
                });
                finished = Some(take);
            }
        });
        ledger.finish()
    }
}
