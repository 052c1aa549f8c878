//! Errors of this crate.

use std::path::PathBuf;

/// Errors of this crate.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// An option has an invalid value.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// A folder, or a file of a case, does not exist.
    #[error(transparent)]
    #[code(transparent)]
    NotFound(#[from] run::NotFound),
    /// No folder has a softmax.
    #[error(
        "{} contains no .npz file; predict with --save-softmax, which writes <case>.npz and <case>.pkl",
        folder.display()
    )]
    #[code(NoCases)]
    NoCases {
        /// The first folder.
        folder: PathBuf,
    },
    /// Two models disagree about a case.
    #[error(
        "{}: {what} {found}, but {} has {expected}; ensembles need models of the same classes and predictions of the same \
         images",
        path.display(), first.display()
    )]
    #[code(EnsembleMismatch)]
    Mismatch {
        /// File of the first model.
        first: PathBuf,
        /// File of the other model.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// The other model's value.
        found: String,
        /// The first model's value.
        expected: String,
    },
    /// A softmax has values that are not finite.
    #[error("{}: {voxels} values are not finite; predict the case again", path.display())]
    #[code(SoftmaxNotFinite)]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// Number of values.
        voxels: usize,
    },
    /// A folder could not be listed or created.
    #[error("{}: {source}", folder.display())]
    #[code(io(Folder))]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// Properties of a case cannot be read or written.
    #[error(transparent)]
    #[code(transparent)]
    Dataset(#[from] dataset::Error),
    /// A softmax or segmentation cannot be read or written.
    #[error(transparent)]
    #[code(transparent)]
    Volume(#[from] volume::Error),
    /// The plans, the labels or a case of nnU-Net v2 cannot be read.
    #[error(transparent)]
    #[code(transparent)]
    V2(#[from] v2::Error),
    /// The softmax does not fit the image.
    #[error(transparent)]
    #[code(transparent)]
    Resample(#[from] resample::Error),
    /// The postprocessing cannot be read or applied.
    #[error(transparent)]
    #[code(transparent)]
    Evaluate(#[from] evaluate::Error),
    /// A result could not be written.
    #[error(transparent)]
    #[code(transparent)]
    Storage(#[from] storage::Error),
    /// The verb was cancelled.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] run::Cancelled),
    /// The threads could not be started.
    #[error(transparent)]
    #[code(transparent)]
    Threads(#[from] run::ThreadsError),
}
