//! Images that nnU-Net v1 turns into NaN, and labels that cropping takes away.

use std::sync::Arc;

use dataset::NonFinite;
use preprocess::{preprocess_test_case, Crop, PlanAndPreprocessSummary};
use run::Cancel;

use super::*;

/// Replaces the first channel of a case by `change` of it.
fn change(run: &Run, case: usize, change: impl FnOnce(&mut Array3<f32>)) {
    let path = run.raw().join(format!("imagesTr/case_{case}_0000.nii.gz"));
    let (image, geometry) = nifti::read_image(&path).unwrap();
    let mut image = image.index_axis_move(Axis(0), 0);
    change(&mut image);
    nifti::write_image(&path, image.view(), &geometry).unwrap();
}

/// Runs the verb and returns its warnings.
fn warned(options: &Options) -> (Result<PlanAndPreprocessSummary, Error>, Vec<&'static str>) {
    let sink = Arc::new(Recorder::default());
    let done = plan_and_preprocess(options, &Context::new(sink.clone(), Cancel::new(), 2));
    (done, sink.warnings())
}

fn assert_finite(run: &Run) {
    for folder in [STAGE, "nnUNetData_plans_v2.1_2D_stage0"] {
        for case in 0..CASES {
            let found = data(&run.preprocessed().join(folder).join(format!("case_{case}.npz")));
            assert!(found.iter().all(|v| v.is_finite()), "{folder} {case}");
        }
    }
}

#[test]
fn image_with_nan_or_infinity_is_refused_or_replaced_on_request() {
    let run = synthetic(true);
    change(&run, 0, |image| image[(15, 20, 18)] = f32::NAN);
    change(&run, 1, |image| {
        (image[(15, 20, 18)], image[(2, 3, 4)]) = (f32::INFINITY, f32::NEG_INFINITY);
    });
    let (error, _) = warned(&run.options());
    let Err(Error::Cases { failures, .. }) = error else {
        panic!("{error:?}")
    };
    let found: Vec<_> = failures
        .iter()
        .map(|f| (f.case.as_str(), f.code.as_str()))
        .collect();
    assert_eq!(
        found,
        [("case_0", "ERR_NOT_FINITE"), ("case_1", "ERR_NOT_FINITE")]
    );
    assert!(
        failures[0]
            .message
            .contains("case_0_0000.nii.gz has 1 NaN and 0 infinite"),
        "{}",
        failures[0].message
    );
    assert!(
        failures[1]
            .message
            .contains("case_1_0000.nii.gz has 0 NaN and 2 infinite"),
        "{}",
        failures[1].message
    );

    let options = Options {
        nonfinite: NonFinite::Zero,
        ..run.options()
    };
    let (done, warnings) = warned(&options);
    assert_eq!(done.unwrap().preprocess.written, CASES);
    assert_eq!(warnings, ["WARN_NONFINITE_REPLACED"; 2], "once a case");
    assert_finite(&run);

    let plans = Plans::read(&run.preprocessed().join("nnUNetPlansv2.1_plans_3D.pkl")).unwrap();
    let images = [run.raw().join("imagesTr/case_1_0000.nii.gz")];
    let predict = |rule, context: &Context| preprocess_test_case("c", &images, &plans, 0, rule, context);
    assert_eq!(
        predict(NonFinite::Refuse, &context()).unwrap_err().code(),
        "ERR_NOT_FINITE"
    );
    let sink = Arc::new(Recorder::default());
    let (image, _) = predict(NonFinite::Zero, &Context::new(sink.clone(), Cancel::new(), 1)).unwrap();
    assert!(image.iter().all(|v| v.is_finite()));
    assert_eq!(sink.warnings(), ["WARN_NONFINITE_REPLACED"]);
}

