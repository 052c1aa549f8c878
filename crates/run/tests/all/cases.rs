//! The loop over cases: order, failures, memory, progress, cancellation.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use run::{Cancel, Cancelled, CaseLoop, Code, Context, Event, Job, Progress};
use testkit::Recorder;

#[derive(Debug, thiserror::Error, run::Coded)]
enum Error {
    #[error("the image is empty")]
    #[code(EmptyImage)]
    Empty,
    #[error("no space left")]
    #[code(DiskFull)]
    Full,
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Planned result of a job.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Success,
    Error,
    Panic,
}

fn name(index: usize) -> String {
    format!("case_{index}")
}

/// Jobs with the given bytes and inputs.
fn jobs<T>(inputs: impl IntoIterator<Item = (u64, T)>) -> Vec<Job<T>> {
    let job = |(index, (bytes, input))| Job {
        case: name(index),
        bytes,
        input,
    };
    inputs.into_iter().enumerate().map(job).collect()
}

/// Jobs with their index as input.
fn numbered(n: usize) -> Vec<Job<usize>> {
    (0..n).map(|index| Job::new(name(index), index)).collect()
}

fn progress(done: u64, total: u64) -> Progress {
    Progress {
        unit: "cases tested",
        done,
        total,
    }
}

fn recorded(workers: usize) -> (Arc<Recorder>, Context) {
    let events = Arc::new(Recorder::default());
    (events.clone(), Context::new(events, Cancel::new(), workers))
}

fn counts(events: &[Event]) -> Vec<u64> {
    let done = |event: &Event| match event {
        Event::Progress { done, unit, .. } => {
            assert_eq!(*unit, "cases tested");
            Some(*done)
        }
        _ => None,
    };
    events.iter().filter_map(done).collect()
}

/// Cases whose failure was reported, in the order of the events.
fn reported(events: &Recorder) -> Vec<String> {
    let case = |event: Event| match event {
        Event::Warning {
            code: "WARN_CASE_FAILED",
            case,
            ..
        } => case,
        _ => None,
    };
    events.events().into_iter().filter_map(case).collect()
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![4 => Just(Fate::Success), 1 => Just(Fate::Error), 1 => Just(Fate::Panic)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn results_failures_memory_and_progress_match_the_jobs(
        plan in prop::collection::vec((0u64..14, fate()), 0..20),
        workers in 1usize..5,
        budget in prop::option::of(1u64..12),
        before in 0u64..3,
    ) {
        let (events, context) = recorded(workers);
        let mut cases = CaseLoop::new(&context).unwrap();
        if budget.is_some() {
            cases = cases.with_memory_budget(budget);
        }
        let total = before + plan.len() as u64;
        let (running, used, most) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicU64::new(0));
        let started = Mutex::new(vec![]);
        let outcome = cases
            .run(&jobs(plan.iter().copied()), progress(before, total), |job| {
                started.lock().unwrap().push(job.case.clone());
                let cost = budget.map_or(0, |all| job.bytes.min(all));
                most.fetch_max(used.fetch_add(cost, Ordering::SeqCst) + cost, Ordering::SeqCst);
                let beside = running.fetch_add(1, Ordering::SeqCst);
                assert!(beside < workers, "{beside} cases beside this one");
                std::thread::yield_now();
                running.fetch_sub(1, Ordering::SeqCst);
                used.fetch_sub(cost, Ordering::SeqCst);
                match job.input {
                    Fate::Success => Ok(job.case.clone()),
                    Fate::Error => Err(Error::Empty),
                    Fate::Panic => panic!("bug in {}", job.case),
                }
            })
            .unwrap();

        prop_assert!(most.into_inner() <= budget.unwrap_or(0), "bytes beyond the budget");
        let expected = |(i, p): (usize, &(u64, Fate))| (p.1 == Fate::Success).then(|| name(i));
        prop_assert_eq!(&outcome.results, &plan.iter().enumerate().map(expected).collect::<Vec<_>>());
        let failed: Vec<_> = plan.iter().enumerate().filter(|(_, p)| p.1 != Fate::Success).collect();
        prop_assert_eq!(outcome.failures.len(), failed.len());
        for (failure, (index, (_, fate))) in outcome.failures.iter().zip(failed) {
            let code = if *fate == Fate::Panic { Code::Internal } else { Code::EmptyImage };
            prop_assert_eq!((failure.case.clone(), failure.code.as_str()), (name(index), code.as_str()));
            prop_assert_eq!(failure.message.contains("bug in"), *fate == Fate::Panic);
        }
        let first = if before > 0 { before } else { 1 };
        prop_assert_eq!(counts(&events.events()), (first..=total).collect::<Vec<_>>());
        let (mut warned, mut listed) = (reported(&events), outcome.failures);
        warned.sort();
        listed.sort_by(|a, b| a.case.cmp(&b.case));
        prop_assert_eq!(warned, listed.into_iter().map(|f| f.case).collect::<Vec<_>>());
        let mut started = started.into_inner().unwrap();
        if workers > 1 {
            started.sort_by_key(|case| case[5..].parse::<usize>().unwrap());
        }
        prop_assert_eq!(started, (0..plan.len()).map(name).collect::<Vec<_>>());
    }
}

