//! Whole-case validation after a training.

use std::path::Path;

use dataset::results::FoldFolder;
use dataset::CaseProperties;
use engine::checkpoint::Checkpoint;
use ndarray::{ArrayD, Axis, Slice};
use serde_json::Value;
use volume::{nifti, npz};

use super::*;

fn fold_of(summary: &TrainSummary) -> FoldFolder {
    FoldFolder {
        path: summary.folder.clone(),
        fold: Fold::Index(0),
    }
}

fn json(path: &Path) -> Value {
    // nnU-Net writes NaN for undefined metrics.
    let text = std::fs::read_to_string(path).unwrap().replace("NaN", "null");
    serde_json::from_str(&text).unwrap()
}

fn segmentations(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = nifti::list(folder).unwrap();
    files
        .into_iter()
        .map(|(case, path)| (case, std::fs::read(path).unwrap()))
        .collect()
}

#[test]
fn a_fold_is_validated_on_whole_cases() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2Sparse", "results");
    (options.epochs, options.iterations) = (2, 40);
    let (summary, events) = run_until(&options, None);
    let summary = summary.unwrap();
    let report = summary.validation.clone().unwrap();
    let found = events.iter().find_map(|event| match event {
        Event::Validation(report) => Some(report),
        _ => None,
    });
    assert_eq!(found, Some(&report));
    let fold = fold_of(&summary);
    assert_eq!(report.folder, fold.validation_raw());
    let dice = report.dice[0].unwrap();
    assert!(dice > 0.3, "{dice}");
    assert!(report.failures.is_empty() && !report.cases.is_empty());

    // The Dice of a case, counted here: unlabelled voxels have a label in the reference, so that they count.
    let case = &report.cases[0];
    let read = |folder: PathBuf| {
        nifti::read_labels(&folder.join(format!("{}.nii.gz", case.case)))
            .unwrap()
            .0
    };
    let reference = read(task.0.preprocessed.join("Task901_Ball/gt_segmentations"));
    let predicted = read(fold.validation_raw());
    let count = |test: &dyn Fn(i16, i16) -> bool| {
        let pairs = reference.iter().zip(&predicted);
        pairs.filter(|(&a, &b)| test(a, b)).count() as f64
    };
    let both = count(&|a, b| a == 1 && b == 1);
    let expected = 2.0 * both / (count(&|a, _| a == 1) + count(&|_, b| b == 1));
    assert!((case.dice[0].unwrap() - expected).abs() < 1e-12);

    let means = json(&fold.validation_raw().join("summary.json"));
    assert_eq!(means["results"]["mean"]["1"]["Dice"].as_f64(), report.dice[0]);
    assert!(
        means["results"]["mean"]["0"]["Dice"].is_f64(),
        "the background, as in nnU-Net"
    );
    let rules = json(&fold.postprocessing());
    assert_eq!(rules["num_samples"].as_u64(), Some(report.cases.len() as u64));
    assert_eq!(rules["validation_final"], "validation_raw_postprocessed");
    assert_eq!(
        rules["for_which_classes"].as_array().unwrap().len(),
        report.postprocessing.unwrap().len()
    );
    let after = json(&fold.validation_raw_postprocessed().join("summary.json"));
    assert_eq!(
        after["results"]["mean"]["1"]["Dice"].as_f64(),
        report.postprocessed_dice.unwrap()[0]
    );
    let kept = nifti::list(&fold.model().gt_niftis()).unwrap();
    assert_eq!(kept.len(), BallTask::CASES);
}

