//! The cases of a preprocessed configuration.

use std::path::Path;

use crate::{Error, Result};

/// Cases in a folder, sorted: the npz files that are not a previous stage's segmentation.
pub(crate) fn preprocessed_cases(folder: &Path) -> Result<Vec<String>> {
    let mut cases = Vec::new();
    let missing = |problem: String| Error::Input {
        folder: folder.to_owned(),
        problem,
    };
    let entries = std::fs::read_dir(folder).map_err(|e| {
        missing(format!(
            "{e}; expected preprocessed cases, preprocess this configuration first"
        ))
    })?;
    for entry in entries {
        let entry = entry.map_err(|source| Error::Io {
            path: folder.to_owned(),
            source,
        })?;
        if let Some(case) = entry.file_name().to_str().and_then(|n| n.strip_suffix(".npz")) {
            if !case.ends_with("segFromPrevStage") && !case.starts_with('.') {
                cases.push(case.to_owned());
            }
        }
    }
    if cases.is_empty() {
        return Err(missing(
            "holds no preprocessed case (*.npz); preprocess this configuration first".to_owned(),
        ));
    }
    cases.sort();
    Ok(cases)
}