#[test]
fn ct_without_spread_is_refused_or_zero_on_request() {
    let run = synthetic(true);
    for case in 0..CASES {
        // A binarised image: the foreground is 1 everywhere.
        change(&run, case, |image| image.fill(1.0));
    }
    let (done, _) = warned(&run.options());
    let failures = done.unwrap().preprocess.failures;
    assert_eq!(
        failures.iter().map(|f| f.code.as_str()).collect::<Vec<_>>(),
        ["ERR_NO_SPREAD"; CASES]
    );
    assert!(
        failures[0].message.contains("(all are 1)"),
        "{}",
        failures[0].message
    );

    let options = Options {
        nonfinite: NonFinite::Zero,
        ..run.options()
    };
    let (done, warnings) = warned(&options);
    assert!(done.unwrap().preprocess.failures.is_empty());
    assert_eq!(warnings, ["WARN_NO_SPREAD"; CASES]);
    assert_finite(&run);
}

#[test]
fn lost_labels_are_counted_and_kept_without_cropping() {
    let run = synthetic(false);
    // Case 0 is 0 in its first half, where half of the labelled voxels are.
    let (label, _) = nifti::read_labels(&run.raw().join("labelsTr/case_0.nii.gz")).unwrap();
    let half = label.len_of(Axis(2)) / 2;
    for channel in 0..2 {
        let path = run.raw().join(format!("imagesTr/case_0_{channel:04}.nii.gz"));
        let (image, geometry) = nifti::read_image(&path).unwrap();
        let mut image = image.index_axis_move(Axis(0), 0);
        image.slice_mut(ndarray::s![.., .., ..half]).fill(0.0);
        nifti::write_image(&path, image.view(), &geometry).unwrap();
    }
    let labelled = label.iter().filter(|&&v| v > 0).count();
    let left = label.iter().filter(|&&v| v == 1).count();
    let sink = Arc::new(Recorder::default());
    plan_and_preprocess(&run.options(), &Context::new(sink.clone(), Cancel::new(), 2)).unwrap();
    assert_eq!(sink.warnings(), ["WARN_LABELS_CROPPED"]);
    let message = sink.events().iter().find_map(|event| match event {
        run::Event::Warning { message, case, .. } => Some(format!("{case:?} {message}")),
        _ => None,
    });
    let message = message.unwrap();
    assert!(
        message.contains(&format!("{left} of {labelled} labelled voxels")),
        "{message}"
    );
    assert!(message.contains("case_0"), "{message}");

    // Cropped cases and plans of the other rule are not reused.
    let options = Options {
        crop: Crop::None,
        ..run.options()
    };
    let (done, warnings) = warned(&options);
    assert_eq!((done.unwrap().preprocess.written, warnings.len()), (CASES, 0));
    for case in 0..CASES {
        let file = run.raw().join(format!("labelsTr/case_{case}.nii.gz"));
        let (label, _) = nifti::read_labels(&file).unwrap();
        let cropped = data(&run.cropped().join(format!("case_{case}.npz")));
        assert_eq!(cropped.shape()[1..], *label.shape());
        let counted = cropped
            .index_axis(Axis(0), 2)
            .iter()
            .filter(|&&v| v > 0.0)
            .count();
        assert_eq!(counted, label.iter().filter(|&&v| v > 0).count());
    }
    let plans = Plans::read(&run.preprocessed().join("nnUNetPlansv2.1_plans_3D.pkl")).unwrap();
    assert_eq!(Crop::of_plans(&plans), Crop::None);
    let images = [0, 1].map(|c| run.raw().join(format!("imagesTr/case_0_{c:04}.nii.gz")));
    let (_, properties) =
        preprocess_test_case("c", &images, &plans, 0, NonFinite::Refuse, &context()).unwrap();
    assert_eq!(
        properties.size_after_cropping().unwrap(),
        <[usize; 3]>::from(label.dim())
    );
    assert_eq!(
        preprocess(&run.options(), &context()).unwrap_err().code(),
        "ERR_OPTIONS"
    );
}

#[test]
fn image_with_both_extensions_is_refused() {
    let run = synthetic(true);
    let path = run.raw().join("imagesTr/case_1_0000.nii.gz");
    std::fs::write(path.with_extension(""), "another image").unwrap();
    let (error, _) = warned(&run.options());
    assert!(
        matches!(&error, Err(Error::Cases { failures, .. }) if failures[0].code == "ERR_TWO_FILES"),
        "{error:?}"
    );
}

