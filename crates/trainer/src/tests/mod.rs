//! Whole runs on a small task.

mod composed;
mod pictures;
mod preview_batches;
mod ranks;
mod start;
mod validation;
mod warm_start;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use dataset::results::PROGRESS_FILE;
use dataset::{Configuration, Fold, Plans};
use recipe::DataOptions;
use run::{Cancel, Coded, Event, Sink};
use testkit::BallTask;

use super::*;
use crate::Error;
use engine::checkpoint::{Checkpoint, Info};
use engine::Kernels;
use recipe::Recipe;
use settings::{ClassWeights, Precision};

/// Threads of every training. libtorch has one number for the whole process, on which the last digits depend.
const THREADS: usize = 1;

/// A preprocessed task with weightmaps, and a folder for results.
pub(crate) struct Task(BallTask);

impl Task {
    pub(crate) fn new() -> Self {
        let task = BallTask::new([8, 12, 12]);
        task.write_weightmaps();
        Self(task)
    }

    /// A folder for this test only.
    fn path(&self, name: &str) -> PathBuf {
        self.0.folder.path().join(name)
    }

    pub(crate) fn options(&self, trainer: &str, results: &str) -> TrainOptions {
        let mut data = DataOptions::new("Task901_Ball", Configuration::FullRes);
        data.fold = Fold::Index(0);
        let mut options = TrainOptions::new(data);
        options.data.folders.preprocessed = Some(self.0.preprocessed.clone());
        options.data.folders.results = Some(self.path(results));
        options.data.trainer = trainer.parse().unwrap();
        options.epochs = 3;
        options.iterations = 4;
        options.validation_iterations = 2;
        options.data.seed = 7;
        options.save_every = 2;
        options.compute.device = "cpu".to_owned();
        options.compute.precision = Precision::Float32;
        options
    }
}

/// Records events and cancels at a given training iteration, counted over the run.
#[derive(Default)]
struct Watch {
    events: Mutex<Vec<Event>>,
    stop: Option<(u64, u64, Cancel)>,
}

impl Sink for Watch {
    fn emit(&self, event: Event) {
        if let (Event::Iteration { epoch, iteration, .. }, Some((e, i, cancel))) = (&event, &self.stop) {
            if (epoch, iteration) == (e, i) {
                cancel.cancel();
            }
        }
        self.events.lock().unwrap().push(event);
    }
}

fn run_until(options: &TrainOptions, stop: Option<(u64, u64)>) -> (Result<TrainSummary>, Vec<Event>) {
    run_with(Kernels::Fused, options, stop)
}

/// Runs with the kernels of another device.
fn run_with(
    kernels: Kernels,
    options: &TrainOptions,
    stop: Option<(u64, u64)>,
) -> (Result<TrainSummary>, Vec<Event>) {
    let cancel = Cancel::new();
    let stop = stop.map(|(epoch, iteration)| (epoch, iteration, cancel.clone()));
    let watch = Arc::new(Watch {
        stop,
        ..Watch::default()
    });
    let context = Context::new(watch.clone(), cancel, THREADS);
    let result = match kernels {
        Kernels::Fused => train(options, &context),
        Kernels::Composed => Setup::new(options, Instant::now(), &context).and_then(|mut setup| {
            setup.compute.kernels = kernels;
            train_fold(options, &setup, &Ranks::alone(), &context)
        }),
    };
    let events = std::mem::take(&mut *watch.events.lock().unwrap());
    (result, events)
}

