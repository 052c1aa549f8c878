//! Integrity check of a raw task.

mod case;
mod listing;
mod names;
mod options;
mod problem;
mod repair;
mod scan;

pub use case::CaseReport;
pub use options::CheckOptions;
pub use problem::{Problem, ProblemKind};

use std::collections::BTreeSet;
use std::path::PathBuf;

use dataset::{DatasetJson, Task};
use run::{CaseFailure, CaseLoop, Context, Event, Job, Outcome, Progress};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::Error;

/// Result of [`check_dataset`].
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckSummary {
    /// Name of the task.
    pub task: String,
    /// Folder of the task.
    pub folder: PathBuf,
    /// Number of channels per case.
    pub channels: usize,
    /// Reports of the cases, in the order of `dataset.json`, test cases last.
    pub cases: Vec<CaseReport>,
    /// All problems: first those of the lists, then those of each case.
    pub problems: Vec<Problem>,
    /// Number of repaired problems.
    pub fixed: usize,
    /// Cases that could not be checked or repaired, in the order of `cases`, which does not contain them.
    pub failures: Vec<CaseFailure>,
    /// Whether no problem remains and no case failed.
    pub ok: bool,
}

/// Checks whether a raw task meets nnU-Net's requirements, and lists all problems at once.
///
/// `dataset.json` is compared with the files, and every file is read. Sizes, spacing, origin and direction of
/// a case's channels and label must agree within the tolerance. Images must not contain NaN or infinity, and must
/// have more than one value. Cropping to the non-zero region must not take labelled voxels away.
/// Labels must be whole numbers that `dataset.json` lists, or -1 (unlabelled), which is counted. Memory: one
/// image and one label per worker.
///
/// # Errors
/// If the task or its `dataset.json` cannot be found or read; on a full disk during repairs; on cancellation.
/// A file that cannot be read is a [`Problem`]. A file that cannot be repaired is a failure of its case.
pub fn check_dataset(options: &CheckOptions, context: &Context) -> Result<CheckSummary, Error> {
    run::validate(options)?;
    let folders = options.folders.resolve(context);
    let task = Task::resolve(&options.task, &folders)?;
    let folder = task.raw_folder(&folders)?;
    let file = folder.join("dataset.json");
    let dataset = DatasetJson::read(&file)?;
    let listing = listing::compare(&folder, &dataset)?;
    let settings =
        json!({ "task": task.name, "folder": folder, "tolerance": options.tolerance, "fix": options.fix });
    context.emit(Event::Started {
        verb: "check",
        settings,
    });

    let labels: BTreeSet<i64> = dataset.labels.keys().copied().collect();
    let checker = case::Checker {
        options,
        context,
        labels: &labels,
        ct: dataset
            .modality
            .values()
            .map(|name| name == "CT" || name == "ct")
            .collect(),
    };
    let jobs: Vec<_> = listing.cases.iter().map(|c| Job::new(&c.name, c)).collect();
    let progress = Progress::new("cases", jobs.len());
    let Outcome { results, failures } =
        CaseLoop::new(context)?.run(&jobs, progress, |job| checker.check(job.input))?;
    let mut flat = case::Spread::default();
    let mut cases = Vec::new();
    let mut found = Vec::new();
    for case::Checked {
        report,
        problems,
        spread,
    } in results.into_iter().flatten()
    {
        flat.add(spread);
        cases.push(report);
        found.push(problems);
    }
    let absent = absent(&dataset, &cases).map(|problem| problem.in_file(&file));
    let problems: Vec<Problem> = listing
        .problems
        .into_iter()
        .chain(absent)
        .chain(flat.problems(&file))
        .chain(found.into_iter().flatten())
        .collect();
    let fixed = problems.iter().filter(|p| p.fixed).count();
    let ok = fixed == problems.len() && failures.is_empty();
    Ok(CheckSummary {
        task: task.name,
        folder,
        channels: listing.channels,
        cases,
        problems,
        fixed,
        failures,
        ok,
    })
}

/// Returns a problem if no case has voxels of a label above 0 that `dataset.json` lists. Without any label, every case
/// is reported on its own.
fn absent(dataset: &DatasetJson, cases: &[CaseReport]) -> Option<Problem> {
    let found: BTreeSet<i64> = cases
        .iter()
        .flat_map(|case| case.label_voxels.keys().map(|&label| i64::from(label)))
        .collect();
    let absent: Vec<i64> = dataset
        .labels
        .keys()
        .copied()
        .filter(|label| *label > 0 && !found.contains(label))
        .collect();
    (!found.is_empty() && !absent.is_empty()).then(|| {
        let names: Vec<_> = absent
            .iter()
            .map(|label| format!("{label} ({})", dataset.labels[label]))
            .collect();
        let message = format!(
            "no case has voxels of label {}; nothing can be learnt about it: check the label files, or remove it",
            names.join(", ")
        );
        Problem::new(ProblemKind::AbsentLabel, message).with(json!({ "absent": absent }))
    })
}
