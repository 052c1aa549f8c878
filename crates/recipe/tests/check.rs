//! The checks of a training's cases.
#![allow(clippy::unwrap_used, reason = "test helpers fail by panicking")]

use std::fs::{File, FileTimes};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use dataset::{CaseProperties, Configuration, Fold};
use recipe::{DataOptions, Result, Trainer, TrainingData};
use run::{Cancel, Coded, Context, Event, Sink};
use testkit::BallTask;

#[derive(Default)]
struct Events(Mutex<Vec<Event>>);

impl Sink for Events {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

/// Result and codes of warnings of a check.
fn check(task: &BallTask, change: impl FnOnce(&mut DataOptions)) -> (Result<()>, Vec<&'static str>) {
    let events = Arc::new(Events::default());
    let context = Context::new(events.clone(), Cancel::new(), 2);
    let mut options = DataOptions::new("Task901_Ball", Configuration::FullRes);
    options.folders.preprocessed = Some(task.preprocessed.clone());
    change(&mut options);
    let result = TrainingData::resolve(&options, &context).and_then(|data| data.check_cases(&context));
    let warning = |event: &Event| match event {
        Event::Warning { code, .. } => Some(*code),
        _ => None,
    };
    let warnings = events.0.lock().unwrap().iter().filter_map(warning).collect();
    (result, warnings)
}

fn record(task: &BallTask, case: &str, labels: &[f32], outside: i64) {
    let path = task.stage.join(format!("{case}.pkl"));
    let mut properties = CaseProperties::read(&path).unwrap();
    properties.set_classes(labels.to_vec());
    properties.set_outside_nonzero_mask_label(outside);
    properties.write(&path).unwrap();
}

#[test]
fn labels_without_a_class_are_named_with_their_case() {
    let task = BallTask::new([8, 12, 12]);
    assert!(check(&task, |_| ()).0.is_ok());
    record(&task, "ball_002", &[-1.0, 0.0, 1.0], -1);
    assert!(
        check(&task, |_| ()).0.is_ok(),
        "-1 outside the non-zero mask is legal"
    );
    record(&task, "ball_002", &[-2.0, 0.0, 1.0], -1);
    assert!(
        check(&task, |_| ()).0.is_ok(),
        "-2 became background in preprocessing"
    );
    record(&task, "ball_003", &[0.0, 1.0, 5.0], -1);
    let error = check(&task, |_| ()).0.unwrap_err();
    assert_eq!(error.code(), "ERR_LABEL_RANGE");
    assert_eq!(error.details()["labels"], serde_json::json!({ "ball_003": [5] }));
    assert!(error.to_string().contains("ball_003 (5)"), "{error}");
}

#[test]
fn unlabelled_voxels_need_a_recipe_that_ignores_them() {
    let task = BallTask::new([8, 12, 12]);
    record(&task, "ball_001", &[-1.0, 0.0, 1.0], 0);
    let error = check(&task, |_| ()).0.unwrap_err();
    assert_eq!(error.code(), "ERR_UNLABELLED_NOT_IGNORED");
    assert_eq!(error.details()["cases"], serde_json::json!(["ball_001"]));
    assert!(check(&task, |o| o.trainer = Trainer::Sparse).0.is_ok());
    task.write_weightmaps();
    assert!(
        check(&task, |o| o.trainer = Trainer::Weighted).0.is_ok(),
        "their weight is 0"
    );
    let reference = serde_json::from_str(r#"{"augmentation":{"referenceRules":true}}"#).unwrap();
    assert!(check(&task, |o| o.recipe = Some(reference)).0.is_ok());
}

#[test]
fn weightmaps_are_missing_stale_or_of_another_shape() {
    let task = BallTask::new([8, 12, 12]);
    task.write_weightmaps();
    let weighted = |o: &mut DataOptions| o.trainer = Trainer::Weighted;
    let path = task.stage.join("ball_004_weightmap.npy");
    let old = FileTimes::new().set_modified(SystemTime::now() - Duration::from_secs(3600));
    File::options()
        .append(true)
        .open(&path)
        .unwrap()
        .set_times(old)
        .unwrap();
    let (result, warnings) = check(&task, weighted);
    assert!(result.is_ok());
    assert_eq!(warnings, ["WARN_STALE_WEIGHTMAP"]);
    let other = ndarray::Array4::<f32>::zeros((1, 2, 3, 4));
    volume::npy::write(
        &task.stage.join("ball_000_weightmap.npy"),
        other.view().into_dyn(),
    )
    .unwrap();
    std::fs::remove_file(&path).unwrap();
    let error = check(&task, weighted).0.unwrap_err();
    assert_eq!(error.code(), "ERR_WEIGHTMAPS");
    assert_eq!(error.details()["missing"], serde_json::json!(["ball_004"]));
    assert_eq!(error.details()["mismatched"][0]["case"], "ball_000");
    assert_eq!(
        error.details()["mismatched"][0]["found"],
        serde_json::json!([1, 2, 3, 4])
    );
}

#[test]
fn a_fold_outside_the_splits_needs_the_random_split() {
    let task = BallTask::new([8, 12, 12]);
    let error = check(&task, |o| o.fold = Fold::Index(7)).0.unwrap_err();
    assert_eq!(error.code(), "ERR_FOLD_MISSING");
    let random = |o: &mut DataOptions| (o.fold, o.random_split) = (Fold::Index(7), true);
    assert!(check(&task, random).0.is_ok());
}

#[test]
fn a_weightmap_of_zeros_is_named_for_a_case_without_foreground() {
    let task = BallTask::new([8, 12, 12]);
    task.write_weightmaps();
    let weighted = |o: &mut DataOptions| o.trainer = Trainer::Weighted;
    record(&task, "ball_002", &[0.0], -1);
    assert!(check(&task, weighted).1.is_empty(), "its background has a weight");
    let [z, y, x] = BallTask::SHAPE;
    let zeros = ndarray::Array4::<f32>::zeros((1, z, y, x));
    volume::npy::write(
        &task.stage.join("ball_002_weightmap.npy"),
        zeros.view().into_dyn(),
    )
    .unwrap();
    let (result, warnings) = check(&task, weighted);
    assert!(result.is_ok());
    assert_eq!(warnings, ["WARN_ZERO_WEIGHTMAP"]);
}