#[test]
fn validation_only_repeats_the_validation() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    options.validate = false;
    let missing = run_until(
        &TrainOptions {
            validation_only: true,
            validate: true,
            ..options.clone()
        },
        None,
    );
    assert_eq!(missing.0.unwrap_err().code(), "ERR_NOT_FOUND");
    let first = run_until(&options, None).0.unwrap();
    let fold = fold_of(&first);
    assert!(first.validation.is_none() && !fold.validation_raw().exists());
    let checkpoint = Checkpoint::read(&first.checkpoint).unwrap();

    (options.validate, options.validation_only) = (true, true);
    let second = run_until(&options, None).0.unwrap();
    let written = segmentations(&fold.validation_raw());
    assert_eq!(written.len(), second.validation.as_ref().unwrap().cases.len());
    std::fs::remove_dir_all(fold.validation_raw()).unwrap();
    options.npz = true;
    // The reference of a training case, without compression.
    let references = task.0.preprocessed.join("Task901_Ball/gt_segmentations");
    let mut all = nifti::list(&references).unwrap().into_iter();
    let (plain, compressed) = all
        .find(|(case, _)| written.iter().all(|(w, _)| w != case))
        .unwrap();
    let stored = nifti::Stored::open(&compressed).unwrap();
    stored.save(&references.join(format!("{plain}.nii"))).unwrap();
    std::fs::remove_file(compressed).unwrap();
    let (third, events) = run_until(&options, None);
    assert!(!events.iter().any(|e| matches!(e, Event::Iteration { .. })));
    assert_eq!(third.unwrap().validation, second.validation);
    assert_eq!(segmentations(&fold.validation_raw()), written);
    let softmax: ArrayD<f32> = npz::read(
        &fold.validation_raw().join(format!("{}.npz", written[0].0)),
        "softmax",
    )
    .unwrap();
    assert_eq!(softmax.shape()[0], 2);
    assert_eq!(Checkpoint::read(&first.checkpoint).unwrap(), checkpoint);
    let kept = fold.model().gt_niftis().join(format!("{plain}.nii.gz"));
    let gzip = [0x1f, 0x8b];
    assert_eq!(std::fs::read(kept).unwrap()[..2], gzip);
}

/// Cancels when the network has segmented three cases of the validation.
struct StopInValidation(Cancel);

impl Sink for StopInValidation {
    fn emit(&self, event: Event) {
        if matches!(event, Event::Progress { unit: "% of a case", done, .. } if done >= 300) {
            self.0.cancel();
        }
    }
}

#[test]
fn an_interrupted_validation_continues_with_the_next_case() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "whole");
    options.data.fold = Fold::All;
    let whole = run_until(&options, None).0.unwrap();
    let cancel = Cancel::new();
    options.data.folders.results = Some(task.path("parts"));
    let stopped = train(
        &options,
        &Context::new(Arc::new(StopInValidation(cancel.clone())), cancel, THREADS),
    );
    assert_eq!(stopped.unwrap_err().code(), "ERR_CANCELLED");
    let model = task.path("parts/nnUNet/3d_fullres/Task901_Ball/nnUNetTrainerV2__nnUNetPlansv2.1/all");
    let folder = model.join("validation_raw");
    let before = segmentations(&folder);
    assert!((1..BallTask::CASES).contains(&before.len()), "{}", before.len());
    // A finished case is not segmented again.
    let first = folder.join(format!("{}.nii.gz", before[0].0));
    let time = std::fs::metadata(&first).unwrap().modified().unwrap();
    options.resume = true;
    let (rest, events) = run_until(&options, None);
    assert!(!events.iter().any(|e| matches!(e, Event::Iteration { .. })));
    assert_eq!(std::fs::metadata(&first).unwrap().modified().unwrap(), time);
    assert_eq!(
        rest.unwrap().validation.unwrap().cases,
        whole.validation.unwrap().cases
    );
    assert_eq!(
        segmentations(&folder),
        segmentations(&whole.folder.join("validation_raw"))
    );
}

#[test]
fn folds_are_trained_one_after_the_other() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    options.folds = Some(vec![Fold::Index(1), Fold::Index(0)]);
    let summary = run_until(&options, None).0.unwrap();
    let folds: Vec<Fold> = summary.folds.iter().map(|one| one.fold).collect();
    assert_eq!(folds, options.folds.clone().unwrap());
    assert!(summary
        .folds
        .iter()
        .all(|one| one.checkpoint.is_file() && one.validation.is_some()));
    assert!(summary.folder.ends_with("fold_0"));
    // The second fold exists: nothing of the first is trained.
    options.folds = Some(vec![Fold::Index(2), Fold::Index(0)]);
    assert_eq!(run_until(&options, None).0.unwrap_err().code(), "ERR_FOLD_EXISTS");
    assert!(!summary.folder.with_file_name("fold_2").exists());
}

