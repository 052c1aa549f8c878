//! Running many cases within a memory budget.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::ThreadPool;
use run::{CaseFailure, Context};

use crate::budget::Budget;
use crate::Error;

/// One case's turn.
pub struct Job<T> {
    /// The case's identifier.
    pub case: String,
    /// Bytes it will need at most.
    pub bytes: u64,
    /// What the work takes.
    pub input: T,
}

/// What cases run on.
pub struct Crew<'a> {
    /// The workers.
    pub pool: ThreadPool,
    /// Memory for the cases in flight.
    pub budget: Budget,
    /// Where events go, and what stops the work.
    pub context: &'a Context,
}

impl<'a> Crew<'a> {
    /// The context's workers, with a memory budget in bytes (a share of what is available where none is given).
    pub fn new(memory_budget: Option<u64>, context: &'a Context) -> Result<Self, Error> {
        Ok(Self {
            pool: pool(context)?,
            budget: Budget::new(memory_budget),
            context,
        })
    }
}

/// How far a verb over cases is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What a unit is, such as `cases cropped`.
    pub unit: &'static str,
    /// Units that stand finished already.
    pub done: u64,
    /// Units in all.
    pub total: u64,
}

/// Results of the cases that succeeded, in the order of the jobs, and the failures of the others.
pub struct Outcome<R> {
    /// Result of each job, `None` where it failed.
    pub results: Vec<Option<R>>,
    /// Failures, in the order of the jobs.
    pub failures: Vec<CaseFailure>,
}

