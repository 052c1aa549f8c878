//! Errors of this crate.

use std::path::PathBuf;

use dataset::Error as DatasetError;
use serde_json::{json, Value as Json};

/// Why a verb of this crate failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A folder or record of nnU-Net could not be used.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// A file could not be written or copied.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// A pickle or checkpoint could not be read.
    #[error(transparent)]
    Pickle(#[from] pickle::Error),
    /// An array, image or label file could not be read or written.
    #[error(transparent)]
    Volume(#[from] volume::Error),
    /// Options that cannot be used.
    #[error(transparent)]
    Option(#[from] run::OptionError),
    /// A new task with the number of another one.
    #[error("{task} cannot be made: {by} has its number, and tasks are told apart by that; give another name with the option task")]
    TaskNumberTaken {
        /// The new task.
        task: String,
        /// The task that is there.
        by: String,
    },
    /// Splits are there already.
    #[error("{} exists already, and models may have been trained with its folds; pass overwrite to replace it (a copy is kept \
             beside it)", path.display())]
    SplitsExist {
        /// The file.
        path: PathBuf,
    },
    /// A pattern that is no regular expression, or has no group.
    #[error("pattern {pattern:?} for patients: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why it does not serve.
        reason: String,
    },
    /// A foreign data set has a feature that nnU-Net v1 cannot express.
    #[error("{}: {what}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The feature, and what to do.
        what: String,
    },
    /// Not a kind of file that nnU-Net has.
    #[error("{file}: expected a .pkl, .model, .npz, .npy, .nii or .nii.gz file")]
    FileKind {
        /// The file.
        file: PathBuf,
    },
    /// The threads could not be started.
    #[error("cannot start {workers} threads: {reason}")]
    Threads {
        /// Threads asked for.
        workers: usize,
        /// The system's reason.
        reason: String,
    },
    /// The verb was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] run::Cancelled),
}

impl Error {
    pub(crate) fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        let path = path.into();
        DatasetError::Io { path, source }.into()
    }

    pub(crate) fn record(path: impl Into<PathBuf>, what: impl Into<String>) -> Self {
        let (path, what) = (path.into(), what.into());
        DatasetError::Record { path, what }.into()
    }

    pub(crate) fn value(record: &'static str, what: String) -> Self {
        DatasetError::Value { record, what }.into()
    }
}

impl run::Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Dataset(e) => e.code(),
            Self::Storage(e) => e.code(),
            Self::Pickle(e) => e.code(),
            Self::Volume(e) => e.code(),
            Self::Option(e) => e.code(),
            Self::TaskNumberTaken { .. } => "ERR_TASK_NUMBER_TAKEN",
            Self::SplitsExist { .. } => "ERR_SPLITS_EXIST",
            Self::Pattern { .. } => "ERR_SPLITS",
            Self::Unsupported { .. } => "ERR_DATASET_UNSUPPORTED",
            Self::FileKind { .. } => "ERR_FILE_KIND",
            Self::Threads { .. } => "ERR_THREADS",
            Self::Cancelled(e) => e.code(),
        }
    }

    fn details(&self) -> Json {
        match self {
            Self::Dataset(e) => e.details(),
            Self::Storage(e) => e.details(),
            Self::Pickle(e) => e.details(),
            Self::Volume(e) => e.details(),
            Self::Option(e) => e.details(),
            Self::TaskNumberTaken { task, by } => json!({ "task": task, "by": by }),
            Self::SplitsExist { path } => json!({ "path": path }),
            Self::Pattern { pattern, reason } => json!({ "pattern": pattern, "reason": reason }),
            Self::Unsupported { path, what } => json!({ "path": path, "what": what }),
            Self::FileKind { file } => json!({ "file": file }),
            Self::Threads { workers, reason } => json!({ "workers": workers, "reason": reason }),
            Self::Cancelled(e) => e.details(),
        }
    }
}
