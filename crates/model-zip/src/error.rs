//! Errors of this crate.

use std::io;
use std::path::{Path, PathBuf};

use dataset::Fold;

/// Errors of this crate.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// An option has an invalid value.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// A model, or a file of it, does not exist.
    #[error(transparent)]
    #[code(transparent)]
    NotFound(#[from] run::NotFound),
    /// A model of nnU-Net v2 cannot be read.
    #[error(transparent)]
    #[code(transparent)]
    V2(#[from] v2::Error),
    /// A folder cannot be exported.
    #[error("{}: {problem}", folder.display())]
    #[code(ModelFolder)]
    Model {
        /// The folder.
        folder: PathBuf,
        /// The problem found.
        problem: String,
    },
    /// A fold to export has no final checkpoint.
    #[error(
        "{}: training of {} is not finished (no {}.model and .model.pkl); finish it with \
         `nnunet-diag train --continue`, or name the folds to export with --folds",
        folder.display(), list(folds), dataset::results::FINAL_CHECKPOINT
    )]
    #[code(FoldUnfinished)]
    Unfinished {
        /// The model.
        folder: PathBuf,
        /// The folds.
        folds: Vec<Fold>,
    },
    /// The zip file exists.
    #[error("{} exists; choose another name, or add --overwrite to replace it", path.display())]
    #[code(FileExists)]
    FileExists {
        /// The file.
        path: PathBuf,
    },
    /// A zip file cannot be installed.
    #[error("{} cannot be installed: {problem}", path.display())]
    #[code(ModelZip)]
    Zip {
        /// The file.
        path: PathBuf,
        /// The problem found, and what is expected.
        problem: String,
    },
    /// A model of the zip file is installed already.
    #[error(
        "{} exists; add --overwrite to install the model of {} in its place (the folder is then kept under another \
         name), or choose another folder with --output",
        path.display(), zip.display()
    )]
    #[code(ModelExists)]
    ModelExists {
        /// The folder.
        path: PathBuf,
        /// The zip file.
        zip: PathBuf,
    },
    /// A file or folder could not be read, created or moved.
    #[error("{}: {source}", path.display())]
    #[code(io(Io))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The folder of trained models is not set, or a folder is not a model.
    #[error(transparent)]
    #[code(transparent)]
    Dataset(#[from] dataset::Error),
    /// A file could not be written, or another process installs into the folder.
    #[error(transparent)]
    #[code(transparent)]
    Storage(#[from] storage::Error),
    /// The verb was cancelled.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] run::Cancelled),
}

impl Error {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { path, source }
    }
}

fn list(folds: &[Fold]) -> String {
    let names: Vec<_> = folds.iter().map(|fold| fold.folder()).collect();
    names.join(", ")
}
