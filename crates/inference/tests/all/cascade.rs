//! `predict` with a model of the second stage of a cascade.

use std::fs;
use std::path::Path;

use crate::common::cascade;
use inference::{predict, PredictOptions};
use run::{Coded, Context};
use volume::{nifti, Geometry};

fn labels(folder: &Path, case: &str) -> ndarray::Array3<i16> {
    nifti::read_labels(&folder.join(format!("{case}.nii.gz")))
        .unwrap()
        .0
}

#[test]
fn one_prediction_runs_both_stages() {
    let (mut work, first) = cascade(&["a", "b"]);
    assert_eq!(work.counts(), (2, 0, vec![]));
    assert_eq!(work.setting("trainer"), "nnUNetTrainerV2");
    let lowres = work.options.output.join("3d_lowres_predictions");

    // The first stage is a prediction of its own.
    let mut alone = work.options.clone();
    (alone.model, alone.output) = (first.path.clone(), work.guard.path().join("alone"));
    predict(&alone, &Context::silent(1)).unwrap();
    for case in ["a", "b"] {
        assert_eq!(labels(&lowres, case), labels(&alone.output, case));
    }
    // Its segmentations can be given. They are the same, and so is the result.
    let both = ["a", "b"].map(|case| work.labels(case));
    work.options.lowres_segmentations = Some(alone.output.clone());
    assert_eq!(work.counts(), (0, 2, vec![]));
    work.options.overwrite = true;
    assert_eq!(work.counts(), (2, 0, vec![]));
    assert_eq!(["a", "b"].map(|case| work.labels(case)), both);
    work.options.overwrite = false;

    // Another segmentation of the first stage gives another result.
    let other = labels(&alone.output, "a").mapv(|label| 1 - label.min(1));
    nifti::write_labels(&alone.output.join("a.nii.gz"), other.view(), &Geometry::default()).unwrap();
    assert_eq!(work.counts(), (1, 1, vec!["WARN_OUTPUT_REPLACED"]));
    assert_ne!(work.labels("a"), both[0]);
    assert_eq!(work.labels("b"), both[1]);
}

#[test]
fn a_case_without_a_valid_first_stage_fails_alone() {
    let (mut work, _) = cascade(&["a", "b", "c"]);
    work.write("b", |mut image| {
        image[[0, 0, 0]] = f32::INFINITY;
        image
    });
    let found = work.run().unwrap();
    let failures: Vec<_> = found
        .failures
        .iter()
        .map(|f| (f.case.as_str(), f.code.as_str()))
        .collect();
    assert_eq!((found.written, failures), (2, vec![("b", "ERR_NOT_FINITE")]));

    let lowres = work.options.output.join("3d_lowres_predictions");
    work.options.lowres_segmentations = Some(lowres.clone());
    work.write("b", |image| image);
    let small = ndarray::Array3::<i16>::zeros((2, 2, 2));
    nifti::write_labels(&lowres.join("c.nii.gz"), small.view(), &Geometry::default()).unwrap();
    let found = work.run().unwrap();
    let failures: Vec<_> = found
        .failures
        .iter()
        .map(|f| (f.case.as_str(), f.code.as_str()))
        .collect();
    assert_eq!((found.written, found.skipped), (0, 1));
    assert_eq!(failures, [("b", "ERR_NOT_FOUND"), ("c", "ERR_SHAPE_MISMATCH")]);
}

#[test]
fn a_cascade_without_its_first_stage_is_refused() {
    let (mut work, first) = cascade(&["a"]);
    let elsewhere = work.guard.path().join("elsewhere");
    fs::rename(&first.path, &elsewhere).unwrap();
    let refused = |options: &PredictOptions| {
        let error = predict(options, &Context::silent(1)).unwrap_err();
        (error.code(), error.to_string())
    };
    let (code, message) = refused(&work.options);
    assert_eq!(code, "ERR_NOT_FOUND");
    assert!(
        message.contains("nnUNetTrainerV2__plans") && message.contains("--lowres-model"),
        "{message}"
    );
    let cascade = work.options.model.clone();
    work.options.lowres_model = Some(cascade);
    assert_eq!(refused(&work.options).0, "ERR_MODEL");
    work.options.lowres_model = Some(elsewhere.clone());
    assert_eq!(work.counts().0, 1);
    // Options of a cascade for another model.
    work.options.model = elsewhere;
    assert_eq!(refused(&work.options).0, "ERR_OPTIONS");
}
