//! What does not exist.

use std::path::{Path, PathBuf};

use crate::Coded;

/// A file or folder that is needed and does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Coded)]
#[error("{} does not exist ({what}): {advice}", path.display())]
#[code(NotFound)]
pub struct NotFound {
    /// What was looked for, such as `plans`.
    pub what: String,
    /// Where it was looked for.
    pub path: PathBuf,
    /// What to run or to pass.
    pub advice: String,
}

impl NotFound {
    /// That `what` was looked for at `path`, and what to do.
    pub fn new(what: impl Into<String>, path: impl Into<PathBuf>, advice: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            path: path.into(),
            advice: advice.into(),
        }
    }

    /// Fails where `path` does not exist. What exists and cannot be read is left to whoever reads it.
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
    fn message_and_details_tell_what_where_and_what_to_do() {
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