/// Runs `work` on every job, as many at once as there are workers and memory, each inside the crew's pool so that its
/// kernels use idle threads too. Jobs start in order. A case that fails does not stop the others; a full disk does, because
/// the others would fail likewise. Progress goes on from what is done.
pub fn run_cases<T: Sync, R: Send>(
    jobs: &[Job<T>],
    Crew {
        pool,
        budget,
        context,
    }: &Crew<'_>,
    Progress { unit, done, total }: Progress,
    work: impl Fn(&Job<T>) -> Result<R, Error> + Sync,
) -> Result<Outcome<R>, Error> {
    if done > 0 {
        context.progress(done, total, unit, None);
    }
    let next = Mutex::new(0usize);
    let finished = AtomicU64::new(done);
    // Stops the queue on cancellation and on a full disk alike.
    let stopped = AtomicBool::new(false);
    let results: Mutex<Vec<Option<Result<R, Error>>>> = Mutex::new(jobs.iter().map(|_| None).collect());
    let serve = || loop {
        // The queue stays locked while a case waits for memory: a large one is not overtaken for ever.
        let mut queue = next.lock().unwrap_or_else(PoisonError::into_inner);
        let index = *queue;
        let Some(job) = jobs.get(index) else { break };
        if stopped.load(Ordering::Relaxed) || context.check().is_err() {
            break;
        }
        if job.bytes > budget.total() {
            context.warn(
                "WARN_MEMORY_BUDGET",
                over_budget(job.bytes, budget.total()),
                Some(&job.case),
            );
        }
        let Ok(lease) = budget.take(job.bytes, context.cancel()) else {
            break;
        };
        *queue += 1;
        drop(queue);

        let result = run::catch(|| pool.install(|| work(job))).unwrap_or_else(|p| Err(p.into()));
        drop(lease);
        if result.as_ref().is_err_and(Error::is_fatal) {
            stopped.store(true, Ordering::Relaxed);
        }
        if result.is_ok() {
            let count = finished.fetch_add(1, Ordering::Relaxed) + 1;
            context.progress(count, total, unit, Some(&job.case));
        }
        results.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(result);
    };
    std::thread::scope(|scope| {
        for _ in 0..pool.current_num_threads().min(jobs.len()) {
            scope.spawn(serve);
        }
    });
    context.check()?;
    collect(jobs, results.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn collect<T, R>(jobs: &[Job<T>], results: Vec<Option<Result<R, Error>>>) -> Result<Outcome<R>, Error> {
    let mut outcome = Outcome {
        results: Vec::with_capacity(jobs.len()),
        failures: vec![],
    };
    for (job, result) in jobs.iter().zip(results) {
        match result {
            Some(Err(error)) if error.is_fatal() => return Err(error),
            Some(Err(error)) => {
                outcome.failures.push(CaseFailure::new(&job.case, &error));
                outcome.results.push(None);
            }
            Some(Ok(result)) => outcome.results.push(Some(result)),
            None => outcome.results.push(None),
        }
    }
    Ok(outcome)
}

fn over_budget(bytes: u64, total: u64) -> String {
    let megabytes = |b: u64| b.div_ceil(1 << 20);
    format!(
        "the case needs about {} MiB, the memory budget is {} MiB: it runs alone",
        megabytes(bytes),
        megabytes(total)
    )
}

/// A pool of the context's workers.
fn pool(context: &Context) -> Result<ThreadPool, Error> {
    context.pool().map_err(|e| Error::Threads {
        workers: context.workers(),
        reason: e.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use run::{Cancel, Event};
    use testkit::Recorder;

    use super::*;

    fn jobs(n: usize) -> Vec<Job<usize>> {
        (0..n)
            .map(|i| Job {
                case: format!("case_{i}"),
                bytes: 1,
                input: i,
            })
            .collect()
    }

    fn progress(done: u64, total: u64) -> Progress {
        let unit = "cases tested";
        Progress { unit, done, total }
    }

    fn counts(event: &Event) -> (u64, u64, &'static str) {
        match event {
            Event::Progress {
                done, total, unit, ..
            } => (*done, *total, unit),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn failures_do_not_stop_the_others() {
        let events = Arc::new(Recorder::default());
        let context = Context::new(events.clone(), Cancel::new(), 3);
        let outcome = run_cases(
            &jobs(7),
            &Crew::new(Some(2), &context).unwrap(),
            progress(2, 9),
            |job| {
                if job.input % 3 == 1 {
                    Err(Error::EmptyImage { paths: vec![] })
                } else {
                    Ok(job.input * 10)
                }
            },
        )
        .unwrap();
        assert_eq!(
            outcome.results,
            [Some(0), None, Some(20), Some(30), None, Some(50), Some(60)]
        );
        let failed: Vec<_> = outcome.failures.iter().map(|f| f.case.as_str()).collect();
        assert_eq!(failed, ["case_1", "case_4"]);
        assert_eq!(outcome.failures[0].code, "ERR_EMPTY_IMAGE");
        let mut counted: Vec<_> = events.events().iter().map(counts).collect();
        counted.sort_unstable();
        // Two were there before; five of the seven follow.
        assert_eq!(counted, [2, 3, 4, 5, 6, 7].map(|done| (done, 9, "cases tested")));
    }

    #[test]
    fn a_panic_is_that_case_s_failure() {
        let context = Context::silent(2);
        let crew = Crew::new(Some(2), &context).unwrap();
        let outcome = run_cases(&jobs(4), &crew, progress(0, 4), |job| {
            assert!(job.input != 2, "no voxel left");
            Ok(job.input)
        })
        .unwrap();
        assert_eq!(outcome.results, [Some(0), Some(1), None, Some(3)]);
        let failure = &outcome.failures[0];
        assert_eq!(
            (failure.case.as_str(), failure.code.as_str()),
            ("case_2", "ERR_INTERNAL")
        );
        assert!(failure.message.contains("no voxel left"), "{}", failure.message);
    }

    #[test]
    fn cancellation_stops_between_cases() {
        let context = Context::silent(1);
        let seen = AtomicU64::new(0);
        let outcome = run_cases(
            &jobs(5),
            &Crew::new(Some(1), &context).unwrap(),
            progress(0, 5),
            |job| {
                seen.fetch_add(1, Ordering::SeqCst);
                if job.input == 1 {
                    context.cancel().cancel();
                }
                Ok(())
            },
        );
        assert!(matches!(outcome, Err(Error::Cancelled(_))));
        assert_eq!(seen.into_inner(), 2);
    }
}
