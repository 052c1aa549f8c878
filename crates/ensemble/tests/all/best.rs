//! `findBestConfiguration` on small made-up folders, whose scores are computed by hand.

use std::fs;
use std::path::{Path, PathBuf};

use dataset::{CaseProperties, Configuration, Fold, Folders};
use ensemble::{find_best_configuration, Error, FindBestConfigurationOptions, FindBestConfigurationSummary};
use evaluate::{evaluate_folder, EvaluateOptions};
use ndarray::{Array3, Array4};
use run::{Coded, Context};
use volume::{nifti, npz, Geometry};

const TASK: &str = "Task501_X";
const LENGTH: usize = 8;

fn properties() -> CaseProperties {
    let mut properties = CaseProperties::new();
    let size = [1, 1, LENGTH];
    properties.set_original_size_of_raw_data(size);
    properties.set_size_after_cropping(size);
    properties.set_crop_bbox([[0, 1], [0, 1], [0, LENGTH]]);
    properties.set_original_spacing([1.0; 3]);
    properties.set_spacing_after_resampling([1.0; 3]);
    properties.set_itk_spacing([1.0; 3]);
    properties.set_itk_origin([0.0; 3]);
    properties.set_itk_direction(Geometry::default().direction);
    properties
}

/// A row of voxels.
fn labels(row: [i16; LENGTH]) -> Array3<i16> {
    Array3::from_shape_vec((1, 1, LENGTH), row.to_vec()).unwrap()
}

/// Writes a validation case: its labels are the class with the larger softmax of the row.
fn case(folder: &Path, name: &str, foreground: [f32; LENGTH]) {
    fs::create_dir_all(folder).unwrap();
    let row = foreground.map(|p| i16::from(p > 0.5));
    nifti::write_labels(
        &folder.join(format!("{name}.nii.gz")),
        labels(row).view(),
        &Geometry::default(),
    )
    .unwrap();
    let softmax = Array4::from_shape_fn((2, 1, 1, LENGTH), |(c, _, _, x)| {
        if c == 1 {
            foreground[x]
        } else {
            1.0 - foreground[x]
        }
    });
    let file = folder.join(format!("{name}.npz"));
    npz::write(
        &file,
        &[("softmax", softmax.view().into_dyn())],
        npz::Compression::Fast,
    )
    .unwrap();
    properties().write(&folder.join(format!("{name}.pkl"))).unwrap();
}

struct Work {
    guard: tempfile::TempDir,
    options: FindBestConfigurationOptions,
}

impl Work {
    /// Two configurations with two folds of one case each. The reference has the voxels 0 to 3.
    ///
    /// 2d: voxels 0 1 2 3 and 6, so Dice is 2 * 4 / (4 + 5) = 8/9 (8 / 8 = 1 once the voxel 6 is removed).
    /// 3d_fullres: voxels 0 1 2, so Dice is 2 * 3 / (4 + 3) = 6/7.
    /// Both: 0.5 * (0.6 + 0.45) > 0.5 at voxel 3 and 0.5 * (0.6 + 0.1) < 0.5 at voxel 6, so Dice is 1.
    fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let mut options = FindBestConfigurationOptions::new(TASK.to_owned());
        options.configurations = Some(vec![Configuration::TwoD, Configuration::FullRes]);
        options.folds = Some(vec![Fold::Index(0), Fold::Index(1)]);
        options.folders = Folders {
            results: Some(guard.path().to_owned()),
            ..Folders::default()
        };
        let work = Self { guard, options };
        work.model("2d", [0.9, 0.9, 0.9, 0.6, 0.1, 0.1, 0.6, 0.1]);
        work.model("3d_fullres", [0.9, 0.9, 0.9, 0.45, 0.1, 0.1, 0.1, 0.1]);
        work
    }

    fn folder(&self, configuration: &str) -> PathBuf {
        let model = "nnUNetTrainerV2__nnUNetPlansv2.1";
        self.guard
            .path()
            .join("nnUNet")
            .join(configuration)
            .join(TASK)
            .join(model)
    }

    fn model(&self, configuration: &str, foreground: [f32; LENGTH]) {
        let model = self.folder(configuration);
        let references = model.join("gt_niftis");
        fs::create_dir_all(&references).unwrap();
        for (fold, name) in ["a", "b"].iter().enumerate() {
            let row = labels([1, 1, 1, 1, 0, 0, 0, 0]);
            let file = references.join(format!("{name}.nii.gz"));
            nifti::write_labels(&file, row.view(), &Geometry::default()).unwrap();
            let raw = model.join(format!("fold_{fold}/validation_raw"));
            case(&raw, name, foreground);
            let mut evaluation = EvaluateOptions::new(&*references, &*raw);
            evaluation.predicted_only = true;
            evaluate_folder(&evaluation, &Context::silent(1)).unwrap();
        }
    }

    fn run(&self) -> Result<FindBestConfigurationSummary, Error> {
        find_best_configuration(&self.options, &Context::silent(1))
    }

    fn code(&self) -> String {
        self.run().unwrap_err().code().to_owned()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.guard.path().join("nnUNet/ensembles").join(TASK).join(name)).unwrap()
    }
}

const ENSEMBLE: &str =
    "ensemble_2d__nnUNetTrainerV2__nnUNetPlansv2.1--3d_fullres__nnUNetTrainerV2__nnUNetPlansv2.1";

