//! Model folders, plans and dataset.json: what is found, and what is refused with its name.

use std::fs;
use std::path::{Path, PathBuf};

use dataset::Fold;
use proptest::prelude::*;
use run::Coded;
use serde_json::{json, Value as Json};
use tempfile::TempDir;
use v2::{Checkpoint, Dataset, ModelFolder, Plans, Scheme};

fn plans() -> Json {
    let function = "resample_data_or_seg_to_shape";
    json!({
        "plans_name": "nnUNetPlans", "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [1, 2, 0], "transpose_backward": [2, 0, 1], "label_manager": "LabelManager",
        "configurations": {
            "3d_fullres": {
                "preprocessor_name": "DefaultPreprocessor", "patch_size": [8, 8, 8], "spacing": [1.0, 1.0, 2.0],
                "normalization_schemes": ["CTNormalization"], "use_mask_for_norm": [false],
                "resampling_fn_data": function, "resampling_fn_data_kwargs": { "order": 3, "force_separate_z": null },
                "resampling_fn_seg": function, "resampling_fn_seg_kwargs": { "is_seg": true, "order": 1 },
                "resampling_fn_probabilities": function, "resampling_fn_probabilities_kwargs": { "order": 1 },
            },
            "3d_cascade_fullres": { "inherits_from": "3d_fullres", "previous_stage": "3d_lowres" },
        },
        "foreground_intensity_properties_by_modality": {
            "0": { "mean": 1.0, "std": 2.0, "percentile_00_5": -3.0, "percentile_99_5": 4.0 },
        },
    })
}

fn dataset_json() -> Json {
    json!({
        "channel_names": { "0": "CT" }, "labels": { "background": 0, "a": 1 }, "file_ending": ".nii.gz",
    })
}

/// A model folder of two folds, the second of which has only its best checkpoint.
fn model(name: &str) -> (TempDir, PathBuf) {
    let guard = tempfile::tempdir().unwrap();
    let folder = guard.path().join(name);
    for (fold, file) in [(0, "checkpoint_final.pth"), (1, "checkpoint_best.pth")] {
        let fold = folder.join(format!("fold_{fold}"));
        fs::create_dir_all(&fold).unwrap();
        fs::write(fold.join(file), "").unwrap();
    }
    fs::write(folder.join("plans.json"), plans().to_string()).unwrap();
    fs::write(folder.join("dataset.json"), dataset_json().to_string()).unwrap();
    (guard, folder)
}

const NAME: &str = "nnUNetTrainer__nnUNetPlans__3d_cascade_fullres";

#[test]
fn a_model_has_trainer_plans_configuration_and_folds() {
    let (_guard, folder) = model(NAME);
    let model = ModelFolder::open(&folder).unwrap().unwrap();
    assert_eq!(model.trainer.as_deref(), Some("nnUNetTrainer"));
    assert_eq!(model.plans_name, "nnUNetPlans");
    let settings = &model.settings;
    assert_eq!(settings.name, "3d_cascade_fullres");
    assert_eq!(settings.previous_stage.as_deref(), Some("3d_lowres"));
    assert_eq!(settings.patch_size, [8, 8, 8]);
    assert!(matches!(settings.normalization[..], [Scheme::Ct(all)] if all.percentile_99_5 == 4.0));
    assert_eq!(model.folds(Checkpoint::Final).unwrap(), [Fold::Index(0)]);
    assert_eq!(model.folds(Checkpoint::Best).unwrap(), [Fold::Index(1)]);
    let error = model.checkpoint(Fold::Index(1), Checkpoint::Final).unwrap_err();
    assert!(
        error.to_string().contains("the fold has checkpoint_best.pth"),
        "{error}"
    );
    let error = model.checkpoint(Fold::Index(3), Checkpoint::Final).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the folds with this checkpoint are fold_0"),
        "{error}"
    );
    assert_eq!(
        model.folds(Checkpoint::Latest).unwrap_err().code(),
        "ERR_NOT_FOUND"
    );
}

