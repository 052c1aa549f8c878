//! `predict` on folders: existing outputs, folds, checkpoints, postprocessing, and images that cannot be segmented.

use std::fs;

use crate::common::Work;
use dataset::results::{BEST_CHECKPOINT, FINAL_CHECKPOINT};
use dataset::{Fold, Plans};
use engine::checkpoint::{Checkpoint, Info};
use evaluate::postprocessing::{write_rules, Rules};
use evaluate::Region;
use ndarray::Axis;
use run::{Coded, Event};
use serde_json::json;
use volume::{nifti, Geometry};

#[test]
fn only_a_whole_output_of_the_same_image_model_and_settings_is_kept() {
    let mut work = Work::new(&["a", "b", "c"]);
    assert_eq!(work.counts(), (3, 0, vec![]));
    assert_eq!(work.counts(), (0, 3, vec![]));
    let before = work.labels("a");

    // Nothing of the first run is left of these.
    fs::write(work.output("a.nii.gz"), "").unwrap();
    fs::write(work.output("b.nii.gz"), "rubbish").unwrap();
    assert_eq!(work.counts(), (2, 1, vec!["WARN_OUTPUT_REPLACED"]));
    assert_eq!(work.labels("a"), before);

    // An incomplete file, another grid, and a segmentation of another program.
    let whole = fs::read(work.output("a.nii.gz")).unwrap();
    fs::write(work.output("a.nii.gz"), &whole[..whole.len() / 2]).unwrap();
    let moved = Geometry {
        origin: [0.0, 0.5, 0.0],
        ..Geometry::default()
    };
    nifti::write_labels(&work.output("b.nii.gz"), work.labels("b").view(), &moved).unwrap();
    nifti::write_labels(
        &work.output("c.nii.gz"),
        work.labels("c").view(),
        &Geometry::default(),
    )
    .unwrap();
    assert_eq!(work.counts(), (3, 0, vec!["WARN_OUTPUT_REPLACED"; 3]));

    // Other settings, and another model of the same plans.
    work.options.step_size = 0.5;
    assert_eq!(work.counts(), (3, 0, vec!["WARN_OUTPUT_REPLACED"]));
    work.add_fold(Fold::Index(1), |_| ());
    work.options.folds = Some(vec![Fold::Index(1)]);
    assert_eq!(work.counts(), (3, 0, vec!["WARN_OUTPUT_REPLACED"]));

    // The softmax is a part of the output where it is asked for.
    work.options.save_softmax = true;
    assert_eq!(work.counts(), (3, 0, vec!["WARN_OUTPUT_REPLACED"]));
    assert_eq!(work.counts(), (0, 3, vec![]));
    fs::write(work.output("a.npz"), "").unwrap();
    fs::remove_file(work.output("b.pkl")).unwrap();
    assert_eq!(work.counts(), (2, 1, vec!["WARN_OUTPUT_REPLACED"]));
    work.options.save_softmax = false;
    assert_eq!(work.counts(), (0, 3, vec![]));
    work.options.overwrite = true;
    assert_eq!(work.counts(), (3, 0, vec![]));
}

#[test]
fn an_image_with_an_infinite_value_or_without_a_channel_fails_alone() {
    let mut work = Work::new(&["good", "inf", "other"]);
    work.write("inf", |mut image| {
        image[[3, 4, 5]] = f32::INFINITY;
        image
    });
    // The name of a channel that the model does not have; its others are missing.
    fs::copy(
        work.options.input.join("good_0000.nii.gz"),
        work.options.input.join("lonely_0007.nii.gz"),
    )
    .unwrap();
    let found = work.run().unwrap();
    assert_eq!(found.written, 2);
    let failures: Vec<_> = found
        .failures
        .iter()
        .map(|f| (f.case.as_str(), f.code.as_str()))
        .collect();
    assert_eq!(
        failures,
        [("inf", "ERR_NOT_FINITE"), ("lonely", "ERR_CHANNEL_MISSING")]
    );
    let named = format!("inf_{:04}.nii.gz", work.channels() - 1);
    assert!(
        found.failures[0].message.contains(&named),
        "{}",
        found.failures[0].message
    );
    assert!(!work.output("inf.nii.gz").exists());
    // Both are tried again.
    assert_eq!(work.run().unwrap().skipped, 2);
}

