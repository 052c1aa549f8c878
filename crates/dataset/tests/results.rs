//! The layout of model folders.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use dataset::results::{ModelFolder, BEST_CHECKPOINT, FINAL_CHECKPOINT};
use dataset::{Configuration, Fold, Folders, Task};
use run::Coded;

#[test]
fn the_recorded_model_is_found_where_nnunet_keeps_it() {
    let results = testkit::folder("checkpoint").join("model");
    let first = |folder: &std::path::Path| std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let configuration = first(&results.join("nnUNet"));
    let task = first(&configuration);
    let model = first(&task);
    let name = |path: &std::path::Path| path.file_name().unwrap().to_str().unwrap().to_owned();

    let folders = Folders {
        results: Some(results),
        ..Folders::default()
    };
    let configuration: Configuration = name(&configuration).parse().unwrap();
    let task = Task::from_name(&name(&task)).unwrap();
    let trainer = name(&model).split("__").next().unwrap().to_owned();
    let found = ModelFolder::locate(&folders, configuration, &task, &trainer).unwrap();
    assert_eq!(found.path, model);
    assert!(found.plans().is_file());
    assert!(found.gt_niftis().is_dir());
    for fold in found.folds(FINAL_CHECKPOINT).unwrap() {
        let fold = found.fold(fold);
        assert!(fold.checkpoint_info(FINAL_CHECKPOINT).is_file());
        assert!(fold.checkpoint(BEST_CHECKPOINT).is_file());
        assert!(fold.validation_raw().is_dir() && fold.validation_raw_postprocessed().is_dir());
        assert!(fold.postprocessing().is_file() && fold.debug().is_file());
        assert_eq!(fold.model(), found);
    }
}

#[test]
fn folds_are_listed_by_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let model = ModelFolder::new(folder.path());
    assert!(model
        .folds(FINAL_CHECKPOINT)
        .unwrap_err()
        .to_string()
        .contains("not the folder of a model"));
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
    let error = model.folds(BEST_CHECKPOINT).unwrap_err();
    assert_eq!(error.code(), "ERR_NOT_FOUND");
    assert!(
        error.to_string().contains("fold_2, fold_3, fold_10, all"),
        "{error}"
    );
}
