//! The cases of a preprocessed configuration.

use std::path::Path;

use crate::{Error, Result};

/// Cases of a preprocessed configuration, sorted.
///
/// # Errors
/// [`Error::Input`] for a folder that is missing or holds none.
pub(crate) fn preprocessed_cases(folder: &Path) -> Result<Vec<String>> {
    let missing = |problem: String| Error::Input {
        folder: folder.to_owned(),
        problem,
    };
    let cases = dataset::stage_cases(folder).map_err(|error| match error {
        dataset::Error::Io { source, .. } => missing(format!(
            "{source}; expected preprocessed cases, preprocess this configuration first"
        )),
        other => other.into(),
    })?;
    if cases.is_empty() {
        return Err(missing(
            "holds no preprocessed case (*.npz); preprocess this configuration first".to_owned(),
        ));
    }
    Ok(cases.into_iter().collect())
}
