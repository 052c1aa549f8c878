//! What a run does with a fold's folder that is not empty, and when it stops.

use std::path::Path;

use dataset::results::{FoldFolder, BEST_CHECKPOINT, LATEST_CHECKPOINT};
use engine::checkpoint::Checkpoint;
use storage::Lock;

use super::*;

/// Every file below a folder with its content.
fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return all;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(content(&path));
        } else {
            all.push((path.clone(), std::fs::read(path).unwrap()));
        }
    }
    all.sort();
    all
}

fn warned(events: &[Event], expected: &str) -> bool {
    events
        .iter()
        .any(|event| matches!(event, Event::Warning { code, .. } if *code == expected))
}

#[test]
fn a_fold_with_checkpoints_is_replaced_on_request_only() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    let first = run_until(&options, None).0.unwrap();
    let model = first.folder.parent().unwrap().to_owned();
    let before = content(&model);
    let error = run_until(&options, None).0.unwrap_err();
    assert_eq!(error.code(), "ERR_FOLD_EXISTS");
    let text = error.to_string();
    assert!(
        text.contains("--continue") && text.contains("--overwrite") && text.contains("after 3 epochs"),
        "{text}"
    );
    assert_eq!(content(&model), before);

    (options.overwrite, options.data.seed) = (true, 8);
    let (second, events) = run_until(&options, None);
    assert!(warned(&events, "WARN_FOLD_REPLACED"));
    let position = Checkpoint::read(&second.unwrap().checkpoint).unwrap().position;
    assert_eq!(position.unwrap().seed, 8);
    let aside = std::fs::read_dir(&model)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("replaced_fold_0_")
        })
        .unwrap();
    let names = |all: Vec<(PathBuf, Vec<u8>)>, folder: &Path| -> Vec<_> {
        let relative =
            |(path, bytes): (PathBuf, _)| Some((path.strip_prefix(folder).ok()?.to_owned(), bytes));
        all.into_iter().filter_map(relative).collect()
    };
    assert_eq!(names(content(&aside), &aside), names(before, &first.folder));
    let both = TrainOptions {
        resume: true,
        ..options
    };
    assert_eq!(run_until(&both, None).0.unwrap_err().code(), "ERR_OPTIONS");
}

#[test]
fn nothing_is_written_before_the_first_batch() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    run_until(&options, None).0.unwrap();
    let before = content(&task.path("results"));
    for case in 0..BallTask::CASES {
        std::fs::write(task.0.stage.join(format!("ball_{case:03}.npz")), "no archive").unwrap();
        let _ = std::fs::remove_file(task.0.stage.join(format!("ball_{case:03}.npy")));
    }
    options.overwrite = true;
    assert_eq!(run_until(&options, None).0.unwrap_err().code(), "ERR_NPZ_ARCHIVE");
    assert_eq!(content(&task.path("results")), before);
    options.data.folders.results = Some(task.path("other"));
    run_until(&options, None).0.unwrap_err();
    assert!(!task.path("other").exists());
}

#[test]
fn a_second_run_of_a_fold_is_refused_while_the_first_trains() {
    let task = Task::new();
    let options = task.options("nnUNetTrainerV2", "results");
    let model = task.path("results/nnUNet/3d_fullres/Task901_Ball/nnUNetTrainerV2__nnUNetPlansv2.1");
    std::fs::create_dir_all(&model).unwrap();
    let lock = Lock::acquire(&model.join("fold_0.lock")).unwrap();
    let error = run_until(&options, None).0.unwrap_err();
    assert_eq!(error.code(), "ERR_LOCKED");
    let pid = std::process::id().to_string();
    assert!(error.to_string().contains(&pid), "{error}");
    assert!(!model.join("fold_0").exists());
    // Another fold of the model trains.
    let mut other = options.clone();
    other.data.fold = Fold::Index(1);
    run_until(&other, None).0.unwrap();
    drop(lock);
    run_until(&options, None).0.unwrap();
    assert!(!model.join("fold_0.lock").exists());
}

