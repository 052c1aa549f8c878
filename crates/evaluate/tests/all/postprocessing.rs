//! Postprocessing compared with the recorded reference.

use std::fs;
use std::path::{Path, PathBuf};

use dataset::results::ModelFolder;
use dataset::Fold;
use evaluate::postprocessing::{
    apply_postprocessing, consolidate_folds, determine, determine_postprocessing, read_rules,
    remove_all_but_largest, ApplyPostprocessingOptions, ConsolidateFoldsOptions, DetermineOptions,
    DeterminePostprocessingOptions,
};
use evaluate::{read_summary, Error, Region};
use ndarray::Ix3;
use run::{Coded, Context};
use serde_json::Value;
use storage::{copy_file, Links};
use volume::{nifti, npz};

fn topic() -> PathBuf {
    testkit::folder("inference").join("postprocessing")
}

fn regions(recorded: &Value) -> Option<Vec<Region>> {
    serde_json::from_value(recorded.clone()).unwrap()
}

#[test]
fn removed_components_equal_recording() {
    let recorded = testkit::json(&topic().join("remove_all_but_largest.json"));
    let arrays = topic().join("remove_all_but_largest.npz");
    for (name, case) in recorded.as_object().unwrap() {
        let array = |prefix: &str| {
            let array = npz::read::<i16>(&arrays, &format!("{prefix}_{name}")).unwrap();
            array.into_dimensionality::<Ix3>().unwrap()
        };
        let mut image = array("in");
        let classes = regions(&case["for_which_classes"]);
        let sizes: Option<Vec<(Region, f64)>> = case["minimum_valid_object_size"].as_object().map(|sizes| {
            let entry = |(key, size): (&String, &Value)| {
                (Region::Label(key.parse().unwrap()), size.as_f64().unwrap())
            };
            sizes.iter().map(entry).collect()
        });
        let voxel = case["volume_per_voxel"].as_f64().unwrap();
        let found =
            remove_all_but_largest(image.view_mut(), classes.as_deref(), voxel, sizes.as_deref()).unwrap();
        assert_eq!(image, array("out"), "{name}");
        assert_eq!(
            found.len(),
            case["kept_size"].as_object().unwrap().len(),
            "{name}"
        );
        for removal in found {
            let key = removal.region.key();
            assert_eq!(
                removal.kept_size,
                case["kept_size"][&key].as_f64(),
                "{name} {key}"
            );
            assert_eq!(
                removal.largest_removed,
                case["largest_removed"][&key].as_f64(),
                "{name} {key}"
            );
        }
    }
}

#[test]
fn background_and_missing_sizes_are_rejected() {
    let mut image = ndarray::Array3::<i16>::ones((1, 1, 1));
    let zero = [Region::Union(vec![1, 0])];
    assert!(matches!(
        remove_all_but_largest(image.view_mut(), Some(&zero), 1.0, None),
        Err(Error::Background)
    ));
    let one = [Region::Label(1)];
    let none = remove_all_but_largest(image.view_mut(), Some(&one), 1.0, Some(&[]));
    assert!(matches!(none, Err(Error::MinimumSize { region }) if region == "1"));
}

/// Copies a folder's files into a new folder.
fn copy_into(source: &Path, target: &Path) {
    fs::create_dir_all(target).unwrap();
    for entry in fs::read_dir(source).unwrap() {
        copy_file(&entry.unwrap().path(), target, Links::Follow).unwrap();
    }
}

fn same_segmentations(found: &Path, recorded: &Path) {
    let mut compared = 0;
    for entry in fs::read_dir(recorded).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "gz") {
            let one = nifti::read_labels(&found.join(path.file_name().unwrap())).unwrap();
            let two = nifti::read_labels(&path).unwrap();
            assert_eq!(one.0, two.0, "{}", path.display());
            assert!(one.1.deviation(&two.1).within(1e-5), "{}", path.display());
            compared += 1;
        }
    }
    assert!(compared > 0, "{}", recorded.display());
}

