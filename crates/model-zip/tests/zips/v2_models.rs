//! Zip files of nnU-Net v2.

use std::fs;
use std::path::Path;

use dataset::Fold;
use model_zip::{export_model, install_model, ExportModelOptions, InstallModelOptions};
use run::{Coded, Context};
use serde_json::json;

use crate::common::{content, pack, write};

const MODEL: &str = "Dataset701_X/nnUNetTrainer__nnUNetPlans__2d";

fn files() -> Vec<(String, Vec<u8>)> {
    let function = "resample_data_or_seg_to_shape";
    let plans = json!({
        "image_reader_writer": "SimpleITKIO", "transpose_forward": [0, 1, 2], "transpose_backward": [0, 1, 2],
        "configurations": { "2d": {
            "patch_size": [8, 8], "spacing": [1.0, 1.0],
            "normalization_schemes": ["NoNormalization"], "use_mask_for_norm": [false],
            "resampling_fn_data": function, "resampling_fn_seg": function,
            "resampling_fn_seg_kwargs": { "is_seg": true }, "resampling_fn_probabilities": function,
        } },
    });
    let dataset = json!({
        "channel_names": { "0": "x" }, "labels": { "background": 0, "a": 1 }, "file_ending": ".nii.gz",
    });
    let mut files = Vec::new();
    for fold in ["fold_0", "fold_1"] {
        for file in ["checkpoint_final.pth", "progress.png", "validation/summary.json"] {
            files.push((
                format!("{MODEL}/{fold}/{file}"),
                format!("{fold} {file}").into_bytes(),
            ));
        }
    }
    files.push((
        format!("{MODEL}/crossval_results_folds_0_1/postprocessing.json"),
        b"{}".to_vec(),
    ));
    files.push((format!("{MODEL}/plans.json"), plans.to_string().into_bytes()));
    files.push((format!("{MODEL}/dataset_fingerprint.json"), b"{}".to_vec()));
    files.push((format!("{MODEL}/dataset.json"), dataset.to_string().into_bytes()));
    files
}

fn install(zip: &Path, output: &Path) -> InstallModelOptions {
    let mut options = InstallModelOptions::new(zip.to_owned());
    options.output = Some(output.to_owned());
    options
}

#[test]
fn a_model_comes_back_with_equal_bytes_without_files_of_the_training() {
    let folder = tempfile::tempdir().unwrap();
    let [source, zip, target] = ["source", "model.zip", "target"].map(|name| folder.path().join(name));
    write(&source, &files());
    write(
        &source,
        &[(format!("{MODEL}/fold_0/training_log.txt"), b"log".to_vec())],
    );
    let mut options = ExportModelOptions::new(vec![source.join(MODEL)], zip.clone());
    options.strict = true;
    let exported = export_model(&options, &Context::silent(1)).unwrap();
    assert_eq!(exported.models[0].name, MODEL);
    assert_eq!(exported.models[0].folds, [Fold::Index(0), Fold::Index(1)]);
    assert_eq!(exported.files, files().len());
    let installed = install_model(&install(&zip, &target), &Context::silent(1)).unwrap();
    assert_eq!(installed.models[0].folder, target.join(MODEL));
    assert_eq!(installed.models[0].folds, [Fold::Index(0), Fold::Index(1)]);
    assert_eq!(
        content(&target.join(MODEL))
            .into_values()
            .collect::<Vec<_>>()
            .len(),
        files().len()
    );
    for (name, bytes) in files() {
        assert_eq!(fs::read(target.join(&name)).unwrap(), bytes, "{name}");
    }
    let again = install_model(&install(&zip, &target), &Context::silent(1)).unwrap_err();
    assert_eq!(again.code(), "ERR_MODEL_EXISTS");
}

#[test]
fn missing_checkpoints_and_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let [source, zip] = ["source", "model.zip"].map(|name| folder.path().join(name));
    write(&source, &files());
    let checkpoint = source.join(MODEL).join("fold_1/checkpoint_final.pth");
    fs::rename(&checkpoint, checkpoint.with_file_name("checkpoint_best.pth")).unwrap();
    let mut options = ExportModelOptions::new(vec![source.join(MODEL)], zip.clone());
    let error = export_model(&options, &Context::silent(1)).unwrap_err();
    assert_eq!(error.code(), "ERR_NOT_FOUND");
    assert!(
        error.to_string().contains("the fold has checkpoint_best.pth"),
        "{error}"
    );
    options.folds = Some(vec![Fold::Index(0)]);
    options.strict = true;
    fs::remove_file(source.join(MODEL).join("fold_0/progress.png")).unwrap();
    let error = export_model(&options, &Context::silent(1)).unwrap_err();
    assert!(error.to_string().contains("progress.png"), "{error}");
    options.strict = false;
    assert_eq!(
        export_model(&options, &Context::silent(1)).unwrap().models[0].folds,
        [Fold::Index(0)]
    );
}

#[test]
fn incomplete_mixed_and_executing_zip_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [zip, target] = ["model.zip", "target"].map(|name| folder.path().join(name));
    let refused = |files: &[(String, Vec<u8>)]| {
        pack(&zip, files);
        let error = install_model(&install(&zip, &target), &Context::silent(1)).unwrap_err();
        assert_eq!(error.code(), "ERR_MODEL_ZIP", "{error}");
        assert!(!target.exists(), "{error}");
        error.to_string()
    };
    let without = |end: &str| -> Vec<_> {
        files()
            .into_iter()
            .filter(|(name, _)| !name.ends_with(end))
            .collect()
    };
    assert!(refused(&without("/plans.json")).contains("has no plans.json"));
    assert!(refused(&without("/dataset.json")).contains("has no dataset.json"));
    assert!(refused(&without(".pth")).contains("has no fold with checkpoint_final.pth"));
    let mut mixed = files();
    mixed.extend(crate::common::files(crate::common::MODEL, &["fold_0"]));
    assert!(refused(&mixed).contains("v1 and v2"));
    let mut executing = files();
    executing.push((
        format!("{MODEL}/crossval_results_folds_0_1/postprocessing.pkl"),
        b"cposix\nsystem\n(S'true'\ntR.".to_vec(),
    ));
    assert!(refused(&executing).contains("system"));
}
