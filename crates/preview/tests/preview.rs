//! Previews of a small task whose one class is a bright ball.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;
use std::sync::Arc;

use loader::Phase;
use preview::{preview, Preview, PreviewOptions};
use run::{Cancel, Coded, Context, Event};
use serde_json::json;
use testkit::{BallTask, Recorder};

struct Task(BallTask);

impl Task {
    fn new() -> Self {
        Self(BallTask::new([8, 16, 16]))
    }

    fn options(&self, more: serde_json::Value) -> PreviewOptions {
        let mut options = json!({
            "task": "901", "configuration": "3d_fullres", "preprocessed": self.0.preprocessed,
        });
        let map = options.as_object_mut().unwrap();
        map.extend(more.as_object().unwrap().clone());
        serde_json::from_value(options).unwrap()
    }

    fn files(&self) -> Vec<PathBuf> {
        testkit::files_below(self.0.folder.path())
    }
}

fn show(options: &PreviewOptions) -> Preview {
    preview(options, &Context::silent(2)).unwrap()
}

fn refused(options: &PreviewOptions) -> (String, String) {
    let error = preview(options, &Context::silent(2)).unwrap_err();
    (error.code().to_owned(), error.to_string())
}

#[test]
fn batches_have_the_network_s_shapes_and_names() {
    let task = Task::new();
    let found = show(&task.options(json!({ "batches": 2, "epoch": 3, "iteration": 249 })));
    assert_eq!(
        (found.task.as_str(), &found.patch_size),
        ("Task901_Ball", &vec![8, 16, 16])
    );
    assert_eq!(
        (found.classes, found.modalities.len()),
        (vec!["ball".to_owned()], 1)
    );
    let places: Vec<_> = found.batches.iter().map(|b| (b.epoch, b.iteration)).collect();
    assert_eq!(places, [(3, 249), (3, 250)]);
    for batch in &found.batches {
        assert_eq!(batch.cases.len(), 2);
        assert_eq!(batch.data.shape, [2, 1, 8, 16, 16]);
        assert_eq!(batch.targets[0].shape, [2, 1, 8, 16, 16]);
        assert!(batch.targets.len() > 1 && batch.weights.is_none());
        for array in std::iter::once(&batch.data).chain(&batch.targets) {
            assert_eq!(array.values.len(), array.shape.iter().product::<usize>());
        }
    }
    assert_ne!(found.batches[0].data, found.batches[1].data);
    assert_eq!((found.spacing, found.augmented), (vec![1.2, 1.0, 1.0], true));
    let lps = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    assert_eq!(found.batches[1].directions, [Some(lps); 2]);
}

#[test]
fn batches_are_equal_for_any_threads_and_reading_mode() {
    let task = Task::new();
    let packed = task.options(json!({ "batches": 3, "seed": 5, "trainer": "nnUNetTrainerV2Sparse" }));
    let first = show(&packed);
    assert_eq!(preview(&packed, &Context::silent(1)).unwrap(), first);
    let unpacked = PreviewOptions {
        unpack: true,
        ..packed.clone()
    };
    assert_eq!(show(&unpacked), first);
    let later = PreviewOptions {
        iteration: 2,
        batches: 1,
        ..packed.clone()
    };
    assert_eq!(show(&later).batches[0], first.batches[2]);
    let mut other = packed.clone();
    other.data.seed = 6;
    assert_ne!(show(&other).batches, first.batches);
    let validation = PreviewOptions {
        phase: Phase::Validation,
        ..packed
    };
    assert_ne!(show(&validation).batches, first.batches);
}

/// With the reference's rules, unlabelled voxels outside the loaded patch and between labels become
/// background.
#[test]
fn reference_rules_turn_unlabelled_voxels_into_background() {
    let task = Task::new();
    let unlabelled = |recipe: serde_json::Value| {
        let found = show(&task.options(json!({ "batches": 20, "recipe": recipe })));
        let targets = found.batches.iter().map(|batch| &batch.targets[0].values);
        targets.flatten().filter(|label| **label == -1.0).count()
    };
    let default = unlabelled(json!({ "ignoreLabel": -1 }));
    let reference = unlabelled(json!({ "ignoreLabel": -1, "augmentation": { "referenceRules": true } }));
    assert!(0 < reference && reference < default, "{reference} {default}");
}