#[test]
fn the_default_folds_are_the_finished_numbered_ones() {
    let mut work = Work::new(&["a"]);
    work.add_fold(Fold::Index(1), |_| ());
    work.add_fold(Fold::All, |_| ());
    fs::create_dir(work.model.fold(Fold::Index(2)).path).unwrap();
    assert_eq!(work.counts(), (1, 0, vec!["WARN_UNFINISHED_FOLDS"]));
    assert_eq!(work.setting("folds"), "0 1");
    let warned =
        work.events.events().iter().any(
            |event| matches!(event, Event::Warning { message, .. } if message.starts_with("fold_2 has no")),
        );
    assert!(warned);
    let mean = work.labels("a");
    work.options.folds = Some(vec![Fold::Index(0), Fold::Index(1)]);
    assert_eq!(work.counts(), (0, 1, vec![]));
    work.options.folds = Some(vec![Fold::All]);
    work.counts();
    assert_ne!(work.labels("a"), mean);
}

#[test]
fn folds_of_different_plans_are_refused() {
    let mut work = Work::new(&["a"]);
    work.add_fold(Fold::Index(1), |info| {
        let mut plans = Plans::from_value(&info.plans).unwrap();
        plans
            .normalization_schemes
            .values_mut()
            .for_each(|scheme| *scheme = "CT2".to_owned());
        plans
            .plans_per_stage
            .values_mut()
            .for_each(|stage| stage.current_spacing = [3.0, 1.0, 1.0]);
        info.plans = plans.to_value();
    });
    let error = work.run().unwrap_err();
    assert_eq!(error.code(), "ERR_MODEL_PLANS");
    let message = error.to_string();
    assert!(
        message.contains("fold_1") && message.contains("normalization_schemes, current_spacing"),
        "{message}"
    );
    work.options.folds = Some(vec![Fold::Index(0)]);
    assert_eq!(work.counts(), (1, 0, vec![]));
}

#[test]
fn a_model_trained_without_mirroring_is_not_mirrored() {
    let mut work = Work::new(&["a"]);
    work.options.mirroring = false;
    work.counts();
    let plain = work.labels("a");
    let file = work.model.fold(Fold::Index(0)).checkpoint_info(FINAL_CHECKPOINT);
    let mut info = Info::read(&file).unwrap();
    info.name = "nnUNetTrainerV2_noMirroring".to_owned();
    info.write(&file).unwrap();
    work.options.mirroring = true;
    // The settings are the same as before, so that the output counts.
    assert_eq!(work.counts(), (0, 1, vec!["WARN_NO_MIRRORING"]));
    assert_eq!(work.setting("mirrorAxes"), json!([]));
    work.options.overwrite = true;
    assert_eq!(work.counts(), (1, 0, vec!["WARN_NO_MIRRORING"]));
    assert_eq!(work.labels("a"), plain);
}

#[test]
fn a_checkpoint_is_chosen_by_its_kind_or_file() {
    let mut work = Work::new(&["a"]);
    work.add_fold(Fold::Index(1), |_| ());
    let (fold, other) = (work.model.fold(Fold::Index(0)), work.model.fold(Fold::Index(1)));
    fs::rename(
        other.checkpoint(FINAL_CHECKPOINT),
        fold.checkpoint(BEST_CHECKPOINT),
    )
    .unwrap();
    fs::rename(
        other.checkpoint_info(FINAL_CHECKPOINT),
        fold.checkpoint_info(BEST_CHECKPOINT),
    )
    .unwrap();
    fs::remove_dir_all(other.path).unwrap();
    work.counts();
    let last = work.labels("a");
    for (checkpoint, replaces) in [
        ("best", true),
        ("model_best", false),
        ("final", true),
        ("model_final_checkpoint", false),
    ] {
        work.options.checkpoint = checkpoint.to_owned();
        let (written, ..) = work.counts();
        assert_eq!(written == 1, replaces, "{checkpoint}");
        assert_eq!(
            work.labels("a") == last,
            checkpoint.contains("final"),
            "{checkpoint}"
        );
    }
    work.options.checkpoint = "latest".to_owned();
    let error = work.run().unwrap_err();
    assert!(error.to_string().contains("model_latest.model"), "{error}");
}

