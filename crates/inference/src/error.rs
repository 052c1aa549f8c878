//! What can go wrong in prediction.

use std::path::PathBuf;

use run::{Cancelled, Coded, Panicked};
use serde_json::{json, Value};

/// An error of prediction.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Options that cannot be used.
    #[error(transparent)]
    Option(#[from] run::OptionError),
    /// The input folder holds no case.
    #[error("{folder}: found no case; expected files named <case>_0000.nii.gz, one for each of {channels} channels")]
    NoCases {
        /// Folder looked in.
        folder: PathBuf,
        /// Channels that the model needs.
        channels: usize,
    },
    /// The model was trained for something this verb cannot predict with.
    #[error("{folder}: {problem}")]
    Model {
        /// The model's folder.
        folder: PathBuf,
        /// What was found and what is expected.
        problem: String,
    },
    /// Network, device or libtorch.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// Folders and records.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
    /// Reading and preprocessing a case.
    #[error(transparent)]
    Preprocess(#[from] preprocess::Error),
    /// Resampling to the original grid.
    #[error(transparent)]
    Resample(#[from] resample::Error),
    /// Writing a result.
    #[error(transparent)]
    Volume(#[from] volume::Error),
    /// Writing a file.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The verb was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// A bug, met in one case.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// A worker ended without its result: a bug in this package.
    #[error("internal error: {what}")]
    Internal {
        /// Which.
        what: String,
    },
}

impl Error {
    pub(crate) fn shape(error: &ndarray::ShapeError) -> Self {
        Self::Internal {
            what: format!("softmax of an unexpected shape: {error}"),
        }
    }

    /// The part whose code and facts are passed on.
    fn part(&self) -> Option<&dyn Coded> {
        match self {
            Self::Option(e) => Some(e),
            Self::Engine(e) => Some(e),
            Self::Dataset(e) => Some(e),
            Self::Preprocess(e) => Some(e),
            Self::Resample(e) => Some(e),
            Self::Volume(e) => Some(e),
            Self::Storage(e) => Some(e),
            Self::Cancelled(e) => Some(e),
            Self::Panicked(e) => Some(e),
            _ => None,
        }
    }
}

impl From<tch::TchError> for Error {
    fn from(error: tch::TchError) -> Self {
        Self::Engine(error.into())
    }
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::NoCases { .. } => "ERR_NO_CASES",
            Self::Model { .. } => "ERR_MODEL",
            Self::Internal { .. } => "ERR_INTERNAL",
            other => other.part().map_or("ERR_INTERNAL", Coded::code),
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::NoCases { folder, channels } => json!({ "folder": folder, "channels": channels }),
            Self::Model { folder, problem } => json!({ "folder": folder, "problem": problem }),
            other => other.part().map_or(Value::Null, Coded::details),
        }
    }
}
