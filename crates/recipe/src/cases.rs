//! The cases of a preprocessed configuration.

use std::path::Path;

use run::NotFound;

use crate::{Error, Result};

/// Cases of a preprocessed configuration, sorted; `advice` says how to preprocess it.
///
/// # Errors
/// [`Error::NotFound`] for a folder that does not exist, [`Error::NoCases`] for one without a case.
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
