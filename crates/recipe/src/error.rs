//! What can go wrong before the first patch is read.

use std::path::PathBuf;

use run::Coded;
use serde_json::{json, Value};

/// An error of a recipe, or of the data that it is to be trained on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An option or a combination of options that means nothing.
    #[error("option {option}: {problem}")]
    Option {
        /// Name of the option, in camelCase.
        option: &'static str,
        /// What was found and what is expected.
        problem: String,
    },
    /// A trainer's name that is none of the presets.
    #[error("unknown trainer {name}; known trainers are {known}, and any combination of them is a recipe")]
    Trainer {
        /// Name found.
        name: String,
        /// Names of the presets.
        known: String,
    },
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
            Self::Option { .. } => "ERR_OPTION",
            Self::Trainer { .. } => "ERR_TRAINER",
            Self::Input { .. } => "ERR_INPUT",
            Self::Network { .. } => "ERR_NETWORK",
            Self::Dataset(source) => source.code(),
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Option { option, problem } => json!({ "option": option, "problem": problem }),
            Self::Trainer { name, known } => json!({ "name": name, "known": known }),
            Self::Input { folder, problem } => json!({ "folder": folder, "problem": problem }),
            Self::Network { problem } => json!({ "problem": problem }),
            Self::Dataset(source) => source.details(),
        }
    }
}