#[test]
fn the_ensemble_wins_by_its_dice_without_postprocessing() {
    let work = Work::new();
    // Results of an earlier run are not used.
    let stale = work
        .guard
        .path()
        .join("nnUNet/ensembles")
        .join(TASK)
        .join(ENSEMBLE)
        .join("ensembled_raw");
    fs::create_dir_all(&stale).unwrap();
    fs::write(stale.join("old.nii.gz"), "old").unwrap();
    let found = work.run().unwrap();
    let scores: Vec<_> = found
        .candidates
        .iter()
        .map(|one| {
            (
                &*one.name,
                one.mean_dice.unwrap(),
                one.postprocessed_mean_dice.unwrap(),
            )
        })
        .collect();
    assert_eq!(
        scores,
        [
            ("2d", 8.0 / 9.0, 1.0),
            ("3d_fullres", 6.0 / 7.0, 6.0 / 7.0),
            (ENSEMBLE, 1.0, 1.0)
        ]
    );
    assert_eq!(found.candidates[0].postprocessing, Some(vec![vec![1]]));
    assert_eq!((&*found.best, found.mean_dice, found.cases), (ENSEMBLE, 1.0, 2));
    assert!(!stale.join("old.nii.gz").exists());
    for name in [
        "postprocessing.json",
        "ensembled_postprocessed/summary.json",
        "ensembled_raw/a.nii.gz",
    ] {
        assert!(found.output.join(ENSEMBLE).join(name).is_file(), "{name}");
    }
    let csv = format!(
        "model,class1,average\n2d,0.8889,0.8889\n3d_fullres,0.8571,0.8571\n{ENSEMBLE},1.0000,1.0000\n"
    );
    assert_eq!(work.text("summary.csv"), csv);
    assert_eq!(
        work.text("prediction_commands.txt"),
        found.commands.join("\n") + "\n"
    );
    let [one, two, three] = &*found.commands else {
        panic!("{:?}", found.commands)
    };
    let predict = |i: usize, configuration: &str| {
        format!(
            "nnunet-diag predict -i FOLDER_WITH_TEST_CASES -o OUTPUT_FOLDER_MODEL{i} --model {} --folds 0 1 --save-softmax",
            work.folder(configuration).display()
        )
    };
    assert_eq!([one, two], [&predict(1, "2d"), &predict(2, "3d_fullres")]);
    let rules = found.output.join(ENSEMBLE).join("postprocessing.json");
    let end = format!("-o OUTPUT_FOLDER --rules {}", rules.display());
    assert!(three.ends_with(&end), "{three}");
    let json: serde_json::Value = serde_json::from_str(&work.text("best_configuration.json")).unwrap();
    assert_eq!(json, serde_json::to_value(&found).unwrap());
}

#[test]
fn without_ensembles_and_postprocessing_the_best_configuration_wins() {
    let mut work = Work::new();
    (work.options.ensembling, work.options.postprocessing) = (false, false);
    fs::remove_file(work.folder("2d").join("fold_0/validation_raw/a.npz")).unwrap();
    let found = work.run().unwrap();
    assert_eq!((&*found.best, found.candidates.len()), ("2d", 2));
    assert!(
        found.commands[0].ends_with("--folds 0 1 --no-postprocessing"),
        "{:?}",
        found.commands
    );
    assert!(!work.folder("2d").join("postprocessing.json").exists());
    assert_eq!(found.candidates[0].postprocessing, None);
}

#[test]
fn equal_candidates_are_all_in_the_text_and_the_first_is_best() {
    let mut work = Work::new();
    work.options.ensembling = false;
    work.model("3d_fullres", [0.9, 0.9, 0.9, 0.6, 0.1, 0.1, 0.6, 0.1]);
    let found = work.run().unwrap();
    assert_eq!((&*found.best, found.commands.len()), ("2d", 1));
    assert_eq!(work.text("prediction_commands.txt").lines().count(), 2);
}

#[test]
fn a_missing_model_is_left_out_unless_strict() {
    let mut work = Work::new();
    work.options.configurations = None;
    let found = work.run().unwrap();
    assert_eq!(
        found.missing,
        [Configuration::LowRes, Configuration::CascadeFullRes]
    );
    work.options.strict = true;
    assert_eq!(work.code(), "ERR_NOT_FOUND");
    work.options.strict = false;
    work.options.trainer = "nnUNetTrainerX".to_owned();
    assert_eq!(work.code(), "ERR_NOT_FOUND");
}

#[test]
fn missing_files_are_found_before_the_work() {
    for (file, advice) in [
        ("fold_1/validation_raw/b.npz", "--npz"),
        ("fold_1/validation_raw/b.pkl", "--npz"),
        ("fold_1/validation_raw/summary.json", "--validation-only"),
        ("fold_1", "--validation-only"),
    ] {
        let work = Work::new();
        let path = work.folder("3d_fullres").join(file);
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap()
        } else {
            fs::remove_file(&path).unwrap()
        }
        let error = work.run().unwrap_err();
        assert_eq!(error.code(), "ERR_NOT_FOUND", "{file}");
        assert!(error.to_string().contains(advice), "{error}");
        assert!(!work.folder("2d").join("cv_niftis_raw").exists());
    }
}

#[test]
fn other_validation_cases_and_values_given_twice_are_refused() {
    let mut work = Work::new();
    let raw = work.folder("3d_fullres").join("fold_1/validation_raw");
    fs::rename(raw.join("b.nii.gz"), raw.join("c.nii.gz")).unwrap();
    assert_eq!(work.code(), "ERR_ENSEMBLE_MISMATCH");
    work.options.configurations = Some(vec![Configuration::TwoD; 2]);
    assert_eq!(work.code(), "ERR_OPTIONS");
    work.options.configurations = Some(vec![Configuration::TwoD]);
    work.options.folds = Some(vec![Fold::Index(0); 2]);
    assert_eq!(work.code(), "ERR_OPTIONS");
}
