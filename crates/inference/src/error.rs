//! Errors of this crate.

use std::path::PathBuf;

use run::Cancelled;

/// An error of prediction.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// An option has a value that cannot be used.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// A model, fold or folder does not exist.
    #[error(transparent)]
    #[code(transparent)]
    NotFound(#[from] run::NotFound),
    /// The threads could not be started.
    #[error(transparent)]
    #[code(transparent)]
    Threads(#[from] run::ThreadsError),
    /// The input folder holds no case.
    #[error("{}: found no case; expected files named <case>_0000.nii.gz, one for each of {channels} channels", folder.display())]
    #[code(NoCases)]
    NoCases {
        /// Folder looked in.
        folder: PathBuf,
        /// Channels that the model needs.
        channels: usize,
    },
    /// The model was trained for something this verb cannot predict with.
    #[error("{}: {problem}", folder.display())]
    #[code(Model)]
    Model {
        /// The model's folder.
        folder: PathBuf,
        /// What was found and what is expected.
        problem: String,
    },
    /// Network, device or libtorch.
    #[error(transparent)]
    #[code(transparent)]
    Engine(#[from] engine::Error),
    /// Folders and records.
    #[error(transparent)]
    #[code(transparent)]
    Dataset(#[from] dataset::Error),
    /// Reading and preprocessing a case.
    #[error(transparent)]
    #[code(transparent)]
    Preprocess(#[from] preprocess::Error),
    /// Resampling to the original grid.
    #[error(transparent)]
    #[code(transparent)]
    Resample(#[from] resample::Error),
    /// Writing a result.
    #[error(transparent)]
    #[code(transparent)]
    Volume(#[from] volume::Error),
    /// Writing a file.
    #[error(transparent)]
    #[code(transparent)]
    Storage(#[from] storage::Error),
    /// The verb was cancelled.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] Cancelled),
    /// A worker ended without its result: a bug in this package.
    #[error("internal error: {problem}")]
    #[code(Internal)]
    Internal {
        /// Which.
        problem: String,
    },
}

impl Error {
    pub(crate) fn shape(error: &ndarray::ShapeError) -> Self {
        Self::Internal {
            problem: format!("softmax of an unexpected shape: {error}"),
        }
    }
}

impl From<tch::TchError> for Error {
    fn from(error: tch::TchError) -> Self {
        Self::Engine(error.into())
    }
}