#[test]
fn a_run_writes_nnunet_s_files() {
    let task = Task::new();
    let options = task.options("nnUNetTrainerV2", "results");
    let (summary, events) = run_until(&options, None);
    let summary = summary.unwrap();
    let expected = "results/nnUNet/3d_fullres/Task901_Ball/nnUNetTrainerV2__nnUNetPlansv2.1/fold_0";
    assert_eq!(summary.folder, task.path(expected));
    assert_eq!((summary.epochs, summary.dice.len()), (3, 1));
    assert!(summary.train_loss.is_some() && summary.validation_loss.is_some());
    assert_eq!(
        (summary.device.as_str(), summary.precision.as_str()),
        ("cpu", "float32")
    );
    for file in [
        "model_final_checkpoint.model",
        "model_final_checkpoint.model.pkl",
        "debug.json",
        PROGRESS_FILE,
    ] {
        assert!(summary.folder.join(file).is_file(), "{file}");
    }
    assert!(
        !summary.folder.join("model_latest.model").exists(),
        "the final checkpoint replaces it"
    );
    assert!(summary.folder.join("../plans.pkl").is_file());
    let checkpoint = Checkpoint::read(&summary.checkpoint).unwrap();
    assert_eq!((checkpoint.epochs, checkpoint.curves.train_loss.len()), (3, 3));
    let momenta = &checkpoint.optimizer.as_ref().unwrap().momenta;
    let unused: Vec<&str> = checkpoint
        .state
        .iter()
        .zip(momenta)
        .filter(|(_, m)| m.is_none())
        .map(|((n, _), _)| n.as_str())
        .collect();
    assert_eq!(unused, ["seg_outputs.0.weight"], "the coarsest head has no loss");
    let info = Info::read(&summary.checkpoint.with_extension("model.pkl")).unwrap();
    assert_eq!(info.name, "nnUNetTrainerV2");
    assert_eq!(info.init.as_items().unwrap().len(), 9);
    assert_eq!(Plans::from_value(&info.plans).unwrap().num_classes, 1);

    let count = |test: fn(&Event) -> bool| events.iter().filter(|e| test(e)).count();
    assert_eq!(count(|e| matches!(e, Event::Iteration { .. })), 12);
    assert_eq!(count(|e| matches!(e, Event::Epoch(_))), 3);
    assert!(
        matches!(&events.iter().find(|e| matches!(e, Event::Started { .. })), Some(Event::Started { settings, .. })
        if settings["precision"] == "float32" && settings["batchSize"].is_u64())
    );
    let kinds: Vec<run::CheckpointKind> = events
        .iter()
        .filter_map(|e| {
            if let Event::Checkpoint { kind, .. } = e {
                Some(*kind)
            } else {
                None
            }
        })
        .collect();
    assert!(
        kinds.contains(&run::CheckpointKind::Latest) && kinds.ends_with(&[run::CheckpointKind::Final]),
        "{kinds:?}"
    );
}

#[test]
fn a_resumed_run_ends_with_the_same_bits() {
    let task = Task::new();
    for (trainer, stops) in [
        ("nnUNetTrainerV2", vec![(0, 1), (1, 3)]),
        ("nnUNetTrainerV2Sparse", vec![(1, 2)]),
        ("nnUNetTrainerV2Weighted", vec![(2, 0)]),
    ] {
        let whole = run_until(&task.options(trainer, "whole"), None).0.unwrap();
        let mut options = task.options(trainer, "parts");
        for (epoch, iteration) in stops {
            let (result, events) = run_until(&options, Some((epoch, iteration)));
            assert_eq!(result.unwrap_err().code(), "ERR_CANCELLED");
            let written = |e: &Event| {
                matches!(
                    e,
                    Event::Checkpoint {
                        kind: run::CheckpointKind::Latest,
                        ..
                    }
                )
            };
            assert!(
                events.iter().any(written),
                "{trainer}: model_latest is written on cancellation"
            );
            options.resume = true;
        }
        // The number of loader threads does not matter.
        options.loader_threads = 1;
        let parts = run_until(&options, None).0.unwrap();
        let [a, b] = [&whole, &parts].map(|s| Checkpoint::read(&s.checkpoint).unwrap());
        assert_eq!(a, b, "{trainer}");
        assert_eq!(
            (whole.train_loss, &whole.dice),
            (parts.train_loss, &parts.dice),
            "{trainer}"
        );
        let lines = |s: &TrainSummary| {
            std::fs::read_to_string(s.folder.join(PROGRESS_FILE))
                .unwrap()
                .lines()
                .count()
        };
        assert_eq!((lines(&whole), lines(&parts)), (3, 3));
    }
}