#[test]
fn a_missing_reference_is_found_before_the_training() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    std::fs::remove_dir_all(task.0.preprocessed.join("Task901_Ball/gt_segmentations")).unwrap();
    let error = run_until(&options, None).0.unwrap_err();
    assert_eq!(error.code(), "ERR_NOT_FOUND");
    assert!(error.to_string().contains("--no-validate"), "{error}");
    assert!(!task.path("results").exists());
    options.validate = false;
    run_until(&options, None).0.unwrap();
}

/// Adds a low resolution to the task: every second slice of its cases.
fn add_low_resolution(task: &Task) -> Plans {
    let folder = task.0.stage.parent().unwrap();
    let path = folder.join(Configuration::FullRes.plans_file());
    let mut plans = Plans::read(&path).unwrap();
    let full = plans.plans_per_stage[&0].clone();
    let mut low = full.clone();
    low.current_spacing = [2.0, 1.0, 1.0];
    low.patch_size = vec![4, 12, 12];
    low.pool_op_kernel_sizes = vec![vec![1, 2, 2]; full.pool_op_kernel_sizes.len()];
    plans.plans_per_stage = [(0, low), (1, full)].into();
    plans.num_stages = 2;
    plans.write(&path).unwrap();
    let (low, full) = (
        folder.join(plans.data_folder(0)),
        folder.join(plans.data_folder(1)),
    );
    for entry in std::fs::read_dir(&low).unwrap() {
        let path = entry.unwrap().path();
        std::fs::create_dir_all(&full).unwrap();
        std::fs::copy(&path, full.join(path.file_name().unwrap())).unwrap();
    }
    for case in 0..BallTask::CASES {
        let path = low.join(format!("ball_{case:03}.npz"));
        let data: ArrayD<f32> = npz::read(&path, "data").unwrap();
        let half = data.slice_axis(Axis(1), Slice::from(..).step_by(2)).to_owned();
        npz::write(&path, &[("data", half.view())], npz::Compression::Fast).unwrap();
        let file = path.with_extension("pkl");
        let mut properties = CaseProperties::read(&file).unwrap();
        properties.set_spacing_after_resampling([2.0, 1.0, 1.0]);
        let mut locations = properties.class_locations().unwrap();
        for all in locations.values_mut() {
            all.column_mut(0).mapv_inplace(|z| z / 2);
        }
        properties.set_class_locations(locations);
        properties.write(&file).unwrap();
    }
    plans
}

#[test]
fn a_cascade_trains_its_second_stage_from_the_first() {
    let task = Task::new();
    add_low_resolution(&task);
    let mut options = task.options("nnUNetTrainerV2", "results");
    options.data.configuration = Configuration::LowRes;
    options.data.fold = Fold::All;
    (options.epochs, options.iterations) = (1, 40);
    run_until(&options, None).0.unwrap();
    let model = task.path("results/nnUNet/3d_lowres/Task901_Ball/nnUNetTrainerV2__nnUNetPlansv2.1");
    let next = model.join("pred_next_stage");
    for case in 0..BallTask::CASES {
        let labels: ArrayD<u8> =
            npz::read(&next.join(format!("ball_{case:03}_segFromPrevStage.npz")), "data").unwrap();
        assert_eq!(labels.shape(), BallTask::SHAPE);
        let inside = labels.iter().filter(|&&label| label == 1).count();
        assert!(inside > 10 && inside < labels.len() / 2, "{inside}");
    }
    options.data.configuration = Configuration::CascadeFullRes;
    let second = run_until(&options, None).0.unwrap();
    let report = second.validation.unwrap();
    assert_eq!(report.cases.len(), BallTask::CASES);
    assert!(report.dice[0].unwrap() > 0.3, "{:?}", report.dice);
}

#[test]
fn a_class_that_the_validation_cases_are_not_annotated_for_has_no_dice() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    options.epochs = 1;
    let setup = Setup::new(&options, Instant::now(), &Context::silent(1)).unwrap();
    let cases: std::collections::BTreeMap<&String, [i64; 0]> =
        setup.data.split.val.iter().map(|case| (case, [])).collect();
    let file = task.path("present.json");
    std::fs::write(&file, serde_json::to_string(&cases).unwrap()).unwrap();
    options.data.present_labels = Some(file);
    let report = run_until(&options, None).0.unwrap().validation.unwrap();
    assert_eq!(report.dice, [None]);
    assert!(!report.cases.is_empty() && report.cases.iter().all(|case| case.dice == [None]));
}
