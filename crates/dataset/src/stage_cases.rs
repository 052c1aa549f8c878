//! Cases in the folders of a preprocessed task.

use std::collections::BTreeSet;
use std::path::Path;

use crate::Error;

/// Lists the preprocessed cases in a stage's folder (`nnUNetData_plans_v2.1_stage0`): its npz files.
/// Unfinished (hidden) files and the additional inputs of a cascade's second stage are skipped.
///
/// # Errors
/// [`Error::Io`] naming the folder.
pub fn stage_cases(folder: &Path) -> Result<BTreeSet<String>, Error> {
    let names = names(folder)?;
    let npz = names.iter().filter_map(|name| name.strip_suffix(".npz"));
    let is_case = |name: &&str| !name.starts_with('.') && !name.ends_with("segFromPrevStage");
    Ok(npz.filter(is_case).map(str::to_owned).collect())
}

/// Lists the cases with an npz in the folder of any stage of a preprocessed task. A missing folder gives no
/// cases.
///
/// # Errors
/// [`Error::Io`] naming the folder.
pub fn preprocessed_cases(folder: &Path) -> Result<BTreeSet<String>, Error> {
    let mut cases = BTreeSet::new();
    if !folder.is_dir() {
        return Ok(cases);
    }
    for stage in names(folder)?.iter().filter(|name| is_stage(name)) {
        cases.extend(stage_cases(&folder.join(stage))?);
    }
    Ok(cases)
}

/// Whether a folder name is that of a stage's cases, such as `nnUNetData_plans_v2.1_stage0`.
fn is_stage(name: &str) -> bool {
    name.rsplit_once("_stage")
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Names of a folder's entries.
fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))?;
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.map_err(|e| Error::io(folder, e))?;
        Ok(entry.file_name().to_string_lossy().into_owned())
    };
    entries.map(name).collect()
}