#[test]
fn a_finished_run_is_not_retrained() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    let first = run_until(&options, None).0.unwrap();
    let before = Checkpoint::read(&first.checkpoint).unwrap();
    options.resume = true;
    let (again, events) = run_until(&options, None);
    assert_eq!(again.unwrap().dice, first.dice);
    assert!(!events.iter().any(|e| matches!(e, Event::Iteration { .. })));
    assert_eq!(Checkpoint::read(&first.checkpoint).unwrap(), before);
    options.data.seed = 8;
    options.epochs = 4;
    let (longer, events) = run_until(&options, None);
    assert_eq!(longer.unwrap().epochs, 4);
    assert!(events.iter().any(|e| matches!(
        e,
        Event::Warning {
            code: "WARN_RESUME_CHANGED",
            ..
        }
    )));
}

#[test]
fn the_loss_falls() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    (options.epochs, options.iterations) = (2, 30);
    let (summary, events) = run_until(&options, None);
    let losses: Vec<f64> = events
        .iter()
        .filter_map(|e| {
            if let Event::Epoch(r) = e {
                r.train_loss
            } else {
                None
            }
        })
        .collect();
    assert!(losses[1] < losses[0] - 0.1, "{losses:?}");
    assert!(summary.unwrap().dice[0].unwrap() > 0.3);
}

#[test]
fn invalid_options_and_data_are_reported() {
    let task = Task::new();
    let good = task.options("nnUNetTrainerV2", "results");
    let code = |change: fn(&mut TrainOptions)| {
        let mut options = good.clone();
        change(&mut options);
        run_until(&options, None).0.unwrap_err().code()
    };
    assert_eq!(code(|o| o.data.patch_size = Some(vec![8, 12, 13])), "ERR_NETWORK");
    assert_eq!(code(|o| o.data.patch_size = Some(vec![4, 4, 4])), "ERR_NETWORK");
    assert_eq!(code(|o| o.initial_lr = f64::NAN), "ERR_OPTIONS");
    assert_eq!(code(|o| o.epochs = 0), "ERR_OPTIONS");
    assert_eq!(
        code(|o| o.class_weights = Some(ClassWeights::Values(vec![1.0; 5]))),
        "ERR_OPTIONS"
    );
    // Labels that are not in the plans.
    let path = task.0.stage.join("ball_000.npz");
    for case in 0..BallTask::CASES {
        let mut data =
            volume::npz::read::<f32>(&path.with_file_name(format!("ball_{case:03}.npz")), "data").unwrap();
        data.index_axis_mut(ndarray::Axis(0), 1).fill(5.0);
        let path = path.with_file_name(format!("ball_{case:03}.npz"));
        volume::npz::write(&path, &[("data", data.view())], volume::npz::Compression::Fast).unwrap();
        let _ = std::fs::remove_file(path.with_extension("npy"));
    }
    let error = run_until(&good, None).0.unwrap_err();
    assert!(
        matches!(error, Error::Loader(loader::Error::Label { .. })) && error.to_string().contains("ball_"),
        "{error}"
    );
}

