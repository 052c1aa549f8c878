//! Verb that writes a task's splits.

mod cases;
mod group;

pub use cases::CaseOrigin;
pub use group::{grouped_splits, groups_by_pattern, groups_from_file};

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dataset::splits::{check_split, default_splits, read_splits, write_splits, Split, SPLITS_FILE};
use dataset::{Folders, Task};
use run::{Context, Event, OptionError, OptionResult, Options};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use storage::Links;

use crate::Error;
use cases::{find_cases, Cases};

/// Options of [`make_splits`]. At most one of `group_pattern`, `groups` and `from` is allowed. Without them,
/// nnU-Net's own five folds are written.
#[run::options]
pub struct SplitsOptions {
    /// Number, `TaskXXX_NAME` or folder of a task.
    #[schemars(length(min = 1))]
    pub task: String,
    /// Regular expression that keeps patients together. Its first group is the patient in a case's name.
    #[schemars(length(min = 1))]
    pub group_pattern: Option<String>,
    /// File that keeps patients together: a JSON object of case to patient, or CSV lines `case,patient`.
    #[schemars(length(min = 1))]
    pub groups: Option<PathBuf>,
    /// File of custom folds: `splits_final.pkl`, or JSON `[{"train":[…],"val":[…]},…]`.
    #[schemars(length(min = 1))]
    pub from: Option<PathBuf>,
    /// Replaces existing splits. The previous file is kept as `splits_final.old<n>.pkl`.
    #[default]
    pub overwrite: bool,
    /// nnU-Net's folders.
    #[default]
    #[serde(flatten)]
    pub folders: Folders,
}

impl Options for SplitsOptions {
    fn check(&self) -> OptionResult<()> {
        let given: Vec<_> = [
            ("groupPattern", self.group_pattern.is_some()),
            ("groups", self.groups.is_some()),
            ("from", self.from.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
        .collect();
        match given.as_slice() {
            [_, second, ..] => Err(OptionError::new(
                *second,
                format!(
                    "expected at most one of groupPattern, groups and from, got {}",
                    given.join(" and ")
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// Result of [`make_splits`].
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SplitsSummary {
    /// `TaskXXX_NAME`
    pub task: String,
    /// The written file.
    pub file: PathBuf,
    /// Backup of the previous splits.
    pub backup: Option<PathBuf>,
    /// Source of the case names.
    pub origin: CaseOrigin,
    /// Number of cases of the task.
    pub cases: usize,
    /// Number of patients, if cases were grouped.
    pub groups: Option<usize>,
    /// The folds, with their training and validation cases.
    pub folds: Vec<Split>,
}

/// Writes `splits_final.pkl`, which training reads, into a task's preprocessed folder.
///
/// The cases are the preprocessed ones or, before preprocessing, those that `dataset.json` lists. Existing
/// splits are kept, unless `overwrite` is set; they are then backed up in the same folder.
///
/// # Errors
/// [`Error::SplitsExist`]. [`dataset::Error::TooFewCases`] for fewer than five cases or groups.
/// [`dataset::Error::Splits`] naming cases of a file that the task does not have, that a fold both trains and
/// validates on, or that have no group. [`Error::Option`]. Errors of reading and writing the files.
pub fn make_splits(options: &SplitsOptions, context: &Context) -> Result<SplitsSummary, Error> {
    run::validate(options)?;
    let folders = options.folders.resolve(context);
    let task = Task::resolve(&options.task, &folders)?;
    let preprocessed = task.preprocessed_folder(&folders)?;
    let cases = find_cases(&task, &folders, &preprocessed, context)?;
    let settings = json!({ "task": task.name, "cases": cases.names.len(), "origin": cases.origin,
        "groupPattern": options.group_pattern, "groups": options.groups, "from": options.from });
    context.emit(Event::Started {
        verb: "splits",
        settings,
    });

    let file = preprocessed.join(SPLITS_FILE);
    let exists = file.exists();
    if exists && !options.overwrite {
        return Err(Error::SplitsExist { path: file });
    }
    let (folds, groups) = split_cases(options, &cases)?;
    std::fs::create_dir_all(&preprocessed).map_err(|e| Error::io(&preprocessed, e))?;
    let backup = exists.then(|| back_up(&file)).transpose()?;
    write_splits(&file, &folds)?;
    Ok(SplitsSummary {
        task: task.name,
        file,
        backup,
        origin: cases.origin,
        cases: cases.names.len(),
        groups,
        folds,
    })
}

/// Returns the folds, and the number of groups if cases are grouped.
fn split_cases(options: &SplitsOptions, cases: &Cases) -> Result<(Vec<Split>, Option<usize>), Error> {
    let groups = match options {
        SplitsOptions { from: Some(path), .. } => return Ok((custom(path, cases)?, None)),
        SplitsOptions {
            group_pattern: Some(pattern),
            ..
        } => groups_by_pattern(&cases.names, pattern)?,
        SplitsOptions {
            groups: Some(path), ..
        } => groups_from_file(path)?,
        _ => return Ok((default_splits(&cases.names)?, None)),
    };
    let folds = grouped_splits(&cases.names, &groups).map_err(|e| match &options.groups {
        Some(path) => in_file(e, path),
        None => e,
    })?;
    let used: BTreeSet<_> = cases.names.iter().filter_map(|c| groups.get(c)).collect();
    Ok((folds, Some(used.len())))
}

/// Reads custom splits and checks them against the cases.
fn custom(path: &Path, cases: &Cases) -> Result<Vec<Split>, Error> {
    let folds = read_splits(path)?;
    if folds.is_empty() {
        return Err(Error::record(
            path,
            "it contains no folds; expected a list of folds",
        ));
    }
    for (fold, split) in folds.iter().enumerate() {
        let empty = [("train", &split.train), ("val", &split.val)]
            .into_iter()
            .find(|(_, cases)| cases.is_empty());
        if let Some((part, _)) = empty {
            let problem = format!("{part} of fold {fold} is empty; expected at least one case");
            return Err(Error::record(path, problem));
        }
        check_split(split, &cases.names, fold, cases.origin.unknown_cases())
            .map_err(|e| in_file(e.into(), path))?;
    }
    Ok(folds)
}

/// Adds the path of the file with the splits or groups to an error.
fn in_file(error: Error, path: &Path) -> Error {
    match error {
        Error::Dataset(dataset::Error::Splits { problem, cases }) => dataset::Error::Splits {
            problem: format!("{}: {problem}", path.display()),
            cases,
        }
        .into(),
        other => other,
    }
}

/// Copies splits to the first free `<name>.old<n>.pkl`.
fn back_up(file: &Path) -> Result<PathBuf, Error> {
    let mut copy = file.with_extension("old1.pkl");
    let mut number = 1u32;
    while copy.exists() {
        number += 1;
        copy = file.with_extension(format!("old{number}.pkl"));
    }
    Ok(storage::copy_file(file, &copy, Links::Follow)?)
}
