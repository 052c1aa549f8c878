//! A new run in a fold with checkpoints of a previous run.

use run::{CheckpointKind, Event};

use super::{run_until, Task};
use engine::checkpoint::Checkpoint;

#[test]
fn a_new_run_replaces_the_checkpoints_of_the_previous_one() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    let first = run_until(&options, None).0.unwrap();
    options.data.seed = 8;
    let (_, events) = run_until(&options, Some((0, 0)));
    let place = |test: fn(&Event) -> bool| events.iter().position(test);
    assert!(place(|e| matches!(
        e,
        Event::Warning {
            code: "WARN_FORMER_RUN",
            ..
        }
    ))
    .is_some());
    // From here on even `kill -9` leaves a checkpoint of this run, which has precedence over the previous
    // run's.
    let claimed = place(|e| {
        let latest = CheckpointKind::Latest;
        matches!(e, Event::Checkpoint { kind, .. } if *kind == latest)
    });
    assert!(claimed.unwrap() < place(|e| matches!(e, Event::Iteration { .. })).unwrap());

    options.resume = true;
    let second = run_until(&options, None).0.unwrap();
    let [a, b] = [first, second].map(|s| Checkpoint::read(&s.checkpoint));
    // `model_latest` exists once, written by the second run.
    assert_eq!(a.unwrap().position.unwrap().seed, 8);
    assert_eq!(b.unwrap().epochs, 3);
}
