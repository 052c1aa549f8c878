//! A run that starts anew where a former one left checkpoints.

use run::{CheckpointKind, Event};

use super::{run_until, Task};
use crate::checkpoint::Checkpoint;

#[test]
fn a_run_killed_early_is_not_continued_as_the_former_one() {
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
    // From here on even `kill -9` leaves a checkpoint of this run, which goes before the former one's.
    let claimed = place(|e| {
        let latest = CheckpointKind::Latest;
        matches!(e, Event::Checkpoint { kind, .. } if *kind == latest)
    });
    assert!(claimed.unwrap() < place(|e| matches!(e, Event::Iteration { .. })).unwrap());

    options.resume = true;
    let second = run_until(&options, None).0.unwrap();
    let [a, b] = [first, second].map(|s| Checkpoint::read(&s.checkpoint));
    // One file: what is there now is the second run's.
    assert_eq!(a.unwrap().position.unwrap().seed, 8);
    assert_eq!(b.unwrap().epochs, 3);
}
