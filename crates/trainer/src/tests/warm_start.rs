//! Initial weights from another model.

use engine::checkpoint::Checkpoint;

use super::*;

#[test]
fn layers_that_match_are_taken_and_others_named() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "first");
    options.validate = false;
    let first = run_until(&options, None).0.unwrap();
    let weights = Checkpoint::read(&first.checkpoint).unwrap();
    // A rate at which nothing changes shows the initial weights.
    options.data.seed = 99;
    (options.epochs, options.initial_lr) = (1, f64::MIN_POSITIVE);
    for (run, from) in [
        ("file", first.checkpoint.clone()),
        ("fold", first.folder.clone()),
        ("model", first.folder.parent().unwrap().to_owned()),
    ] {
        options.data.folders.results = Some(task.path(run));
        options.pretrained = Some(from);
        let (second, events) = run_until(&options, None);
        assert_eq!(
            Checkpoint::read(&second.unwrap().checkpoint).unwrap().state,
            weights.state,
            "{run}"
        );
        assert!(!events.iter().any(|e| matches!(e, Event::Warning { .. })));
    }

    // A model for other classes: its heads have other shapes.
    let mut other = weights.clone();
    for (_, values) in other
        .state
        .iter_mut()
        .filter(|(name, _)| name.starts_with("seg_outputs"))
    {
        let mut shape = values.shape().to_vec();
        shape[0] = 5;
        *values = ndarray::ArrayD::zeros(shape);
    }
    let file = task.path("other.model");
    other.write(&file).unwrap();
    options.pretrained = Some(file.clone());
    options.data.folders.results = Some(task.path("other"));
    let (third, events) = run_until(&options, None);
    let found = Checkpoint::read(&third.unwrap().checkpoint).unwrap().state;
    for ((name, values), (_, expected)) in found.iter().zip(&weights.state) {
        assert_eq!(values == expected, !name.starts_with("seg_outputs"), "{name}");
    }
    let named = events.iter().any(|event| {
        matches!(event, Event::Warning { code: "WARN_PRETRAINED", message, .. } if message.contains("seg_outputs.0.weight"))
    });
    assert!(named);

    for (_, values) in &mut other.state {
        *values = ndarray::ArrayD::zeros(vec![1]);
    }
    other.write(&file).unwrap();
    options.data.folders.results = Some(task.path("nothing"));
    assert_eq!(run_until(&options, None).0.unwrap_err().code(), "ERR_PRETRAINED");
    assert!(!task.path("nothing").exists());
    options.pretrained = Some(task.path("missing"));
    assert_eq!(run_until(&options, None).0.unwrap_err().code(), "ERR_NOT_FOUND");
}

#[test]
fn a_frozen_encoder_does_not_change() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "first");
    options.validate = false;
    let first = run_until(&options, None).0.unwrap();
    let before = Checkpoint::read(&first.checkpoint).unwrap().state;
    options.pretrained = Some(first.checkpoint);
    options.freeze_encoder = true;
    for kernels in [Kernels::Fused, Kernels::Composed] {
        let whole = run_with(
            kernels,
            &with_results(&task, &options, &format!("whole {kernels:?}")),
            None,
        );
        let mut parts = with_results(&task, &options, &format!("parts {kernels:?}"));
        assert_eq!(
            run_with(kernels, &parts, Some((0, 1))).0.unwrap_err().code(),
            "ERR_CANCELLED"
        );
        parts.resume = true;
        let parts = run_with(kernels, &parts, None);
        let [whole, parts] = [whole, parts].map(|run| Checkpoint::read(&run.0.unwrap().checkpoint).unwrap());
        assert_eq!(whole, parts, "{kernels:?}");
        for ((name, values), (_, expected)) in whole.state.iter().zip(&before) {
            // Without a gradient, neither momentum nor decay.
            let frozen = name.starts_with("conv_blocks_context.");
            assert!(values == expected || !frozen, "{kernels:?}: {name}");
            let decodes = name.starts_with("conv_blocks_localization.") && name.ends_with("weight");
            assert!(values != expected || !decodes, "{kernels:?}: {name}");
        }
    }
    options.pretrained = None;
    assert_eq!(run_until(&options, None).0.unwrap_err().code(), "ERR_OPTIONS");
}

fn with_results(task: &Task, options: &TrainOptions, name: &str) -> TrainOptions {
    let mut options = options.clone();
    options.data.folders.results = Some(task.path(name));
    options
}