#[test]
fn other_folders_are_told_from_incomplete_models() {
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(ModelFolder::open(empty.path()).unwrap(), None);
    assert_eq!(
        ModelFolder::open(&empty.path().join("no")).unwrap_err().code(),
        "ERR_NOT_FOUND"
    );
    let problem = |folder: &Path| ModelFolder::open(folder).unwrap_err().to_string();
    let (_guard, folder) = model(NAME);
    assert!(problem(&folder.join("fold_0")).contains("one fold of a model"));
    for file in ["plans.pkl", "fold_0/model_final_checkpoint.model"] {
        fs::write(folder.join(file), "").unwrap();
        assert!(problem(&folder).contains(&format!("it has {file} of nnU-Net v1 and plans.json")));
        fs::remove_file(folder.join(file)).unwrap();
    }
    fs::remove_file(folder.join("dataset.json")).unwrap();
    assert!(problem(&folder).contains("dataset.json does not exist"));
    fs::remove_file(folder.join("plans.json")).unwrap();
    assert!(problem(&folder).contains("plans.json does not exist"));
    let (_guard, folder) = model("renamed");
    assert!(problem(&folder).contains("3d_fullres, 3d_cascade_fullres"));
    let (_guard, folder) = model("T__P__3d_lowres");
    assert!(problem(&folder).contains("there is no \"3d_lowres\""));
    let (_guard, folder) = model("T__P__3d_fullres");
    let mut two = dataset_json();
    two["channel_names"] = json!({ "0": "a", "1": "b" });
    fs::write(folder.join("dataset.json"), two.to_string()).unwrap();
    assert!(problem(&folder).contains("2 channel_names, but plans.json has 1"));
}

/// Error of plans with another value at a JSON pointer.
fn with(pointer: &str, value: Json) -> v2::Error {
    let mut json = plans();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    json.pointer_mut(parent).unwrap()[key] = value;
    let plans = Plans::from_json(Path::new("plans.json"), json);
    plans
        .and_then(|plans| plans.configuration("3d_cascade_fullres"))
        .unwrap_err()
}

#[test]
fn unknown_names_in_plans_are_named() {
    let base = "/configurations/3d_fullres";
    for (pointer, value) in [
        ("/image_reader_writer".to_owned(), "NaturalImage2DIO"),
        ("/label_manager".to_owned(), "OtherManager"),
        (format!("{base}/preprocessor_name"), "OtherPreprocessor"),
        (format!("{base}/resampling_fn_data"), "resample_other"),
    ] {
        let error = with(&pointer, json!(value));
        assert_eq!(error.code(), "ERR_MODEL_UNSUPPORTED");
        assert!(error.to_string().contains(value), "{error}");
    }
    let error = with(
        &format!("{base}/normalization_schemes"),
        json!(["OtherNormalization"]),
    );
    assert!(
        error
            .to_string()
            .contains("\"OtherNormalization\"; known here: CTNormalization"),
        "{error}"
    );
    let error = with(
        &format!("{base}/resampling_fn_data_kwargs"),
        json!({ "order": 2 }),
    );
    assert!(error.to_string().contains("known here: 0, 1 and 3"), "{error}");
    let error = with(
        &format!("{base}/resampling_fn_data_kwargs"),
        json!({ "other": 2 }),
    );
    assert!(error.to_string().contains("\"other\""), "{error}");
}

