//! Errors of this crate.

use std::path::PathBuf;

use run::Cancelled;

/// An error of prediction.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// An option has an invalid value.
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
    /// The input folder has no cases.
    #[error("{}: found no case; expected files named <case>_0000.nii.gz, one for each of {channels} channels", folder.display())]
    #[code(NoCases)]
    NoCases {
        /// The input folder.
        folder: PathBuf,
        /// Number of channels of the model.
        channels: usize,
    },
    /// The model cannot be used for prediction.
    #[error("{}: {problem}", folder.display())]
    #[code(Model)]
    Model {
        /// Folder of the model.
        folder: PathBuf,
        /// The found and the expected content.
        problem: String,
    },
    /// Folds of a model have different plans.
    #[error(
        "{}: {fold} has other plans than {first} ({}); folds of different plans cannot be averaged; name folds of the same \
         plans",
        folder.display(), differences.join(", ")
    )]
    #[code(ModelPlans)]
    FoldPlans {
        /// Folder of the model.
        folder: PathBuf,
        /// Folder of the first fold.
        first: String,
        /// Folder of the fold that differs.
        fold: String,
        /// Names of the entries that differ.
        differences: Vec<String>,
    },
    /// The segmentation of a cascade's first stage is not on the grid of the image.
    #[error(
        "{} has {found:?} voxels (z, y, x), but the image {expected:?}; the first stage of the cascade must segment the same \
         image",
        path.display()
    )]
    #[code(ShapeMismatch)]
    FirstStage {
        /// The segmentation.
        path: PathBuf,
        /// Its shape (z, y, x).
        found: [usize; 3],
        /// Shape (z, y, x) of the image.
        expected: [usize; 3],
    },
    /// The network's prediction has values that are not finite.
    #[error(
        "the network's prediction is not finite in {voxels} values, also in float32; the image has extreme values, or the \
         model is damaged; look at the image, or choose another checkpoint"
    )]
    #[code(SoftmaxNotFinite)]
    SoftmaxNotFinite {
        /// Number of values.
        voxels: usize,
    },
    /// The system does not give the memory of a softmax.
    #[error(
        "out of memory: {:.2} GiB asked for; give less with --memory, so that fewer planes are held at a time, or free memory \
         of other processes",
        *bytes as f64 / f64::from(1 << 30)
    )]
    #[code(OutOfMemory)]
    Memory {
        /// Bytes asked for.
        bytes: u64,
    },
    /// The images of a case do not have the file ending of the data set that the model was trained on.
    #[error(
        "{} does not end with {expected}, the file_ending of the model's dataset.json; convert the images, or name a folder of \
         them",
        path.display()
    )]
    #[code(NoCases)]
    Ending {
        /// An image.
        path: PathBuf,
        /// The expected ending.
        expected: String,
    },
    /// Every case has another number of channels than the model.
    #[error(
        "{}: every case has other channels than the model, such as {case} with {found}; expected {expected}, from \
         <case>_0000 on; name images for this model",
        folder.display()
    )]
    #[code(CaseModalities)]
    Channels {
        /// The input folder.
        folder: PathBuf,
        /// A case.
        case: String,
        /// Number of its channels.
        found: usize,
        /// Number of channels of the model.
        expected: usize,
    },
    /// An error of a model of nnU-Net v2, its preprocessing or its export.
    #[error(transparent)]
    #[code(transparent)]
    V2(Box<v2::Error>),
    /// The postprocessing cannot be read or applied.
    #[error(transparent)]
    #[code(transparent)]
    Evaluate(#[from] evaluate::Error),
    /// An error of the network, device or libtorch.
    #[error(transparent)]
    #[code(transparent)]
    Engine(#[from] engine::Error),
    /// An error of folders or records.
    #[error(transparent)]
    #[code(transparent)]
    Dataset(#[from] dataset::Error),
    /// A case cannot be read or preprocessed.
    #[error(transparent)]
    #[code(transparent)]
    Preprocess(#[from] preprocess::Error),
    /// The softmax cannot be resampled to the original grid.
    #[error(transparent)]
    #[code(transparent)]
    Resample(#[from] resample::Error),
    /// A result cannot be written.
    #[error(transparent)]
    #[code(transparent)]
    Volume(#[from] volume::Error),
    /// A file cannot be written.
    #[error(transparent)]
    #[code(transparent)]
    Storage(#[from] storage::Error),
    /// The verb was cancelled.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] Cancelled),
    /// A worker ended without a result. This is a bug in this package.
    #[error("internal error: {problem}")]
    #[code(Internal)]
    Internal {
        /// Description of the bug.
        problem: String,
    },
}

impl Error {
    /// The same error; if memory lacks for a tile, with what helps a prediction.
    pub(crate) fn advise(self) -> Self {
        match self {
            Self::Engine(error) => Self::Engine(error.advise(|| {
                "give less with --memory, so that fewer planes are held at a time, use --precision float16 or bfloat16, or \
                 free memory of other processes"
                    .to_owned()
            })),
            other => other,
        }
    }

    pub(crate) fn shape(error: &ndarray::ShapeError) -> Self {
        Self::Internal {
            problem: format!("softmax of an unexpected shape: {error}"),
        }
    }
}

impl From<v2::Error> for Error {
    fn from(error: v2::Error) -> Self {
        Self::V2(Box::new(error))
    }
}

impl From<tch::TchError> for Error {
    fn from(error: tch::TchError) -> Self {
        Self::Engine(error.into())
    }
}
