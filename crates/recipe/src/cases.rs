//! The cases of a preprocessed configuration.

use std::path::Path;

use run::NotFound;

use crate::{Error, Result};

/// Returns the sorted cases of a preprocessed configuration; `advice` is the command that preprocesses it.
///
/// # Errors
/// [`Error::NotFound`] for a missing folder, [`Error::NoCases`] for a folder without cases.
pub(crate) fn preprocessed_cases(folder: &Path, advice: &str) -> Result<Vec<String>> {
    NotFound::unless_exists("preprocessed cases", folder, advice)?;
    let cases = dataset::stage_cases(folder)?;
    match cases.is_empty() {
        true => Err(Error::NoCases {
            folder: folder.to_owned(),
            advice: advice.to_owned(),
        }),
        false => Ok(cases.into_iter().collect()),
    }
}