#[test]
fn invalid_entries_of_plans_are_named_with_their_place() {
    let base = "/configurations/3d_fullres";
    for (pointer, value, part) in [
        (
            "/transpose_forward".to_owned(),
            json!([0, 1]),
            "transpose_forward",
        ),
        (
            "/transpose_backward".to_owned(),
            json!([1, 2, 0]),
            "the inverse of transpose_forward",
        ),
        (
            format!("{base}/spacing"),
            json!([1.0, 0.0, 1.0]),
            "3d_cascade_fullres.spacing",
        ),
        (format!("{base}/spacing"), json!([1.0, 1.0]), "3 numbers"),
        (format!("{base}/patch_size"), json!([8]), "patch_size"),
        (
            format!("{base}/use_mask_for_norm"),
            json!([]),
            "use_mask_for_norm",
        ),
        (
            format!("{base}/inherits_from"),
            json!("3d_cascade_fullres"),
            "inherit from each other",
        ),
        (format!("{base}/inherits_from"), json!("3d"), "there is no \"3d\""),
        (format!("{base}/resampling_fn_seg_kwargs"), json!({}), "is_seg"),
        (
            "/foreground_intensity_properties_by_modality".to_owned(),
            json!({}),
            "has no entry \"0\"",
        ),
        ("/plans_per_stage".to_owned(), json!({}), "nnU-Net v1"),
    ] {
        let error = with(&pointer, value);
        assert_eq!(error.code(), "ERR_DATASET_RECORD", "{error}");
        assert!(error.to_string().contains(part), "{pointer}: {error}");
    }
}

fn labels(labels: Json, order: Json) -> Result<Dataset, v2::Error> {
    let mut json = dataset_json();
    json["labels"] = labels;
    json["regions_class_order"] = order;
    Dataset::from_json(Path::new("dataset.json"), json)
}

#[test]
fn labels_regions_and_ignore_label_are_read() {
    let plain = labels(json!({ "a": 1, "background": 0, "c": [3] }), Json::Null)
        .unwrap()
        .labels;
    assert_eq!((plain.heads(), plain.foreground()), (3, vec![1, 3]));
    assert_eq!(plain.channel_names(), ["background", "a", "c"]);
    let regions = json!({ "background": 0, "all": [1, 2], "core": 2, "ignore": 3 });
    let regions = labels(regions, json!([5, 6])).unwrap().labels;
    assert_eq!((regions.heads(), regions.ignore), (2, Some(3)));
    assert_eq!(regions.channel_names(), ["all", "core"]);
    for (entries, order, part) in [
        (json!({ "a": 1 }), Json::Null, "labels.background"),
        (json!({ "background": 1 }), Json::Null, "expected 0"),
        (
            json!({ "background": 0, "a": 1, "ignore": 3 }),
            Json::Null,
            "2, the highest label plus 1",
        ),
        (
            json!({ "background": 0, "a": [1, 2] }),
            Json::Null,
            "regions_class_order",
        ),
        (json!({ "background": 0, "a": [1, 2] }), json!([1, 2]), "1 labels"),
        (json!({ "background": 0, "a": "x" }), Json::Null, "labels.a"),
    ] {
        let error = labels(entries, order).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    let mut ending = dataset_json();
    ending["file_ending"] = json!(".png");
    let error = Dataset::from_json(Path::new("dataset.json"), ending).unwrap_err();
    assert_eq!(error.code(), "ERR_MODEL_UNSUPPORTED");
}

proptest! {
    /// No JSON makes the readers panic.
    #[test]
    fn changed_plans_are_read_or_refused(key in 0usize..40, value in prop_oneof![
        Just(Json::Null), Just(json!(-1)), Just(json!(1e300)), Just(json!("")), Just(json!([])), Just(json!({})),
        Just(json!([[1], "x"])), Just(json!([0, 0, 0]))
    ]) {
        let mut json = plans();
        let mut places = Vec::new();
        collect(&json, String::new(), &mut places);
        let place = &places[key % places.len()];
        *json.pointer_mut(place).unwrap() = value;
        if let Ok(plans) = Plans::from_json(Path::new("plans.json"), json) {
            for name in plans.configuration_names() {
                let _ = plans.configuration(name);
            }
        }
    }
}

fn collect(json: &Json, place: String, places: &mut Vec<String>) {
    if let Json::Object(map) = json {
        for (key, value) in map {
            let inner = format!("{place}/{key}");
            places.push(inner.clone());
            collect(value, inner, places);
        }
    }
}