#[test]
fn a_failure_is_reported_at_once_and_listed_in_the_order_of_the_jobs() {
    let (events, context) = recorded(2);
    // The first case waits until the failure of the second is reported.
    let outcome = CaseLoop::new(&context)
        .unwrap()
        .run(&numbered(2), progress(0, 2), |job| -> Result<(), _> {
            while job.input == 0 && reported(&events).is_empty() {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(Error::Empty)
        })
        .unwrap();
    assert_eq!(reported(&events), ["case_1", "case_0"]);
    let listed: Vec<_> = outcome.failures.iter().map(|f| f.case.as_str()).collect();
    assert_eq!(listed, ["case_0", "case_1"]);
}

#[test]
fn a_full_disk_stops_the_loop() {
    let (events, context) = recorded(1);
    let seen = AtomicUsize::new(0);
    let cases = CaseLoop::new(&context).unwrap();
    let result = cases.run(&numbered(9), progress(0, 9), |job| {
        seen.fetch_add(1, Ordering::SeqCst);
        match job.input {
            3 => Err(Error::Full),
            index => Ok(index),
        }
    });
    assert!(matches!(result, Err(Error::Full)), "{result:?}");
    assert_eq!(seen.into_inner(), 4);
    assert!(reported(&events).is_empty());
}

#[test]
fn cancellation_stops_between_cases_and_fails_none() {
    let (events, context) = recorded(1);
    let seen = AtomicUsize::new(0);
    let cases = CaseLoop::new(&context).unwrap();
    let result = cases.run(&numbered(5), progress(0, 5), |job| {
        seen.fetch_add(1, Ordering::SeqCst);
        if job.input == 1 {
            context.cancel().cancel();
            // Like the error of an incompletely written file.
            return Err(Error::Empty);
        }
        Ok(())
    });
    assert!(matches!(result, Err(Error::Cancelled(_))), "{result:?}");
    assert_eq!(seen.into_inner(), 2);
    assert!(reported(&events).is_empty());
}

#[test]
fn cancellation_ends_the_wait_for_memory() {
    let context = Context::silent(2);
    let cases = CaseLoop::new(&context).unwrap().with_memory_budget(Some(10));
    let seen = AtomicUsize::new(0);
    let result = cases.run(&jobs([(10, ()), (10, ())]), progress(0, 2), |_| {
        seen.fetch_add(1, Ordering::SeqCst);
        // Meanwhile the other case waits for the whole budget.
        std::thread::sleep(Duration::from_millis(20));
        context.cancel().cancel();
        Ok::<_, Error>(())
    });
    assert!(matches!(result, Err(Error::Cancelled(_))));
    assert_eq!(seen.into_inner(), 1);
}

#[test]
fn cases_run_side_by_side_in_one_pool() {
    let context = Context::silent(3);
    // Each case ends only after all three have started.
    let all = Barrier::new(3);
    let outcome = CaseLoop::new(&context)
        .unwrap()
        .run(&numbered(3), progress(0, 3), |_| {
            all.wait();
            Ok::<_, Error>(rayon::current_num_threads())
        })
        .unwrap();
    assert_eq!(outcome.results, [Some(3); 3]);
}

#[test]
fn a_case_beyond_the_budget_runs_alone_with_a_warning() {
    let (events, context) = recorded(4);
    let cases = CaseLoop::new(&context).unwrap().with_memory_budget(Some(8));
    let running = AtomicUsize::new(0);
    let outcome = cases
        .run(
            &jobs([(3, false), (9, true), (3, false)]),
            progress(0, 3),
            |job| {
                let beside = running.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(5));
                running.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, Error>(!job.input || beside == 0)
            },
        )
        .unwrap();
    assert_eq!(outcome.results, [Some(true); 3]);
    assert_eq!(events.warnings(), ["WARN_MEMORY_BUDGET"]);
}

