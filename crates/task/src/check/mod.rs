//! The integrity check of a raw task.

mod case;
mod listing;
mod problem;
mod repair;

pub use case::CaseReport;
pub use problem::{Problem, ProblemKind};

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use dataset::{DatasetJson, Folders, Task};
use rayon::prelude::*;
use run::{Context, Event};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::threads::pool;
use crate::Error;

/// Options of [`check_dataset`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CheckOptions {
    /// Number, name or path of the raw task.
    pub task: String,
    /// nnU-Net's folders; what is not set comes from the environment.
    pub folders: Folders,
    /// Largest difference of spacing and origin (mm) and direction cosines that is no problem.
    pub tolerance: f64,
    /// Copy the geometry of a case's first channel into its other files where they differ harmlessly (see
    /// [`ProblemKind::Geometry`]).
    pub fix: bool,
    /// With `fix`: copy it wherever the sizes agree, although the files may lie at different places.
    pub fix_displaced: bool,
    /// With `fix`: keep the original as `<name>.orig` beside the file.
    pub keep_originals: bool,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self {
            task: String::new(),
            folders: Folders::default(),
            tolerance: 1e-3,
            fix: false,
            fix_displaced: false,
            keep_originals: true,
        }
    }
}

/// What [`check_dataset`] found.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    /// Whether no problem is left.
    pub ok: bool,
}

/// Checks that a raw task is what nnU-Net needs, and lists everything that is wrong with it at once.
///
/// `dataset.json` is compared with the files; every file is read: sizes, spacing, origin and direction of a case's channels
/// and label agree within the tolerance, images hold no NaN or infinity, labels are whole numbers that `dataset.json` lists
/// (or -1, unlabelled, which is counted). Memory: one volume for each worker.
///
/// # Errors
/// Where nothing can be checked: the task or its `dataset.json` cannot be found or read. A file that cannot be read is a
/// [`Problem`].
pub fn check_dataset(options: &CheckOptions, context: &Context) -> Result<CheckSummary, Error> {
    if options.tolerance.is_nan() || options.tolerance < 0.0 {
        let what = format!(
            "expected a number of at least 0 but received {}",
            options.tolerance
        );
        return Err(Error::value("tolerance", what));
    }
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
    let (done, total) = (AtomicU64::new(0), listing.cases.len() as u64);
    let checked = pool(context)?.install(|| {
        let one = |case: &listing::Case| {
            let result = checker.check(case)?;
            context.progress(
                done.fetch_add(1, Ordering::Relaxed) + 1,
                total,
                "cases",
                Some(&case.name),
            );
            Ok(result)
        };
        listing
            .cases
            .par_iter()
            .map(one)
            .collect::<Result<Vec<_>, Error>>()
    })?;
    let (cases, found): (Vec<_>, Vec<_>) = checked.into_iter().unzip();
    let problems: Vec<Problem> = listing
        .problems
        .into_iter()
        .chain(found.into_iter().flatten())
        .collect();
    let fixed = problems.iter().filter(|p| p.fixed).count();
    let ok = fixed == problems.len();
    Ok(CheckSummary {
        task: task.name,
        folder,
        channels: listing.channels,
        cases,
        problems,
        fixed,
        ok,
    })
}
