//! Errors of this crate.

use std::path::PathBuf;

use dataset::Error as DatasetError;

/// Why a verb of this crate failed.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// A folder or record of nnU-Net could not be used.
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
    /// Options that cannot be used.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// A new task with the number of another one.
    #[error("{task} cannot be made: {by} has its number, and tasks are told apart by that; give another name with the option task")]
    #[code(TaskNumberTaken)]
    TaskNumberTaken {
        /// The new task.
        task: String,
        /// The task that is there.
        by: String,
    },
    /// Splits are there already.
    #[error("{} exists already, and models may have been trained with its folds; pass overwrite to replace it (a copy is kept \
             beside it)", path.display())]
    #[code(SplitsExist)]
    SplitsExist {
        /// The file.
        path: PathBuf,
    },
    /// The task to convert into is there already.
    #[error("{} exists already; pass overwrite to convert into it", folder.display())]
    #[code(TaskExists)]
    TaskExists {
        /// The task's folder.
        folder: PathBuf,
    },
    /// A foreign data set has a feature that nnU-Net v1 cannot express.
    #[error("{}: {problem}", path.display())]
    #[code(DatasetUnsupported)]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The feature, and what to do.
        problem: String,
    },
    /// Not a kind of file that nnU-Net has.
    #[error("{}: expected a .pkl, .model, .npz, .npy, .nii or .nii.gz file", path.display())]
    #[code(FileKind)]
    FileKind {
        /// The file.
        path: PathBuf,
    },
    /// The threads could not be started.
    #[error(transparent)]
    #[code(transparent)]
    Threads(#[from] run::ThreadsError),
    /// The verb was asked to stop.
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