#[test]
fn the_folds_of_a_model_have_the_same_plans() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    let first = run_until(&options, None).0.unwrap();
    let plans = std::fs::read(first.folder.join("../plans.pkl")).unwrap();
    options.data.fold = Fold::Index(1);
    options.data.batch_size = Some(3);
    let error = run_until(&options, None).0.unwrap_err();
    assert_eq!(error.code(), "ERR_MODEL_PLANS");
    assert!(error.to_string().contains("batch_size"), "{error}");
    // Not by continuing, either.
    options.data.fold = Fold::Index(0);
    (options.resume, options.epochs) = (true, 4);
    assert_eq!(run_until(&options, None).0.unwrap_err().code(), "ERR_MODEL_PLANS");
    assert_eq!(std::fs::read(first.folder.join("../plans.pkl")).unwrap(), plans);
    // The only fold may be trained anew with other plans.
    (options.resume, options.overwrite) = (false, true);
    run_until(&options, None).0.unwrap();
    assert_ne!(std::fs::read(first.folder.join("../plans.pkl")).unwrap(), plans);
}

#[test]
fn a_damaged_latest_checkpoint_names_a_whole_one() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    let first = run_until(&options, None).0.unwrap();
    let fold = FoldFolder {
        path: first.folder.clone(),
        fold: Fold::Index(0),
    };
    let bytes = std::fs::read(&first.checkpoint).unwrap();
    std::fs::rename(&first.checkpoint, fold.checkpoint(BEST_CHECKPOINT)).unwrap();
    std::fs::write(fold.checkpoint(LATEST_CHECKPOINT), &bytes[..bytes.len() / 2]).unwrap();
    (options.resume, options.epochs) = (true, 4);
    let error = run_until(&options, None).0.unwrap_err();
    assert_eq!(error.code(), "ERR_LATEST_DAMAGED");
    let text = error.to_string();
    assert!(
        text.contains("model_best.model is whole, after 3 epochs"),
        "{text}"
    );
    std::fs::remove_file(fold.checkpoint(LATEST_CHECKPOINT)).unwrap();
    assert_eq!(run_until(&options, None).0.unwrap().epochs, 4);
}

#[test]
fn a_run_ends_when_its_time_is_over_and_continues() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    (options.epochs, options.iterations) = (1000, 1000);
    options.stop_after = Some("1s".to_owned());
    let (result, events) = run_until(&options, None);
    let error = result.unwrap_err();
    assert_eq!(error.code(), "ERR_TIME_LIMIT");
    assert!(error.to_string().contains("--continue"), "{error}");
    let Error::TimeLimit { path, .. } = error else {
        unreachable!()
    };
    let position = Checkpoint::read(&path).unwrap().position.unwrap();
    let done = events
        .iter()
        .filter(|e| matches!(e, Event::Iteration { .. }))
        .count();
    assert_eq!(position.iteration as usize % 1000, done % 1000);
    options.stop_after = Some("soon".to_owned());
    assert_eq!(run_until(&options, None).0.unwrap_err().code(), "ERR_OPTIONS");
}

#[test]
fn training_ends_early_without_a_new_best() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    // With this rate the network stays as it is, and so does its Dice.
    (options.epochs, options.initial_lr, options.patience) = (20, f64::MIN_POSITIVE, Some(2));
    options.iterations = 1;
    let first = run_until(&options, None).0.unwrap();
    assert!(first.epochs < 20, "{}", first.epochs);
    let checkpoint = Checkpoint::read(&first.checkpoint).unwrap();
    options.resume = true;
    let again = run_until(&options, None).0.unwrap();
    assert_eq!(again.epochs, first.epochs);
    assert_eq!(Checkpoint::read(&again.checkpoint).unwrap(), checkpoint);
}