#[test]
fn the_postprocessing_of_the_model_is_applied_unless_it_is_switched_off() {
    let mut work = Work::new(&["a", "b"]);
    let plans = Plans::read(&work.model.plans()).unwrap();
    let classes: Vec<i16> = plans.all_classes.iter().map(|class| *class as i16).collect();
    work.counts();
    let raw = ["a", "b"].map(|case| work.labels(case));
    let rules = Rules {
        for_which_classes: classes.iter().copied().map(Region::Label).collect(),
        ..Rules::default()
    };
    write_rules(&work.model.postprocessing(), &rules).unwrap();
    assert_eq!(work.counts(), (2, 0, vec!["WARN_OUTPUT_REPLACED"]));
    assert_eq!(
        work.setting("postprocessing"),
        json!(classes.iter().map(|class| [class]).collect::<Vec<_>>())
    );
    assert_eq!(
        fs::read(work.output("postprocessing.json")).unwrap(),
        fs::read(work.model.postprocessing()).unwrap()
    );
    let mut changed = 0;
    for (case, raw) in ["a", "b"].into_iter().zip(&raw) {
        let mut expected = raw.clone();
        rules.apply(expected.view_mut(), &Geometry::default()).unwrap();
        assert_eq!(work.labels(case), expected);
        changed += usize::from(expected != *raw);
    }
    assert!(
        changed > 0,
        "the model has one component of each class in every case"
    );
    // Rules of v2 are others: their components also touch by edges and corners.
    let full = Rules {
        full_connectivity: true,
        ..rules
    };
    write_rules(&work.model.postprocessing(), &full).unwrap();
    assert_eq!(work.counts(), (2, 0, vec!["WARN_OUTPUT_REPLACED"]));
    let mut expected = raw[0].clone();
    full.apply(expected.view_mut(), &Geometry::default()).unwrap();
    assert_eq!(work.labels("a"), expected);
    assert_eq!(work.counts(), (0, 2, Vec::new()));
    work.options.postprocessing = false;
    assert_eq!(work.counts(), (2, 0, vec!["WARN_OUTPUT_REPLACED"]));
    assert_eq!(work.labels("a"), raw[0]);

    // A file that cannot be applied is an error before the first case.
    work.options.postprocessing = true;
    fs::write(work.model.postprocessing(), r#"{"for_which_classes": [0]}"#).unwrap();
    assert_eq!(work.run().unwrap_err().code(), "ERR_POSTPROCESSING_BACKGROUND");
    fs::write(work.model.postprocessing(), "{").unwrap();
    assert_eq!(work.run().unwrap_err().code(), "ERR_POSTPROCESSING_FILE");
}

#[test]
fn a_prediction_that_is_not_finite_fails_and_writes_nothing() {
    let mut work = Work::new(&["a"]);
    let file = work.model.fold(Fold::Index(0)).checkpoint(FINAL_CHECKPOINT);
    let mut checkpoint = Checkpoint::read(&file).unwrap();
    for (_, values) in checkpoint
        .state
        .iter_mut()
        .filter(|(name, _)| name.starts_with("seg_outputs"))
    {
        values.index_axis_mut(Axis(0), 0).fill(f32::NAN);
    }
    checkpoint.write(&file).unwrap();
    let found = work.run().unwrap();
    assert_eq!((found.written, found.failures.len()), (0, 1));
    assert_eq!(found.failures[0].code, "ERR_SOFTMAX_NOT_FINITE");
    assert!(!work.output("a.nii.gz").exists());
}
