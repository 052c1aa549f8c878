//! Errors of this crate.

use std::path::PathBuf;

use dataset::Error as DatasetError;

/// Errors of this crate.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// A folder or record of nnU-Net is invalid.
    #[error(transparent)]
    #[code(transparent)]
    Dataset(#[from] DatasetError),
    /// A file could not be written or copied.
    #[error(transparent)]
    #[code(transparent)]
    Storage(#[from] storage::Error),
    /// A pickle or checkpoint could not be read.
    #[error(transparent)]
    #[code(transparent)]
    Pickle(#[from] pickle::Error),
    /// An array, image or label file could not be read or written.
    #[error(transparent)]
    #[code(transparent)]
    Volume(#[from] volume::Error),
    /// An option has an invalid value.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// Another task has the number of the new task.
    #[error("{task} cannot be created: {by} has the same number, which must be unique; choose another name with the option task")]
    #[code(TaskNumberTaken)]
    TaskNumberTaken {
        /// The new task.
        task: String,
        /// The existing task.
        by: String,
    },
    /// The splits already exist.
    #[error("{} exists already, and models may have been trained with its folds; pass overwrite to replace it (a backup is \
             kept in the same folder)", path.display())]
    #[code(SplitsExist)]
    SplitsExist {
        /// The file.
        path: PathBuf,
    },
    /// The target task already exists.
    #[error("{} exists already; pass overwrite to convert into it", folder.display())]
    #[code(TaskExists)]
    TaskExists {
        /// The task's folder.
        folder: PathBuf,
    },
    /// The folder of the new task already exists.
    #[error("{} exists already; choose another name, or remove it first", folder.display())]
    #[code(TaskExists)]
    DestinationExists {
        /// The folder.
        folder: PathBuf,
    },
    /// The dataset has a feature that nnU-Net v1 does not support.
    #[error("{}: {problem}", path.display())]
    #[code(DatasetUnsupported)]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The feature, and what to do.
        problem: String,
    },
    /// A checkpoint of nnU-Net v1 cannot be converted.
    #[error("{}: {problem}", path.display())]
    #[code(Checkpoint)]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What was found, and what is expected.
        problem: String,
    },
    /// A model of nnU-Net v1 has a part that v2 does not have.
    #[error("{}: {problem}; the model cannot be a model of nnU-Net v2", path.display())]
    #[code(ModelUnsupported)]
    NotInV2 {
        /// The file or folder.
        path: PathBuf,
        /// The part.
        problem: String,
    },
    /// The file is not of a supported kind.
    #[error("{}: expected a .pkl, .model, .pth, .npz, .npy, .nii or .nii.gz file, or the folder of a model of nnU-Net v2", path.display())]
    #[code(FileKind)]
    FileKind {
        /// The file.
        path: PathBuf,
    },
    /// A model of nnU-Net v2 cannot be read.
    #[error(transparent)]
    #[code(transparent)]
    V2(#[from] v2::Error),
    /// The threads could not be started.
    #[error(transparent)]
    #[code(transparent)]
    Threads(#[from] run::ThreadsError),
    /// The verb was cancelled.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] run::Cancelled),
}

impl Error {
    pub(crate) fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        let path = path.into();
        DatasetError::Io { path, source }.into()
    }

    pub(crate) fn record(path: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        let (path, problem) = (path.into(), problem.into());
        DatasetError::Record { path, problem }.into()
    }

    pub(crate) fn value(record: &'static str, problem: String) -> Self {
        DatasetError::Value { record, problem }.into()
    }
}
