//! The error for missing files and folders.

use std::path::{Path, PathBuf};

use crate::Coded;

/// A required file or folder does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Coded)]
#[error("{} does not exist ({what}): {advice}", path.display())]
#[code(NotFound)]
pub struct NotFound {
    /// Kind of the missing file, such as `plans`.
    pub what: String,
    /// Path of the missing file.
    pub path: PathBuf,
    /// The command to run or the option to pass.
    pub advice: String,
}

impl NotFound {
    /// The error for a missing `what` at `path`, with advice.
    pub fn new(what: impl Into<String>, path: impl Into<PathBuf>, advice: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            path: path.into(),
            advice: advice.into(),
        }
    }

    /// Returns an error if `path` does not exist. It does not check whether the path is readable.
    ///
    /// # Errors
    /// [`NotFound`], as [`NotFound::new`] makes it.
    pub fn unless_exists(
        what: impl Into<String>,
        path: &Path,
        advice: impl Into<String>,
    ) -> Result<(), Self> {
        match path.try_exists() {
            Ok(false) => Err(Self::new(what, path, advice)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_and_details_have_path_kind_and_advice() {
        let error = NotFound::new(
            "plans",
            "/data/plans.pkl",
            "run `nnunet-diag preprocess 501` first",
        );
        assert_eq!(
            error.to_string(),
            "/data/plans.pkl does not exist (plans): run `nnunet-diag preprocess 501` first"
        );
        assert_eq!(error.code(), "ERR_NOT_FOUND");
        assert_eq!(error.details()["path"], "/data/plans.pkl");
        assert_eq!(NotFound::unless_exists("folder", Path::new("/"), "none"), Ok(()));
        assert_eq!(
            NotFound::unless_exists(error.what.clone(), &error.path, error.advice.clone()),
            Err(error)
        );
    }
}
