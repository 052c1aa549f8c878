//! Errors of this crate.

use std::path::{Path, PathBuf};

use run::Cancelled;

/// Errors of this crate.
#[derive(Debug, thiserror::Error, run::Coded)]
#[non_exhaustive]
pub enum Error {
    /// The caller asked to stop.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] Cancelled),
    /// A file or folder of the model does not exist.
    #[error(transparent)]
    #[code(transparent)]
    NotFound(#[from] run::NotFound),
    /// A JSON file could not be read.
    #[error(transparent)]
    #[code(transparent)]
    Dataset(#[from] dataset::Error),
    /// An image or array could not be read or written.
    #[error(transparent)]
    #[code(transparent)]
    Volume(#[from] volume::Error),
    /// A pickle could not be read or written.
    #[error(transparent)]
    #[code(transparent)]
    Pickle(#[from] pickle::Error),
    /// A file could not be written.
    #[error(transparent)]
    #[code(transparent)]
    Storage(#[from] storage::Error),
    /// A case could not be resampled.
    #[error(transparent)]
    #[code(transparent)]
    Resample(#[from] resample::Error),
    /// A case could not be preprocessed.
    #[error(transparent)]
    #[code(transparent)]
    Preprocess(#[from] preprocess::Error),
    /// A folder or file could not be read.
    #[error("{}: {source}", path.display())]
    #[code(io(DatasetIo))]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// `plans.json` or `dataset.json` does not have nnU-Net v2's form.
    #[error("{}: {problem}", path.display())]
    #[code(DatasetRecord)]
    Record {
        /// The file.
        path: PathBuf,
        /// The entry, what was found and what is expected.
        problem: String,
    },
    /// A folder is not a complete model folder of nnU-Net v2.
    #[error("{}: {problem}", folder.display())]
    #[code(ModelFolder)]
    Model {
        /// The folder.
        folder: PathBuf,
        /// What was found, and what to do.
        problem: String,
    },
    /// A checkpoint is not one of nnU-Net v2, or its parameters cannot be used.
    #[error("{}: {problem}", path.display())]
    #[code(Checkpoint)]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What was found, and what is expected.
        problem: String,
    },
    /// The model names a class or function that is not known here.
    #[error("{}: {what} is \"{found}\"; known here: {known}", path.display())]
    #[code(ModelUnsupported)]
    Unsupported {
        /// The file that names it.
        path: PathBuf,
        /// The entry, such as `image_reader_writer`.
        what: Box<str>,
        /// Its value.
        found: Box<str>,
        /// The known values.
        known: Box<str>,
    },
    /// An RGB image has values outside 0 to 255.
    #[error(
        "channel {channel} is normalised as RGBTo01Normalization, but has values from {low} to {high}; expected 0 to 255"
    )]
    #[code(NormalizationScheme)]
    #[detail(expected = [0, 255])]
    Rgb {
        /// Index of the channel.
        channel: usize,
        /// Smallest value.
        low: f32,
        /// Largest value.
        high: f32,
    },
    /// The network gives another number of channels than the labels need.
    #[error("the prediction has {found} channels, but the labels of dataset.json need {expected}")]
    #[code(ExportRegions)]
    Heads {
        /// Channels of the prediction.
        found: usize,
        /// Expected number.
        expected: usize,
    },
    /// The configuration is a second stage, and the segmentation of the first is missing, or given without need.
    #[error("{problem}")]
    #[code(Model)]
    Previous {
        /// What was found, and what to do.
        problem: String,
    },
}

impl Error {
    pub(crate) fn record(path: &Path, problem: impl Into<String>) -> Self {
        Self::Record {
            path: path.to_owned(),
            problem: problem.into(),
        }
    }

    pub(crate) fn unsupported(path: &Path, what: &str, found: impl Into<Box<str>>, known: &str) -> Self {
        Self::Unsupported {
            path: path.to_owned(),
            what: what.into(),
            found: found.into(),
            known: known.into(),
        }
    }
}