#[test]
fn a_pipeline_keeps_the_order_and_the_failures_of_every_stage() {
    let (events, context) = recorded(2);
    let here = std::thread::current().id();
    let mut order = vec![];
    let fail = |when: bool, index: usize| if when { Err(Error::Empty) } else { Ok(index) };
    let outcome = CaseLoop::new(&context)
        .unwrap()
        .pipeline(
            &numbered(7),
            |job| fail(job.input == 1, job.input),
            |job, index, share| {
                assert_eq!((std::thread::current().id(), job.input), (here, index));
                order.push(index);
                share.report(1, 2);
                assert_ne!(index, 6, "a bug");
                fail(index == 2, index)
            },
            |_, index| fail(index == 4, index),
        )
        .unwrap();
    let expected = [Some(0), None, None, Some(3), None, Some(5), None];
    assert_eq!(outcome.results, expected);
    let failed: Vec<_> = outcome
        .failures
        .iter()
        .map(|f| (f.case.clone(), f.code.as_str()))
        .collect();
    let empty = Code::EmptyImage;
    let expected = [(1, empty), (2, empty), (4, empty), (6, Code::Internal)];
    assert_eq!(failed, expected.map(|(index, code)| (name(index), code.as_str())));
    assert_eq!(reported(&events).len(), 4);
    assert_eq!(order, [0, 2, 3, 4, 5, 6]);
    let half = |event: &Event| {
        matches!(event, Event::Progress { done: 350, total: 700, unit: "% of a case", case: Some(case) }
            if case == "case_3")
    };
    assert!(events.events().iter().any(half));
}

/// Counts the cases in memory, from preparation to drop.
struct InMemory<'a>(&'a AtomicUsize);

impl<'a> InMemory<'a> {
    fn new(count: &'a AtomicUsize, most: &AtomicUsize) -> Self {
        most.fetch_max(count.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for InMemory<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn a_pipeline_overlaps_its_stages_and_holds_at_most_three_cases() {
    let context = Context::silent(4);
    let (count, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // Case 2 is prepared while case 1 is in `work` and case 0 is in `finish`.
    let all = Barrier::new(3);
    let meet = |index: usize, at: usize| {
        if index == at {
            all.wait();
        }
    };
    CaseLoop::new(&context)
        .unwrap()
        .pipeline(
            &numbered(9),
            |job| {
                let case = InMemory::new(&count, &most);
                meet(job.input, 2);
                Ok::<_, Error>(case)
            },
            |job, case, _| {
                meet(job.input, 1);
                Ok(case)
            },
            |job, case| {
                meet(job.input, 0);
                std::thread::sleep(Duration::from_millis(2));
                drop(case);
                Ok(())
            },
        )
        .unwrap();
    assert_eq!((count.into_inner(), most.into_inner()), (0, 3));
}

#[test]
fn a_pipeline_starts_no_case_after_cancellation_or_a_full_disk() {
    for full in [false, true] {
        let context = Context::silent(2);
        let (prepared, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let result = CaseLoop::new(&context).unwrap().pipeline(
            &numbered(9),
            |job| {
                prepared.fetch_add(1, Ordering::SeqCst);
                Ok(job.input)
            },
            |_, index, _| match index {
                2 if full => Err(Error::Full),
                2 => {
                    context.cancel().cancel();
                    Err(Cancelled.into())
                }
                _ => Ok(index),
            },
            |_, _| {
                finished.fetch_add(1, Ordering::SeqCst);
                Ok(())
            },
        );
        let expected = if full { "ERR_DISK_FULL" } else { "ERR_CANCELLED" };
        assert_eq!(run::Coded::code(&result.unwrap_err()), expected);
        assert!(prepared.into_inner() <= 4 && finished.into_inner() <= 2);
    }
}