#[test]
fn automatic_class_weights_are_those_of_the_training_cases() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainer_V2_Loss_CEandDice_Weighted", "auto");
    (options.epochs, options.validate) = (1, false);
    options.class_weights = Some(ClassWeights::Auto);
    let context = Context::silent(1);
    let setup = Setup::new(&options, Instant::now(), &context).unwrap();
    let weights = setup.data.balanced_class_weights(&context).unwrap();
    assert!(
        weights[0] < 1.0 && weights.iter().any(|&weight| weight >= 1.0),
        "{weights:?}"
    );
    let auto = run_until(&options, None).0.unwrap();
    let written = std::fs::read_to_string(auto.folder.join("debug.json")).unwrap();
    let written: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written["class_weights"], serde_json::json!(weights).to_string());
    assert_eq!(written["nnunet_diag_version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(written["torch_version"], engine::LIBTORCH_VERSION);
    let state = |summary: TrainSummary| Checkpoint::read(&summary.checkpoint).unwrap().state;
    let mut run = |weights: Vec<f64>, name: &str| {
        options.class_weights = Some(ClassWeights::Values(weights));
        options.data.folders.results = Some(task.path(name));
        state(run_until(&options, None).0.unwrap())
    };
    let ones = run(vec![1.0; weights.len()], "ones");
    let given = run(weights, "given");
    assert_eq!(state(auto), given);
    assert_ne!(given, ones);
}

#[test]
fn classes_that_a_case_is_not_annotated_for_do_not_count() {
    let task = Task::new();
    let file = task.path("present.json");
    let run = |present: Option<&str>, kernels: Kernels, name: &str| {
        let mut options = task.options("nnUNetTrainerV2", name);
        options.validate = false;
        options.data.present_labels = present.map(|text| {
            std::fs::write(&file, text).unwrap();
            file.clone()
        });
        let summary = run_with(kernels, &options, None).0?;
        assert!(summary.train_loss.unwrap().is_finite());
        Ok::<_, Error>(Checkpoint::read(&summary.checkpoint).unwrap().state)
    };
    for kernels in [Kernels::Fused, Kernels::Composed] {
        let name = |what: &str| format!("{what} {kernels:?}");
        let plain = run(None, kernels, &name("plain")).unwrap();
        let all = run(Some(r#"{"ball_000":[0,1]}"#), kernels, &name("all")).unwrap();
        assert_eq!(plain, all, "{kernels:?}");
        // The records of this task's cases have no labels to check, so the ball may be left out.
        let none = run(Some(r#"{"ball_000":[],"ball_001":[]}"#), kernels, &name("none")).unwrap();
        assert_ne!(plain, none, "{kernels:?}");
    }
    let error = run(Some(r#"{"ball_000":[7]}"#), Kernels::Fused, "wrong").unwrap_err();
    assert_eq!(error.code(), "ERR_OPTIONS");
}

#[test]
fn a_non_finite_loss_stops_the_run() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    let mut recipe = Recipe::default();
    recipe.loss.cross_entropy = 1e39;
    options.data.recipe = Some(recipe);
    let error = run_until(&options, None).0.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Diverged {
                quantity: "loss",
                epoch: 0,
                iteration: 0,
                ..
            }
        ),
        "{error}"
    );
    let text = error.to_string();
    assert!(text.contains("ball_") && text.contains("--initial-lr"), "{text}");
    assert!(
        text.contains("model_latest.model"),
        "the untrained network is whole: {text}"
    );
}

#[test]
fn a_non_finite_image_is_named_and_the_trained_network_saved() {
    let task = Task::new();
    let options = task.options("nnUNetTrainerV2", "results");
    let damaged = task.0.stage.join("ball_000.npz");
    let mut data = volume::npz::read::<f32>(&damaged, "data").unwrap();
    data.index_axis_mut(ndarray::Axis(0), 0).fill(f32::INFINITY);
    volume::npz::write(&damaged, &[("data", data.view())], volume::npz::Compression::Fast).unwrap();
    let error = run_until(&options, None).0.unwrap_err();
    assert_eq!(error.code(), "ERR_DIVERGED");
    let text = error.to_string();
    assert!(
        text.contains("image or weightmap of ball_000 has values that are not finite"),
        "{text}"
    );
    let Error::Diverged { kept, .. } = error else {
        panic!("{text}")
    };
    let saved = Checkpoint::read(std::path::Path::new(&kept)).unwrap();
    assert!(saved
        .state
        .iter()
        .all(|(_, values)| values.iter().all(|v| v.is_finite())));
}

#[test]
fn steps_with_non_finite_gradients_are_skipped_until_too_many() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    (options.epochs, options.iterations) = (2, 4);
    let untrained = TrainOptions {
        initial_lr: f64::MIN_POSITIVE,
        ..options.clone()
    };
    let expected = run_until(&untrained, None).0.unwrap();
    let mut recipe = Recipe::default();
    recipe.loss.cross_entropy = 1e30;
    options.data.recipe = Some(recipe);
    options.data.folders.results = Some(task.path("overflowed"));
    let (found, events) = run_until(&options, None);
    let state = |summary: TrainSummary| Checkpoint::read(&summary.checkpoint).unwrap().state;
    assert_eq!(state(found.unwrap()), state(expected));
    let warnings: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            Event::Warning { code, message, .. } if *code == "WARN_GRADIENT_OVERFLOW" => {
                Some(message.as_str())
            }
            _ => None,
        })
        .collect();
    assert!(
        warnings.len() == 1 && warnings[0].contains("4 of 4"),
        "{warnings:?}"
    );

    options.iterations = 200;
    options.data.folders.results = Some(task.path("diverged"));
    let error = run_until(&options, None).0.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Diverged {
                quantity: "norm of the gradients",
                iteration: 99,
                ..
            }
        ),
        "{error}"
    );
}
