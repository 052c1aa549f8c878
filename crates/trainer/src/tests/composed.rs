//! Runs whose iterations are read late, as on a GPU.

use super::*;

fn iterations(events: &[Event]) -> Vec<(u64, u64, f64)> {
    let one = |event: &Event| match event {
        Event::Iteration {
            epoch,
            iteration,
            loss,
            ..
        } => Some((*epoch, *iteration, *loss)),
        _ => None,
    };
    events.iter().filter_map(one).collect()
}

#[test]
fn a_run_of_composed_kernels_reports_every_iteration_of_the_fused_one() {
    let task = Task::new();
    for trainer in [
        "nnUNetTrainerV2",
        "nnUNetTrainerV2Sparse",
        "nnUNetTrainerV2Weighted",
    ] {
        let mut options = task.options(trainer, "fused");
        options.initial_lr = 1e-3;
        let (fused, expected) = run_with(Kernels::Fused, &options, None);
        options.data.folders.results = Some(task.path("composed"));
        let (composed, found) = run_with(Kernels::Composed, &options, None);
        let (expected, found) = (iterations(&expected), iterations(&found));
        assert_eq!(found.len(), 12);
        for (expected, found) in expected.iter().zip(&found) {
            assert_eq!((found.0, found.1), (expected.0, expected.1));
            assert!(
                (found.2 - expected.2).abs() < 1e-3,
                "{trainer}: {found:?} {expected:?}"
            );
        }
        let (fused, composed) = (fused.unwrap(), composed.unwrap());
        let means = (fused.train_loss.unwrap(), composed.train_loss.unwrap());
        assert!((means.0 - means.1).abs() < 1e-3, "{trainer}: {means:?}");
    }
}

#[test]
fn a_resumed_run_of_composed_kernels_ends_with_the_same_bits() {
    let task = Task::new();
    let whole = run_with(
        Kernels::Composed,
        &task.options("nnUNetTrainerV2Sparse", "whole"),
        None,
    );
    let mut options = task.options("nnUNetTrainerV2Sparse", "parts");
    for stop in [(0, 1), (1, 3)] {
        let (result, _) = run_with(Kernels::Composed, &options, Some(stop));
        assert_eq!(result.unwrap_err().code(), "ERR_CANCELLED");
        options.resume = true;
    }
    let parts = run_with(Kernels::Composed, &options, None);
    let [a, b] = [whole.0, parts.0].map(|s| Checkpoint::read(&s.unwrap().checkpoint).unwrap());
    assert_eq!(a, b);
}

#[test]
fn a_loss_that_is_not_finite_stops_a_run_of_composed_kernels_at_its_iteration() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    let mut recipe = Recipe::default();
    recipe.loss.cross_entropy = 1e39;
    options.data.recipe = Some(recipe);
    let error = run_with(Kernels::Composed, &options, None).0.unwrap_err();
    let stopped = matches!(
        error,
        Error::Diverged {
            quantity: "loss",
            epoch: 0,
            iteration: 0,
            ..
        }
    );
    assert!(stopped && error.to_string().contains("ball_"), "{error}");
}
