//! Errors of this crate.

use std::path::PathBuf;

/// An error of a recipe or its training data.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// An invalid option or combination of options.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// A file or folder does not exist.
    #[error(transparent)]
    #[code(transparent)]
    NotFound(#[from] run::NotFound),
    /// A preprocessed configuration has no cases.
    #[error("{} holds no preprocessed case (*.npz): {advice}", folder.display())]
    #[code(NoCases)]
    NoCases {
        /// Folder of the configuration.
        folder: PathBuf,
        /// The command to run.
        advice: String,
    },
    /// The network cannot be built, or does not accept patches of this size.
    #[error("network: {problem}")]
    #[code(Network)]
    Network {
        /// The found and the expected value.
        problem: String,
    },
    /// An error of the task, its plans or its splits.
    #[error(transparent)]
    #[code(transparent)]
    Dataset(#[from] dataset::Error),
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn network(problem: impl Into<String>) -> Self {
        Self::Network {
            problem: problem.into(),
        }
    }
}
