//! Layout of model folders.

use std::path::{Path, PathBuf};

use dataset::results::{ModelFolder, BEST_CHECKPOINT, FINAL_CHECKPOINT, LATEST_CHECKPOINT};
use dataset::{Configuration, Fold, Folders, Task};
use run::Coded;

/// The entries of a folder, sorted.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[test]
fn recorded_models_are_in_nnunet_folders() {
    let results = testkit::folder("checkpoint").join("model");
    let folders = Folders {
        results: Some(results.clone()),
        ..Folders::default()
    };
    let mut models = 0;
    for configuration in entries(&results.join("nnUNet")) {
        for task in entries(&configuration) {
            for model in entries(&task) {
                let configuration: Configuration = name(&configuration).parse().unwrap();
                let task = Task::from_name(name(&task)).unwrap();
                let trainer = name(&model).split("__").next().unwrap();
                let found = ModelFolder::locate(&folders, configuration, &task, trainer).unwrap();
                assert_eq!(found.path, model);
                every_entry_has_a_name(&found);
                models += 1;
            }
        }
    }
    assert!(models > 0);
}

/// A run may write only some of these files. Every recorded file must have a known path.
fn every_entry_has_a_name(model: &ModelFolder) {
    let folds = model.folds(FINAL_CHECKPOINT).unwrap();
    let mut known = vec![model.plans(), model.gt_niftis(), model.postprocessing()];
    known.extend(folds.iter().map(|&fold| model.fold(fold).path));
    for entry in entries(&model.path) {
        assert!(known.contains(&entry), "{}", entry.display());
    }
    assert!(model.plans().is_file());
    for fold in folds {
        let fold = model.fold(fold);
        let mut known = vec![fold.validation_raw(), fold.validation_raw_postprocessed()];
        known.extend([
            fold.postprocessing(),
            fold.debug(),
            fold.path.join("progress.png"),
        ]);
        for checkpoint in [FINAL_CHECKPOINT, BEST_CHECKPOINT, LATEST_CHECKPOINT] {
            known.extend([fold.checkpoint(checkpoint), fold.checkpoint_info(checkpoint)]);
        }
        for entry in entries(&fold.path) {
            let log = name(&entry).starts_with("training_log_");
            assert!(log || known.contains(&entry), "{}", entry.display());
        }
        assert!(fold.checkpoint_info(FINAL_CHECKPOINT).is_file());
        assert_eq!(&fold.model(), model);
    }
}

#[test]
fn folds_with_checkpoint_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let model = ModelFolder::new(folder.path());
    assert!(model
        .folds(FINAL_CHECKPOINT)
        .unwrap_err()
        .to_string()
        .contains("not a model folder"));
    for fold in [Fold::Index(10), Fold::All, Fold::Index(2), Fold::Index(3)] {
        std::fs::create_dir(model.fold(fold).path).unwrap();
        if fold != Fold::Index(3) {
            std::fs::write(model.fold(fold).checkpoint(FINAL_CHECKPOINT), "").unwrap();
        }
    }
    std::fs::create_dir(folder.path().join("fold_x")).unwrap();
    assert_eq!(
        model.folds(FINAL_CHECKPOINT).unwrap(),
        [Fold::Index(2), Fold::Index(10), Fold::All]
    );
    // As nnU-Net v1: numbered folds, never `all` beside them.
    let folds = model.default_folds(FINAL_CHECKPOINT).unwrap();
    assert_eq!(folds.finished, [Fold::Index(2), Fold::Index(10)]);
    assert_eq!(folds.unfinished, [Fold::Index(3)]);
    let error = model.folds(BEST_CHECKPOINT).unwrap_err();
    assert_eq!(error.code(), "ERR_NOT_FOUND");
    assert!(
        error.to_string().contains("fold_2, fold_3, fold_10, all"),
        "{error}"
    );
}

#[test]
fn the_default_folds_are_all_only_without_numbered_ones() {
    let folder = tempfile::tempdir().unwrap();
    let model = ModelFolder::new(folder.path());
    std::fs::create_dir(model.fold(Fold::All).path).unwrap();
    std::fs::write(model.fold(Fold::All).checkpoint(FINAL_CHECKPOINT), "").unwrap();
    let folds = model.default_folds(FINAL_CHECKPOINT).unwrap();
    assert_eq!(folds.finished, [Fold::All]);
    std::fs::create_dir(model.fold(Fold::Index(0)).path).unwrap();
    let error = model.default_folds(FINAL_CHECKPOINT).unwrap_err();
    assert_eq!(error.code(), "ERR_NOT_FOUND");
    assert!(error.to_string().contains("fold_0"), "{error}");
}
