//! The cases that a task's splits are made of.

use std::collections::BTreeSet;
use std::path::Path;

use dataset::{preprocessed_cases, DatasetJson, Folders, Task};
use run::Context;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Error;

/// Where the names of a task's cases come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CaseOrigin {
    /// The files of the preprocessed task.
    Preprocessed,
    /// `dataset.json`, as nothing is preprocessed yet.
    DatasetJson,
}

impl CaseOrigin {
    /// What is said of a case that is not among them.
    pub(super) fn lacking(self) -> &'static str {
        match self {
            Self::Preprocessed => "that are not preprocessed",
            Self::DatasetJson => "that dataset.json does not list",
        }
    }
}

/// A task's cases, sorted.
pub(super) struct Cases {
    pub(super) names: Vec<String>,
    pub(super) origin: CaseOrigin,
}

/// The preprocessed cases or, where there are none, the training cases of `dataset.json`: the raw task's, else the copy that
/// planning puts beside the plans. Warns of listed cases that are not preprocessed while others are.
pub(super) fn find_cases(
    task: &Task,
    folders: &Folders,
    preprocessed: &Path,
    context: &Context,
) -> Result<Cases, Error> {
    let done = preprocessed_cases(preprocessed)?;
    let listed = listed_cases(task, folders, preprocessed);
    if done.is_empty() {
        return Ok(Cases {
            names: listed?.into_iter().collect(),
            origin: CaseOrigin::DatasetJson,
        });
    }
    // Training needs no dataset.json, so that one which cannot be read is no obstacle here.
    let left_out: Vec<String> = listed
        .map(|all| all.difference(&done).cloned().collect())
        .unwrap_or_default();
    if !left_out.is_empty() {
        let message = format!(
            "dataset.json lists cases that are not preprocessed, so no fold has them: {}; preprocess them, then write the \
             splits again",
            left_out.join(", ")
        );
        context.warn("WARN_CASES_NOT_PREPROCESSED", message, None);
    }
    Ok(Cases {
        names: done.into_iter().collect(),
        origin: CaseOrigin::Preprocessed,
    })
}

fn listed_cases(task: &Task, folders: &Folders, preprocessed: &Path) -> Result<BTreeSet<String>, Error> {
    let copy = preprocessed.join("dataset.json");
    let file = match task.raw_folder(folders) {
        Ok(raw) => raw.join("dataset.json"),
        Err(_) if copy.is_file() => copy,
        Err(error) => return Err(error.into()),
    };
    Ok(DatasetJson::read(&file)?.cases().into_iter().collect())
}
