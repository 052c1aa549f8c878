//! The integrity check of a raw task.

mod case;
mod listing;
mod options;
mod problem;
mod repair;

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

/// What [`check_dataset`] found.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckSummary {
    /// Name of the task.
    pub task: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Channels of each case.
    pub channels: usize,
    /// What each case holds, in the order of `dataset.json`, test cases last.
    pub cases: Vec<CaseReport>,
    /// All problems: those of the lists first, then case by case.
    pub problems: Vec<Problem>,
    /// Problems that were repaired.
    pub fixed: usize,
    /// Cases that could not be checked or repaired, in the order of `cases`, which lacks them.
    pub failures: Vec<CaseFailure>,
    /// Whether no problem is left, and no case failed.
    pub ok: bool,
}

/// Checks that a raw task is what nnU-Net needs, and lists everything that is wrong with it at once.
///
/// `dataset.json` is compared with the files; every file is read: sizes, spacing, origin and direction of a case's channels
/// and label agree within the tolerance, images hold no NaN or infinity, labels are whole numbers that `dataset.json` lists
/// (or -1, unlabelled, which is counted). Memory: one volume for each worker.
///
/// # Errors
/// Where nothing can be checked: the task or its `dataset.json` cannot be found or read. A full disk while
/// files are repaired; cancellation. A file that cannot be read is a [`Problem`]; a file that cannot be repaired is its
/// case's failure.
pub fn check_dataset(options: &CheckOptions, context: &Context) -> Result<CheckSummary, Error> {
    run::validate(options)?;
    let folders = options.folders.resolve(context);
    let task = Task::resolve(&options.task, &folders)?;
    let folder = task.raw_folder(&folders)?;
    let dataset = DatasetJson::read(&folder.join("dataset.json"))?;
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
    };
    let jobs: Vec<_> = listing.cases.iter().map(|c| Job::new(&c.name, c)).collect();
    let progress = Progress::new("cases", jobs.len());
    let Outcome { results, failures } =
        CaseLoop::new(context)?.run(&jobs, progress, |job| checker.check(job.input))?;
    let (cases, found): (Vec<_>, Vec<_>) = results.into_iter().flatten().unzip();
    let problems: Vec<Problem> = listing
        .problems
        .into_iter()
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
