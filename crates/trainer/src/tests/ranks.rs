//! Several ranks, as threads of this process.

use engine::MeetingPoint;

use super::*;
use crate::ranks::Place;

/// The places of this many ranks.
fn places(size: usize) -> Vec<Place> {
    let port = testkit::free_port();
    let place = |rank| Place {
        rank,
        size,
        local_rank: rank,
        local_size: size,
        point: MeetingPoint {
            host: "127.0.0.1".to_owned(),
            port,
            prefix: "test".to_owned(),
        },
        serves: rank == 0,
        by_agent: false,
    };
    (0..size).map(place).collect()
}

/// Trains with an options value for each rank. When the first rank reports iteration `stop` of an epoch, the last rank is
/// cancelled. Returns the results of all ranks and the events of the first.
fn run_ranks(options: &[TrainOptions], stop: Option<(u64, u64)>) -> (Vec<Result<TrainSummary>>, Vec<Event>) {
    let cancels: Vec<_> = options.iter().map(|_| Cancel::new()).collect();
    let last = cancels.last().unwrap();
    let watch = Arc::new(Watch {
        stop: stop.map(|(epoch, iteration)| (epoch, iteration, last.clone())),
        ..Watch::default()
    });
    let results = std::thread::scope(|scope| {
        let threads: Vec<_> = places(options.len())
            .into_iter()
            .zip(options)
            .zip(&cancels)
            .map(|((place, options), cancel)| {
                let context = Context::new(watch.clone(), cancel.clone(), place.size * THREADS);
                scope.spawn(move || train_rank(&place, options, &context))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let events = std::mem::take(&mut *watch.events.lock().unwrap());
    (results, events)
}

fn losses(events: &[Event]) -> Vec<f64> {
    let one = |event: &Event| match event {
        Event::Iteration { loss, .. } => Some(*loss),
        _ => None,
    };
    events.iter().filter_map(one).collect()
}

fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (step, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() < 1e-5,
            "{what} step {step}: {found} {expected}"
        );
    }
}

/// Batches of four, and twenty iterations in five epochs.
fn twenty_steps(task: &Task, trainer: &str, results: &str) -> TrainOptions {
    let mut options = task.options(trainer, results);
    options.data.batch_size = Some(4);
    options.epochs = 5;
    options.initial_lr = 2e-4;
    options.rank_timeout = Some("60s".to_owned());
    options
}

#[test]
fn ranks_equal_one_rank_with_the_same_batch() {
    let task = Task::new();
    for (trainer, sizes) in [
        ("nnUNetTrainerV2", &[2, 3, 4][..]),
        ("nnUNetTrainerV2Sparse", &[2, 4]),
        ("nnUNetTrainerV2Weighted", &[3]),
    ] {
        let options = twenty_steps(&task, trainer, "one");
        let (one, events) = run_until(&options, None);
        let (one, expected) = (one.unwrap(), losses(&events));
        assert_eq!(expected.len(), 20);
        for &size in sizes {
            let run = |name: &str| {
                let options = twenty_steps(&task, trainer, &format!("{name}{size}"));
                let (results, events) = run_ranks(&vec![options; size], None);
                let results: Vec<_> = results.into_iter().map(Result::unwrap).collect();
                (results, losses(&events), events)
            };
            let what = format!("{trainer}, {size} ranks");
            let (results, found, events) = run("a");
            assert_close(&found, &expected, &what);
            for summary in &results {
                assert_eq!(summary.epochs, 5);
                assert_eq!(summary.train_loss, results[0].train_loss, "{what}");
                for (found, expected) in summary.dice.iter().zip(&one.dice) {
                    assert_eq!(found.is_some(), expected.is_some(), "{what}");
                    let difference = found.unwrap_or_default() - expected.unwrap_or_default();
                    assert!(difference.abs() < 1e-3, "{what}: {difference}");
                }
            }
            let report = results[0].validation.as_ref().unwrap();
            let expected = one.validation.as_ref().unwrap();
            assert!(report.failures.is_empty() && results[1].validation.is_none());
            assert_eq!(report.cases.len(), expected.cases.len(), "{what}");
            let debug = std::fs::read_to_string(results[0].folder.join("debug.json")).unwrap();
            assert!(debug.contains(&format!("\"world_size\": \"{size}\"")), "{debug}");
            let started = events
                .iter()
                .filter(|event| matches!(event, Event::Started { .. }));
            assert_eq!(started.count(), 1, "events of one rank only");

            // With two ranks there is one order of a sum.
            if size != 3 {
                continue;
            }
            let (again, repeated, _) = run("b");
            assert_eq!(found, repeated, "{what}: another run differs");
            let states =
                [&results, &again].map(|results| Checkpoint::read(&results[0].checkpoint).unwrap().state);
            assert!(states[0] == states[1], "{what}: another run differs");
        }
    }
}

#[test]
fn one_cancelled_rank_stops_all_and_any_number_of_ranks_continues() {
    let task = Task::new();
    let whole = twenty_steps(&task, "nnUNetTrainerV2", "whole");
    let (_, events) = run_until(&whole, None);
    let expected = losses(&events);
    for (before, after) in [(2, 2), (2, 4), (4, 1)] {
        let name = format!("from{before}to{after}");
        let mut options = twenty_steps(&task, "nnUNetTrainerV2", &name);
        let (results, events) = run_ranks(&vec![options.clone(); before], Some((2, 1)));
        for result in results {
            assert!(matches!(result, Err(Error::Cancelled(_))), "{result:?}");
        }
        let mut found = losses(&events);
        options.resume = true;
        let (results, events) = match after {
            1 => {
                let (result, events) = run_until(&options, None);
                (vec![result], events)
            }
            _ => run_ranks(&vec![options; after], None),
        };
        found.extend(losses(&events));
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert_close(&found, &expected, &name);
        let warned = events.iter().any(|event| {
            matches!(event, Event::Warning { code: "WARN_RESUME_CHANGED", message, .. } if message.contains("ranks"))
        });
        assert_eq!(warned, before != after, "{name}");
    }
}

#[test]
fn a_continued_training_of_ranks_has_the_bits_of_an_uninterrupted_one() {
    let task = Task::new();
    let run = |name: &str, stop: Option<(u64, u64)>| {
        let mut options = twenty_steps(&task, "nnUNetTrainerV2Sparse", name);
        if stop.is_some() {
            run_ranks(&vec![options.clone(); 3], stop);
            options.resume = true;
        }
        let (results, _) = run_ranks(&vec![options; 3], None);
        let summary = results.into_iter().next().unwrap().unwrap();
        Checkpoint::read(&summary.checkpoint).unwrap().state
    };
    assert!(run("whole", None) == run("halves", Some((1, 2))));
}

#[test]
fn the_end_of_the_time_stops_all_ranks() {
    let task = Task::new();
    let mut options = twenty_steps(&task, "nnUNetTrainerV2", "limit");
    options.epochs = 1000;
    let mut all = vec![options; 2];
    // Only one rank's clock has run out.
    all[1].stop_after = Some("3s".to_owned());
    let (results, _) = run_ranks(&all, None);
    for result in results {
        assert!(matches!(result, Err(Error::TimeLimit { .. })), "{result:?}");
    }
    assert!(last_checkpoint_of(&task, "limit").is_file());
}

fn last_checkpoint_of(task: &Task, results: &str) -> PathBuf {
    let options = task.options("nnUNetTrainerV2", results);
    let setup = Setup::new(&options, Instant::now(), &Context::silent(1)).unwrap();
    crate::start::last_checkpoint(&setup.model.fold(Fold::Index(0))).unwrap()
}

#[test]
fn a_loss_that_is_not_finite_ends_all_ranks_and_names_the_cases_of_all() {
    let task = Task::new();
    let mut options = twenty_steps(&task, "nnUNetTrainerV2", "diverged");
    options.initial_lr = 1e30;
    let (results, _) = run_ranks(&vec![options; 2], None);
    for result in results {
        match result {
            Err(Error::Diverged { cases, .. }) => assert_eq!(cases.split(", ").count(), 4, "{cases}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn ranks_with_other_options_are_refused() {
    let task = Task::new();
    let options = twenty_steps(&task, "nnUNetTrainerV2", "other");
    let mut all = vec![options; 2];
    all[1].data.seed += 1;
    let (results, _) = run_ranks(&all, None);
    for result in results {
        assert!(
            matches!(result, Err(Error::RanksDiffer { rank: 1, .. })),
            "{result:?}"
        );
    }
}

#[test]
fn a_batch_smaller_than_the_ranks_is_refused() {
    let task = Task::new();
    let mut options = twenty_steps(&task, "nnUNetTrainerV2", "small");
    options.data.batch_size = Some(1);
    let (results, _) = run_ranks(&vec![options; 2], None);
    for result in results {
        let message = result.unwrap_err().to_string();
        assert!(message.contains("batchSize: expected at least 2"), "{message}");
    }
}

#[test]
fn the_failure_of_a_rank_is_the_error_of_the_others() {
    let task = Task::new();
    let options = twenty_steps(&task, "nnUNetTrainerV2", "failing");
    let mut all = vec![options; 2];
    all[1].pretrained = Some(task.path("no-such-model"));
    let started = Instant::now();
    let (results, _) = run_ranks(&all, None);
    let message = results[0].as_ref().unwrap_err().to_string();
    assert!(
        message.starts_with("rank 1 failed: ") && message.contains("no-such-model"),
        "{message}"
    );
    assert!(started.elapsed().as_secs() < 40);
}

#[test]
fn a_rank_that_vanishes_is_named() {
    let task = Task::new();
    let mut options = twenty_steps(&task, "nnUNetTrainerV2", "vanished");
    options.rank_timeout = Some("4s".to_owned());
    let places = places(2);
    let result = std::thread::scope(|scope| {
        let first = scope.spawn(|| train_rank(&places[0], &options, &Context::silent(2 * THREADS)));
        // It joins, and ends without a word.
        let second = Ranks::join(&places[1], &options, &Context::silent(2 * THREADS)).unwrap();
        second.wait_for(0);
        drop(second);
        first.join().unwrap()
    });
    let message = result.unwrap_err().to_string();
    assert!(message.starts_with("rank 1 failed: no sign of life"), "{message}");
}
