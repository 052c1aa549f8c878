//! Errors of this crate.

use std::path::PathBuf;

use run::{Cancelled, CaseFailure};

const GIB: f64 = (1u64 << 30) as f64;

/// A failure of planning or preprocessing.
#[derive(Debug, thiserror::Error, run::Coded)]
#[non_exhaustive]
pub enum Error {
    /// The verb was asked to stop.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] Cancelled),
    /// A record of the task could not be read or written.
    #[error(transparent)]
    #[code(transparent)]
    Dataset(#[from] dataset::Error),
    /// An image, label or array could not be read.
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
    /// A folder or file could not be created or removed.
    #[error("{}: {source}", path.display())]
    #[code(io(PreprocessIo))]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// The threads could not be started.
    #[error(transparent)]
    #[code(transparent)]
    Threads(#[from] run::ThreadsError),
    /// There is nothing to plan from.
    #[error("the task has no training cases: dataset.json must list at least one under \"training\"")]
    #[code(NoCases)]
    NoCases,
    /// Some cases failed where the whole task is needed.
    #[error("{} of {total} cases failed, so the task cannot be planned; the first is {}: {}",
        failures.len(), failures[0].case, failures[0].message)]
    #[code(CasesFailed)]
    Cases {
        /// Cases of the task.
        total: usize,
        /// Every failure; at least one.
        failures: Vec<CaseFailure>,
    },
    /// No voxel of a case is different from 0.
    #[error("every voxel is 0 in {}: repair the case or leave it out", list(paths))]
    #[code(EmptyImage)]
    EmptyImage {
        /// The case's images.
        paths: Vec<PathBuf>,
    },
    /// The files of a case differ in shape.
    #[error("{} has shape {found:?} (z, y, x), but {} has {expected:?}: all files of a case share one grid",
        path.display(), first.display())]
    #[code(CaseShape)]
    Shape {
        /// The file that differs.
        path: PathBuf,
        /// Its shape.
        found: [usize; 3],
        /// The case's first image.
        first: PathBuf,
        /// Its shape.
        expected: [usize; 3],
    },
    /// An image holds several channels.
    #[error("{} has {found} channels, expected 1: split it into one file per modality", path.display())]
    #[code(ImageChannels)]
    #[detail(expected = 1)]
    Channels {
        /// The image.
        path: PathBuf,
        /// Its channels.
        found: usize,
    },
    /// Cropped data of another form than a case's.
    #[error("{} holds an array of shape {found:?}, expected (channels + 1, z, y, x): crop the case again", path.display())]
    #[code(CroppedShape)]
    #[detail(expected = "(channels + 1, z, y, x)")]
    CroppedShape {
        /// The file.
        path: PathBuf,
        /// Its shape.
        found: Vec<usize>,
    },
    /// A test case has too few or too many images.
    #[error(
        "the plans expect {expected} images a case (one per modality), found {found}: {}",
        list(paths)
    )]
    #[code(CaseModalities)]
    Modalities {
        /// The images given.
        paths: Vec<PathBuf>,
        /// How many they are.
        found: usize,
        /// Modalities of the plans.
        expected: usize,
    },
    /// A case that the machine cannot hold once it is resampled.
    #[error("resampling {shape:?} voxels from spacing {spacing:?} mm to {target:?} mm makes {resampled:?} voxels, \
             {:.1} GiB where this machine has {:.1} GiB: check the spacing in the image's header, or plan a larger one",
        bytes / GIB, *capacity as f64 / GIB)]
    #[code(CaseTooLarge)]
    TooLarge {
        /// Shape before resampling, axes transposed.
        shape: [usize; 3],
        /// Its spacing in mm.
        spacing: [f64; 3],
        /// Spacing resampled to, in mm.
        target: [f64; 3],
        /// Shape after resampling.
        resampled: [usize; 3],
        /// Bytes of the result.
        bytes: f64,
        /// Bytes of memory that there are.
        capacity: u64,
    },
    /// CT normalisation lacks its statistics.
    #[error("modality {modality} is normalised as {scheme}, but the foreground statistics are missing: no training \
             case has a label above 0 there, or the plans were made without them")]
    #[code(NoIntensities)]
    NoIntensities {
        /// Index of the modality.
        modality: usize,
        /// The normalisation scheme.
        scheme: String,
    },
    /// A normalisation that is not known.
    #[error("modality {modality} has normalisation scheme \"{found}\", expected CT, CT2, nonCT or noNorm")]
    #[code(NormalizationScheme)]
    Scheme {
        /// Index of the modality.
        modality: usize,
        /// The scheme of the plans.
        found: String,
    },
    /// Plans of a preprocessor that is not known.
    #[error(
        "the plans want the preprocessor {found}; known are GenericPreprocessor, \
             GenericPreprocessor_linearResampling, PreprocessorFor2D and PreprocessorFor3D_NoResampling"
    )]
    #[code(Preprocessor)]
    Preprocessor {
        /// Its class.
        found: String,
    },
    /// A file or folder does not exist.
    #[error(transparent)]
    #[code(transparent)]
    NotFound(#[from] run::NotFound),
    /// The median case vanishes at a spacing.
    #[error("the median case has shape {shape:?} at spacing {spacing:?} mm: choose a smaller spacing")]
    #[code(EmptyStage)]
    EmptyStage {
        /// Shape after resampling.
        shape: [usize; 3],
        /// Target spacing, transposed.
        spacing: [f64; 3],
    },
    /// A patch is below the bottleneck's feature map.
    #[error("patch {patch:?} has an axis shorter than {minimum} voxels, which late pooling needs: pool by spacing")]
    #[code(PatchTooSmall)]
    PatchTooSmall {
        /// The patch.
        patch: Vec<usize>,
        /// Voxels an axis needs.
        minimum: usize,
    },
    /// Even the smallest patch costs too much.
    #[error("no patch fits: {patch:?} still costs {estimate} of {reference}; there are too many modalities or classes, \
             so give patchSize by hand")]
    #[code(NothingFits)]
    NothingFits {
        /// Smallest patch tried.
        patch: Vec<usize>,
        /// Its memory estimate.
        estimate: u64,
        /// What it may be.
        reference: f64,
    },
    /// A value given by hand does not fit.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
}

fn list(paths: &[PathBuf]) -> String {
    paths
        .iter()
        .map(|f| f.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}