#[test]
fn a_preview_writes_no_files() {
    let task = Task::new();
    let before = task.files();
    show(&task.options(json!({})));
    assert_eq!(task.files(), before, "neither npy files nor splits");
}

#[test]
fn options_that_training_rejects_are_rejected() {
    let task = Task::new();
    let refuse = |more| refused(&task.options(more));
    let text = r#"{"task":"901","configuration":"3d_fullres","trainer":"nnUNetTrainerV3"}"#;
    let error = run::parse::<PreviewOptions>(text).unwrap_err();
    assert_eq!(error.problems[0].option, "trainer", "{error}");
    let (code, message) = refuse(json!({ "batchSize": 0 }));
    assert!(
        code == "ERR_OPTIONS" && message.contains("batchSize"),
        "{message}"
    );
    let (code, message) = refuse(json!({ "batches": 0 }));
    assert!(code == "ERR_OPTIONS" && message.contains("batches"), "{message}");
    let (code, message) = refuse(json!({ "recipe": { "ignoreLabel": 255 } }));
    assert!(
        code == "ERR_OPTIONS" && message.contains("ignoreLabel"),
        "{message}"
    );
    for size in [json!([8, 16]), json!([8, 16, 15]), json!([0, 16, 16])] {
        let (code, message) = refuse(json!({ "patchSize": size }));
        assert!(
            code == "ERR_OPTIONS" && message.contains("patchSize"),
            "{message}"
        );
    }
    let (code, message) = refuse(json!({ "trainer": "nnUNetTrainerV2Weighted" }));
    assert!(
        code == "ERR_WEIGHTMAPS" && message.contains("ball_00"),
        "{code}: {message}"
    );
    assert_eq!(refuse(json!({ "task": "902" })).0, "ERR_NOT_FOUND");
    // Loss weights do not affect the batches.
    let weighted = task.options(json!({ "trainer": "nnUNetTrainer_V2_Loss_CEandDice_Weighted" }));
    assert_eq!(show(&weighted), show(&task.options(json!({}))));
}

#[test]
fn a_cancelled_preview_returns_the_cancelled_error() {
    let task = Task::new();
    let cancel = Cancel::new();
    cancel.cancel();
    let context = Context::new(Arc::new(run::NullSink), cancel, 1);
    let error = preview(&task.options(json!({})), &context).unwrap_err();
    assert_eq!(error.code(), "ERR_CANCELLED");
}

#[test]
fn settings_progress_and_memory_are_reported() {
    let task = Task::new();
    std::fs::write(task.0.stage.parent().unwrap().join("dataset.json"), "{").unwrap();
    let events = Arc::new(Recorder::default());
    let context = Context::new(events.clone(), Cancel::new(), 1);
    let found = preview(&task.options(json!({ "batches": 2 })), &context).unwrap();
    assert_eq!(found.classes, ["class 1"]);
    let events = events.events();
    assert!(
        matches!(&events[0], Event::Started { verb: "preview", settings } if settings["task"] == "Task901_Ball"),
        "{events:?}"
    );
    let (bytes, parts) = events
        .iter()
        .find_map(|event| match event {
            Event::Memory { bytes, parts, .. } => Some((*bytes, parts)),
            _ => None,
        })
        .unwrap();
    let held: usize = found
        .batches
        .iter()
        .flat_map(|b| std::iter::once(&b.data).chain(&b.targets))
        .map(|array| array.values.len() * 4)
        .sum();
    assert_eq!(parts["batches"], held);
    let case = 2 * BallTask::SHAPE.iter().product::<usize>() * 4;
    let inflated = 4 * case + case;
    assert_eq!(
        parts["loader"]["cache"], inflated,
        "four training cases of image and segmentation, and the one that the thread decompresses"
    );
    assert!(bytes > (held + inflated) as u64);
    let steps = events
        .iter()
        .filter(|e| matches!(e, Event::Progress { unit: "batches", .. }));
    assert_eq!(steps.count(), 2);
    assert!(events
        .iter()
        .any(|e| matches!(e, Event::Warning { message, .. } if message.contains("dataset.json"))));
}