#[test]
fn labels_beyond_the_list_are_warned_of() {
    let run = synthetic(true);
    let path = run.raw().join("labelsTr/case_1.nii.gz");
    let (mut label, geometry) = nifti::read_labels(&path).unwrap();
    (label[(0, 0, 0)], label[(0, 0, 1)], label[(0, 0, 2)]) = (-2, 255, -1);
    nifti::write_labels(&path, label.view(), &geometry).unwrap();
    let sink = Arc::new(Recorder::default());
    plan_and_preprocess(&run.options(), &Context::new(sink.clone(), Cancel::new(), 1)).unwrap();
    assert_eq!(sink.warnings(), ["WARN_UNLISTED_LABELS"]);
    let named = |event: &run::Event| matches!(event, run::Event::Warning { message, .. } if message.contains("[-2, 255]"));
    assert!(sink.events().iter().any(named));
}

#[test]
fn task_with_misunderstood_names_or_without_labels_is_refused_before_work() {
    let run = synthetic(true);
    let path = run.raw().join("dataset.json");
    let text = std::fs::read_to_string(&path).unwrap();
    for (from, to, expected) in [
        (
            "imagesTr/case_0.nii.gz",
            "imagesTr/case_0_0000.nii.gz",
            "channel number",
        ),
        (
            "\"0\":\"background\",\"1\":\"left\",\"2\":\"right\"",
            "",
            "no label above 0",
        ),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        std::fs::write(&path, changed).unwrap();
        let error = plan_and_preprocess(&run.options(), &context()).unwrap_err();
        assert_eq!(error.code(), "ERR_DATASET_RECORD");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!run.preprocessed().exists());
    }
}

#[test]
fn intensities_whose_square_exceeds_float32_are_refused_or_replaced() {
    let run = synthetic(false);
    // The padding of some tools. In float32 its deviation is infinite, and the image would become 0 everywhere.
    change(&run, 1, |image| image[(15, 20, 18)] = f32::MIN);
    let (error, _) = warned(&run.options());
    assert!(
        matches!(&error, Err(Error::Cases { failures, .. })
            if failures[0].code == "ERR_NOT_FINITE" && failures[0].message.contains("1 infinite or too large")),
        "{error:?}"
    );
    let options = Options {
        nonfinite: NonFinite::Zero,
        ..run.options()
    };
    let (done, warnings) = warned(&options);
    assert_eq!(
        (done.unwrap().preprocess.written, warnings),
        (CASES, vec!["WARN_NONFINITE_REPLACED"])
    );
    let found = data(&run.preprocessed().join(STAGE).join("case_1.npz"));
    let image = found.index_axis(Axis(0), 0);
    assert!(image.iter().any(|&v| v > 0.5) && image.iter().all(|v| v.abs() < 100.0));
}

#[test]
fn files_that_lie_elsewhere_or_contradict_themselves_are_warned_of() {
    let run = synthetic(false);
    let path = run.raw().join("labelsTr/case_1.nii.gz");
    let (label, mut geometry) = nifti::read_labels(&path).unwrap();
    // Rounding is not worth a word.
    geometry.origin[0] += 0.2 * geometry.spacing[2];
    nifti::write_labels(&path, label.view(), &geometry).unwrap();
    assert_eq!(warned(&run.options()).1, Vec::<&str>::new());
    geometry.origin[0] += 3.0 * geometry.spacing[2];
    nifti::write_labels(&path, label.view(), &geometry).unwrap();
    let again = Options {
        overwrite: true,
        ..run.options()
    };
    assert_eq!(warned(&again).1, ["WARN_GEOMETRY"]);
    geometry.origin[0] -= 3.2 * geometry.spacing[2];
    let plain = run.raw().join("plain.nii");
    nifti::write_labels(&plain, label.view(), &geometry).unwrap();
    let mut bytes = std::fs::read(&plain).unwrap();
    // The first value of the sform.
    bytes[280..284].copy_from_slice(&(-5.0_f32).to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(warned(&again).1, ["WARN_HEADER"]);
}
