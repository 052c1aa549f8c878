//! Learning curves beside the checkpoints.

use std::path::Path;

use run::EpochReport;

use super::{run_until, Task};
use crate::pictures::{PICTURE_FILE, TABLE_FILE};
use run::Event;

fn epochs(events: &[Event]) -> Vec<EpochReport> {
    let report = |event: &Event| match event {
        Event::Epoch(report) => Some(report.clone()),
        _ => None,
    };
    events.iter().filter_map(report).collect()
}

fn event_files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let events = entries.filter(|e| e.file_name().to_string_lossy().contains("tfevents"));
    events.map(|e| std::fs::read(e.path()).unwrap()).collect()
}

fn count(bytes: &[u8], text: &[u8]) -> usize {
    bytes.windows(text.len()).filter(|window| *window == text).count()
}

#[test]
fn curves_have_every_epoch_after_a_resume_too() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    options.tensorboard = true;
    let (stopped, events) = run_until(&options, Some((2, 1)));
    assert!(stopped.is_err() && epochs(&events).len() == 2);
    options.resume = true;
    let (summary, resumed) = run_until(&options, None);
    let folder = summary.unwrap().folder;
    let table = std::fs::read_to_string(folder.join(TABLE_FILE)).unwrap();
    let numbers: Vec<&str> = table
        .lines()
        .skip(1)
        .map(|row| row.split(',').next().unwrap())
        .collect();
    assert_eq!(numbers, ["0", "1", "2"]);
    let picture = std::fs::read(folder.join(PICTURE_FILE)).unwrap();
    assert!(picture.starts_with(b"\x89PNG"));
    let files = event_files(&folder);
    assert_eq!(files.len(), 1, "the file of the stopped process is replaced");
    assert_eq!(count(&files[0], b"loss/train"), 3);
    for report in epochs(&events).iter().chain(&epochs(&resumed)) {
        assert!((0.0..=1.0).contains(&report.wait_share), "{report:?}");
        assert!(
            report.iterations_per_second > 0.0 && report.gradient_norm.unwrap() > 0.0,
            "{report:?}"
        );
        assert_eq!(report.host_memory.is_some(), cfg!(target_os = "linux"));
        assert_eq!(report.device_memory, None);
    }
}

#[test]
fn a_picture_that_cannot_be_written_gives_one_warning_and_no_failure() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    options.output_folder = Some(task.path("model"));
    std::fs::create_dir_all(task.path("model/fold_0/progress.png")).unwrap();
    let (summary, events) = run_until(&options, None);
    let folder = summary.unwrap().folder;
    let warnings: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            Event::Warning { code, message, .. } if *code == "WARN_CURVES_NOT_WRITTEN" => {
                Some(message.as_str())
            }
            _ => None,
        })
        .collect();
    assert!(
        warnings.len() == 1 && warnings[0].contains("progress.png"),
        "{warnings:?}"
    );
    let table = std::fs::read_to_string(folder.join(TABLE_FILE)).unwrap();
    assert_eq!(table.lines().count(), 4);
    assert!(
        event_files(&folder).is_empty(),
        "no event file without the option"
    );
}

#[test]
fn an_epoch_is_best_only_if_its_average_exceeds_all_before() {
    let task = Task::new();
    let mut options = task.options("nnUNetTrainerV2", "results");
    (options.epochs, options.iterations) = (6, 2);
    let (_, events) = run_until(&options, None);
    let (mut average, mut best): (Option<f64>, Option<f64>) = (None, None);
    for report in epochs(&events) {
        if let Some(dice) = report.dice[0] {
            average = Some(average.map_or(dice, |old| 0.9 * old + 0.1 * dice));
        }
        let new = best.is_some_and(|best| average > Some(best));
        assert_eq!(report.best, new, "{report:?}");
        if new || best.is_none() {
            best = average;
        }
    }
    let written = |event: &&Event| {
        matches!(
            event,
            Event::Checkpoint {
                kind: run::CheckpointKind::Best,
                ..
            }
        )
    };
    let announced = epochs(&events).iter().filter(|report| report.best).count();
    assert_eq!(events.iter().filter(written).count(), announced);
}
