//! Errors of this crate.

use std::path::PathBuf;

/// Errors of this crate.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// An option has an invalid value.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// A path does not exist.
    #[error(transparent)]
    #[code(transparent)]
    NotFound(#[from] run::NotFound),
    /// The caller asked to stop.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] run::Cancelled),
    /// A record of nnU-Net is invalid.
    #[error(transparent)]
    #[code(transparent)]
    Dataset(#[from] dataset::Error),
    /// The raw task cannot be checked.
    #[error(transparent)]
    #[code(transparent)]
    Task(#[from] task::Error),
    /// Predictions cannot be evaluated.
    #[error(transparent)]
    #[code(transparent)]
    Evaluate(#[from] evaluate::Error),
    /// A volume cannot be read.
    #[error(transparent)]
    #[code(transparent)]
    Volume(#[from] volume::Error),
    /// The errors of a prediction cannot be grouped.
    #[error(transparent)]
    #[code(transparent)]
    Components(#[from] components::Error),
    /// The report cannot be written.
    #[error(transparent)]
    #[code(transparent)]
    Storage(#[from] storage::Error),
    /// The path holds nothing that a report is about.
    #[error(
        "{} is {found}; expected a trained model (folders fold_X), a fold (progress.jsonl, debug.json or a checkpoint), a \
         raw task (dataset.json and imagesTr), a preprocessed task (plans and nnUNetData_plans_…_stageX) or a folder of \
         predictions (.nii.gz or .nii files)",
        path.display()
    )]
    #[code(ReportPath)]
    Path {
        /// The path.
        path: PathBuf,
        /// What is there instead.
        found: &'static str,
    },
    /// Layers of a case are on different grids.
    #[error("{}: {found:?} voxels (z, y, x); expected {expected:?}, as in {}", path.display(), other.display())]
    #[code(ShapeMismatch)]
    Shape {
        /// The file.
        path: PathBuf,
        /// Its shape.
        found: Vec<usize>,
        /// The shape of the case's first layer.
        expected: [usize; 3],
        /// The file of that layer.
        other: PathBuf,
    },
    /// The array of a preprocessed case has no channel, or no segmentation.
    #[error(
        "{}: the array data has shape {found:?}; expected (channels, z, y, x), the segmentation last: preprocess the \
         case again",
        path.display()
    )]
    #[code(ShapeMismatch)]
    Channels {
        /// The file.
        path: PathBuf,
        /// Its shape.
        found: Vec<usize>,
    },
    /// A folder cannot be listed.
    #[error("{}: {source}", folder.display())]
    #[code(io(Folder))]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The threads could not be started.
    #[error(transparent)]
    #[code(transparent)]
    Threads(#[from] run::ThreadsError),
}

/// Result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;