#[test]
fn selected_postprocessing_equals_recording() {
    let scenarios: Vec<PathBuf> = fs::read_dir(topic().join("determine"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert!(!scenarios.is_empty());
    for scenario in scenarios {
        for (suffix, advanced) in [("", false), ("_adv", true)] {
            let recorded_file = scenario.join(format!("postprocessing{suffix}.json"));
            let base = tempfile::tempdir().unwrap();
            copy_into(
                &scenario.join("validation_raw"),
                &base.path().join("validation_raw"),
            );
            let mut options = DetermineOptions::new(base.path(), &scenario.join("gt"));
            options.minimum_sizes = advanced;
            let context = Context::silent(2);
            let found = determine_postprocessing(&options, &context).unwrap();
            let mut recorded = read_rules(&recorded_file).unwrap();
            recorded.validation_final.clone_from(&options.processed);
            assert_eq!(found, recorded, "{}", recorded_file.display());
            assert_eq!(
                read_rules(&base.path().join("postprocessing.json")).unwrap(),
                found
            );
            let finished = scenario.join(format!("validation_final{suffix}"));
            same_segmentations(&base.path().join("validation_final"), &finished);
            let ours = read_summary(&base.path().join("validation_final/summary.json"))
                .unwrap()
                .results;
            let theirs = read_summary(&finished.join("summary.json")).unwrap().results;
            for (label, scores) in &theirs.mean {
                assert!((scores.dice - ours.mean[label].dice).abs() <= 1e-12);
            }
            // No other files remain.
            assert_eq!(fs::read_dir(base.path()).unwrap().count(), 3);
            // The selected postprocessing, applied to the raw predictions, gives the same segmentations.
            let applied = base.path().join("applied");
            let raw = base.path().join("validation_raw");
            let rules = base.path().join("postprocessing.json");
            let apply = ApplyPostprocessingOptions::new(&*raw, &*applied, &*rules);
            let summary = apply_postprocessing(&apply, &context).unwrap();
            assert!(summary.failures.is_empty() && summary.written > 0);
            assert_eq!(read_rules(&applied.join("postprocessing.json")).unwrap(), found);
            same_segmentations(&applied, &finished);

            // The verb needs no evaluation before it.
            fs::remove_file(raw.join("summary.json")).unwrap();
            let mut verb = DeterminePostprocessingOptions::new(scenario.join("gt"), &*raw);
            verb.output = Some(base.path().join("other/rules.json"));
            verb.postprocessed_dir = Some(base.path().join("other/kept"));
            verb.minimum_sizes = advanced;
            let summary = determine(&verb, &context).unwrap();
            let mut rules = read_rules(&summary.output).unwrap();
            assert_eq!(summary.postprocessing, rules.label_lists());
            rules.validation_final.clone_from(&found.validation_final);
            assert_eq!(rules, found);
            same_segmentations(&base.path().join("other/kept"), &finished);
            assert_eq!(fs::read_dir(base.path().join("other")).unwrap().count(), 2);
            assert!(!raw.join("summary.json").exists());
        }
    }
}

#[test]
fn predictions_without_evaluation_are_rejected() {
    let base = tempfile::tempdir().unwrap();
    fs::create_dir(base.path().join("validation_raw")).unwrap();
    let options = DetermineOptions::new(base.path(), base.path());
    let error = determine_postprocessing(&options, &Context::silent(1)).unwrap_err();
    assert!(matches!(error, Error::Summary { .. }), "{error}");
}

/// A model whose folds share the cases of a recorded scenario, in turn.
fn cross_validation(scenario: &Path, folds: u32) -> (tempfile::TempDir, ModelFolder) {
    let guard = tempfile::tempdir().unwrap();
    let model = ModelFolder::new(guard.path().join("model"));
    copy_into(&scenario.join("gt"), &model.gt_niftis());
    for fold in (0..folds).map(Fold::Index) {
        fs::create_dir_all(model.fold(fold).validation_raw()).unwrap();
    }
    let predictions = nifti::list(&scenario.join("validation_raw")).unwrap();
    for ((_, path), fold) in predictions.into_iter().zip((0..folds).cycle()) {
        copy_file(
            &path,
            &model.fold(Fold::Index(fold)).validation_raw(),
            Links::Follow,
        )
        .unwrap();
    }
    let summary = scenario.join("validation_raw/summary.json");
    let first = model.fold(Fold::Index(0)).validation_raw();
    copy_file(&summary, &first, Links::Follow).unwrap();
    (guard, model)
}

#[test]
fn the_postprocessing_of_a_cross_validation_is_that_of_all_its_cases() {
    let scenarios = fs::read_dir(topic().join("determine")).unwrap();
    for scenario in scenarios.map(|entry| entry.unwrap().path()) {
        let (_guard, model) = cross_validation(&scenario, 2);
        let options = ConsolidateFoldsOptions::new(&*model.path);
        let found = consolidate_folds(&options, &Context::silent(2)).unwrap();
        let mut recorded = read_rules(&scenario.join("postprocessing.json")).unwrap();
        recorded.validation_raw = "cv_niftis_raw".to_owned();
        recorded.validation_final = "cv_niftis_postprocessed".to_owned();
        assert_eq!(read_rules(&found.output).unwrap(), recorded);
        assert_eq!(found.output, model.postprocessing());
        assert_eq!(found.folds, [Fold::Index(0), Fold::Index(1)]);
        same_segmentations(
            &model.path.join("cv_niftis_postprocessed"),
            &scenario.join("validation_final"),
        );
        // Again, with the same result.
        assert_eq!(consolidate_folds(&options, &Context::silent(1)).unwrap(), found);
    }
}

#[test]
fn an_incomplete_cross_validation_is_refused() {
    let scenario = fs::read_dir(topic().join("determine"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let (_guard, model) = cross_validation(&scenario, 2);
    let mut options = ConsolidateFoldsOptions::new(&*model.path);
    let code = |options: &ConsolidateFoldsOptions| {
        consolidate_folds(options, &Context::silent(1))
            .unwrap_err()
            .code()
    };
    options.folds = Some(vec![Fold::Index(0)]);
    assert_eq!(code(&options), "ERR_MISSING_PREDICTION");
    options.folds = Some(vec![Fold::Index(0), Fold::Index(0)]);
    assert_eq!(code(&options), "ERR_OPTIONS");
    options.folds = Some(vec![Fold::Index(0), Fold::Index(7)]);
    assert_eq!(code(&options), "ERR_NOT_FOUND");
    assert!(!model.postprocessing().exists());
}
