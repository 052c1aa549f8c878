//! The verb that writes a task's splits.

mod cases;
mod group;

pub use cases::CaseOrigin;
pub use group::{grouped_splits, groups_by_pattern, groups_from_file};

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dataset::splits::{check_split, default_splits, read_splits, write_splits, Split, SPLITS_FILE};
use dataset::{Folders, Task};
use run::{Context, Event};
use serde::{Deserialize, Serialize};
use serde_json::json;
use storage::Links;

use crate::Error;
use cases::{find_cases, Cases};

/// How [`make_splits`] parts the cases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SplitRule {
    /// nnU-Net's own five folds.
    #[default]
    FiveFold,
    /// Five folds over patients: what the first group of this regular expression matches in the name of a case.
    GroupPattern(String),
    /// Five folds over patients: those that this JSON or CSV file gives the cases.
    Groups(PathBuf),
    /// The folds of this file: nnU-Net v1's pickle, or JSON as nnU-Net v2 writes it.
    From(PathBuf),
}

/// Options of [`make_splits`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SplitsOptions {
    /// Number, `TaskXXX_NAME`, or path of a task.
    pub task: String,
    /// nnU-Net's folders; what is not set comes from the environment.
    pub folders: Folders,
    /// How to part the cases.
    pub rule: SplitRule,
    /// Replace the splits that are there, and keep them as `splits_final.old<n>.pkl`.
    pub overwrite: bool,
}

/// What [`make_splits`] wrote.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SplitsSummary {
    /// `TaskXXX_NAME`
    pub task: String,
    /// The file written.
    pub file: PathBuf,
    /// Where the splits that were there before are kept.
    pub backup: Option<PathBuf>,
    /// Where the names of the cases come from.
    pub origin: CaseOrigin,
    /// Cases of the task.
    pub cases: usize,
    /// Patients, where cases were grouped.
    pub groups: Option<usize>,
    /// The folds, each with the cases it trains on and those it validates on.
    pub folds: Vec<Split>,
}

/// Writes `splits_final.pkl`, which training reads, into a task's preprocessed folder.
///
/// The cases are those that are preprocessed; before preprocessing, those that `dataset.json` lists. Splits that are there
/// already are kept unless `overwrite`, and then as a copy beside the new ones.
///
/// # Errors
/// [`Error::SplitsExist`]; [`dataset::Error::TooFewCases`] below five cases or groups; [`dataset::Error::Splits`] naming the cases of a file that
/// the task lacks, that a fold both trains and validates on, or that have no group; [`Error::Pattern`]; and those of reading
/// and writing the files.
pub fn make_splits(options: &SplitsOptions, context: &Context) -> Result<SplitsSummary, Error> {
    let folders = options.folders.resolve(context);
    let task = Task::resolve(&options.task, &folders)?;
    let preprocessed = task.preprocessed_folder(&folders)?;
    let cases = find_cases(&task, &folders, &preprocessed, context)?;
    let settings = json!({ "task": task.name, "cases": cases.names.len(), "origin": cases.origin,
        "rule": options.rule });
    context.emit(Event::Started {
        verb: "splits",
        settings,
    });

    let file = preprocessed.join(SPLITS_FILE);
    let there = file.exists();
    if there && !options.overwrite {
        return Err(Error::SplitsExist { path: file });
    }
    let (folds, groups) = part(&options.rule, &cases)?;
    std::fs::create_dir_all(&preprocessed).map_err(|e| Error::io(&preprocessed, e))?;
    let backup = there.then(|| keep(&file)).transpose()?;
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

/// The folds, and the number of groups where there are any.
fn part(rule: &SplitRule, cases: &Cases) -> Result<(Vec<Split>, Option<usize>), Error> {
    let groups = match rule {
        SplitRule::FiveFold => return Ok((default_splits(&cases.names)?, None)),
        SplitRule::From(path) => return Ok((custom(path, cases)?, None)),
        SplitRule::GroupPattern(pattern) => groups_by_pattern(&cases.names, pattern)?,
        SplitRule::Groups(path) => groups_from_file(path)?,
    };
    let folds = grouped_splits(&cases.names, &groups).map_err(|e| match rule {
        SplitRule::Groups(path) => in_file(e, path),
        _ => e,
    })?;
    let used: BTreeSet<_> = cases.names.iter().filter_map(|c| groups.get(c)).collect();
    Ok((folds, Some(used.len())))
}

/// Splits of the user's own, which have to fit the cases.
fn custom(path: &Path, cases: &Cases) -> Result<Vec<Split>, Error> {
    let folds = read_splits(path)?;
    if folds.is_empty() {
        return Err(Error::record(path, "it has no fold; expected a list of them"));
    }
    for (fold, split) in folds.iter().enumerate() {
        let empty = [("train", &split.train), ("val", &split.val)]
            .into_iter()
            .find(|(_, cases)| cases.is_empty());
        if let Some((part, _)) = empty {
            let what = format!("{part} of fold {fold} is empty; expected at least one case");
            return Err(Error::record(path, what));
        }
        check_split(split, &cases.names, fold, cases.origin.lacking())
            .map_err(|e| in_file(e.into(), path))?;
    }
    Ok(folds)
}

/// Says which file the splits, or the groups they were made from, are in.
fn in_file(error: Error, path: &Path) -> Error {
    match error {
        Error::Dataset(dataset::Error::Splits { what, cases }) => dataset::Error::Splits {
            what: format!("{}: {what}", path.display()),
            cases,
        }
        .into(),
        other => other,
    }
}

/// Copies splits to the first `<name>.old<n>.pkl` that is free.
fn keep(file: &Path) -> Result<PathBuf, Error> {
    let mut copy = file.with_extension("old1.pkl");
    let mut number = 1u32;
    while copy.exists() {
        number += 1;
        copy = file.with_extension(format!("old{number}.pkl"));
    }
    Ok(storage::copy_file(file, &copy, Links::Follow)?)
}
