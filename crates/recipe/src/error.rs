//! Errors of this crate.

use std::path::PathBuf;

/// An error of a recipe, or of the data that it is to be trained on.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// An option or a combination of options that means nothing.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// A file or folder does not exist.
    #[error(transparent)]
    #[code(transparent)]
    NotFound(#[from] run::NotFound),
    /// A preprocessed configuration without a case.
    #[error("{} holds no preprocessed case (*.npz): {advice}", folder.display())]
    #[code(NoCases)]
    NoCases {
        /// Folder looked in.
        folder: PathBuf,
        /// What to run.
        advice: String,
    },
    /// A network that cannot be built or cannot take patches of this size.
    #[error("network: {problem}")]
    #[code(Network)]
    Network {
        /// What was found and what is expected.
        problem: String,
    },
    /// The task, its plans or its splits.
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
