//! Cases of a task's splits.

use std::collections::BTreeSet;
use std::path::Path;

use dataset::{preprocessed_cases, DatasetJson, Folders, Task};
use run::Context;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Error;

/// Source of a task's case names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CaseOrigin {
    /// The files of the preprocessed task.
    Preprocessed,
    /// The lists of `dataset.json`, because no case is preprocessed.
    DatasetJson,
}

impl CaseOrigin {
    /// Describes cases that are not among the task's cases.
    pub(super) fn unknown_cases(self) -> &'static str {
        match self {
            Self::Preprocessed => "that are not preprocessed",
            Self::DatasetJson => "that dataset.json does not list",
        }
    }
}

/// Cases of a task, sorted.
pub(super) struct Cases {
    pub(super) names: Vec<String>,
    pub(super) origin: CaseOrigin,
}

/// Returns the preprocessed cases. If there are none, returns the training cases of `dataset.json`, from the
/// raw task or from the copy beside the plans. If only some listed cases are preprocessed, warns about the
/// others.
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
    // Training needs no dataset.json, so an unreadable one is ignored here.
    let unprocessed: Vec<String> = listed
        .map(|all| all.difference(&done).cloned().collect())
        .unwrap_or_default();
    if !unprocessed.is_empty() {
        let message = format!(
            "dataset.json lists cases that are not preprocessed, so no fold contains them: {}; preprocess them, then write the \
             splits again",
            unprocessed.join(", ")
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
