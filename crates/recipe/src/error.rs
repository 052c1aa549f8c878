//! What can go wrong before the first patch is read.

use std::path::PathBuf;

use run::Coded;
use serde_json::{json, Value};

/// An error of a recipe, or of the data that it is to be trained on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Options that cannot be used.
    #[error(transparent)]
    Option(#[from] run::OptionError),
    /// A preprocessed configuration that is not there or holds no case.
    #[error("{folder}: {problem}")]
    Input {
        /// Folder looked in.
        folder: PathBuf,
        /// What is missing and what was expected.
        problem: String,
    },
    /// A network that cannot be built or cannot take patches of this size.
    #[error("network: {problem}")]
    Network {
        /// What was found and what is expected.
        problem: String,
    },
    /// The task, its plans or its splits.
    #[error(transparent)]
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

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Option(e) => e.code(),
            Self::Input { .. } => "ERR_INPUT",
            Self::Network { .. } => "ERR_NETWORK",
            Self::Dataset(source) => source.code(),
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Option(e) => e.details(),
            Self::Input { folder, problem } => json!({ "folder": folder, "problem": problem }),
            Self::Network { problem } => json!({ "problem": problem }),
            Self::Dataset(source) => source.details(),
        }
    }
}
