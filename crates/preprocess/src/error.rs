//! Errors of this crate.

use std::path::PathBuf;

use run::{Cancelled, CaseFailure};

const GIB: f64 = (1u64 << 30) as f64;

/// Errors of this crate.
#[derive(Debug, thiserror::Error, run::Coded)]
#[non_exhaustive]
pub enum Error {
    /// The verb was cancelled.
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
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The threads could not be started.
    #[error(transparent)]
    #[code(transparent)]
    Threads(#[from] run::ThreadsError),
    /// The task has no training cases.
    #[error("the task has no training cases: dataset.json must list at least one under \"training\"")]
    #[code(NoCases)]
    NoCases,
    /// Some cases failed, but planning requires all cases.
    #[error("{} of {total} cases failed, so the task cannot be planned; the first is {}: {}",
        failures.len(), failures[0].case, failures[0].message)]
    #[code(CasesFailed)]
    Cases {
        /// Number of cases of the task.
        total: usize,
        /// Every failure, at least one.
        failures: Vec<CaseFailure>,
    },
    /// Every voxel of a case is 0.
    #[error(
        "every voxel is 0 in {}: repair the case or remove it from the task",
        list(paths)
    )]
    #[code(EmptyImage)]
    EmptyImage {
        /// Images of the case.
        paths: Vec<PathBuf>,
    },
    /// Voxels of an image are not finite.
    #[error("{} has {nan} NaN and {infinite} infinite or too large values of {voxels}: repair the image, or replace them by 0 with \
             --nonfinite zero", path.display())]
    #[code(NotFinite)]
    NotFinite {
        /// The image.
        path: PathBuf,
        /// Number of NaN values.
        nan: usize,
        /// Number of values that are infinite or above 1e18, whose square exceeds float32.
        infinite: usize,
        /// Number of all values.
        voxels: usize,
    },
    /// The intensities that normalise a CT image have no spread.
    #[error("modality {modality} is normalised as CT, but its intensities have no spread (all are {value}): check the \
             images, or name the modality other than CT in dataset.json to normalise each image by itself")]
    #[code(NoSpread)]
    NoSpread {
        /// Index of the modality.
        modality: usize,
        /// The single intensity of the foreground; NaN if the case has none between the bounds.
        value: f32,
    },
    /// The files of a case differ in shape.
    #[error("{} has shape {found:?} (z, y, x), but {} has {expected:?}: all files of a case share one grid",
        path.display(), first.display())]
    #[code(CaseShape)]
    Shape {
        /// The file with another shape.
        path: PathBuf,
        /// Shape of this file.
        found: [usize; 3],
        /// First image of the case.
        first: PathBuf,
        /// Shape of the first image.
        expected: [usize; 3],
    },
    /// An image has several channels.
    #[error("{} has {found} channels, expected 1: split it into one file per modality", path.display())]
    #[code(ImageChannels)]
    #[detail(expected = 1)]
    Channels {
        /// The image.
        path: PathBuf,
        /// Number of channels.
        found: usize,
    },
    /// Cropped data have an invalid shape.
    #[error("{} contains an array of shape {found:?}, expected (channels + 1, z, y, x): crop the case again", path.display())]
    #[code(CroppedShape)]
    #[detail(expected = "(channels + 1, z, y, x)")]
    CroppedShape {
        /// The file.
        path: PathBuf,
        /// Shape of the array.
        found: Vec<usize>,
    },
    /// A test case has too few or too many images.
    #[error(
        "the plans expect {expected} images per case (one per modality), found {found}: {}",
        list(paths)
    )]
    #[code(CaseModalities)]
    Modalities {
        /// The given images.
        paths: Vec<PathBuf>,
        /// Number of images.
        found: usize,
        /// Number of modalities in the plans.
        expected: usize,
    },
    /// A resampled case exceeds the machine's memory.
    #[error("resampling {shape:?} voxels from spacing {spacing:?} mm to {target:?} mm makes {resampled:?} voxels, \
             {:.1} GiB where this machine has {:.1} GiB: check the spacing in the image's header, or plan a larger one",
        bytes / GIB, *capacity as f64 / GIB)]
    #[code(CaseTooLarge)]
    TooLarge {
        /// Shape before resampling, with transposed axes.
        shape: [usize; 3],
        /// Spacing before resampling in mm.
        spacing: [f64; 3],
        /// Target spacing in mm.
        target: [f64; 3],
        /// Shape after resampling.
        resampled: [usize; 3],
        /// Size of the result in bytes.
        bytes: f64,
        /// Memory of the machine in bytes.
        capacity: u64,
    },
    /// The statistics for CT normalisation are missing.
    #[error("modality {modality} is normalised as {scheme}, but the foreground statistics are missing: no training \
             case has a label above 0 there, or the plans were made without them")]
    #[code(NoIntensities)]
    NoIntensities {
        /// Index of the modality.
        modality: usize,
        /// Normalisation scheme.
        scheme: String,
    },
    /// A normalisation scheme is unknown.
    #[error("modality {modality} has normalisation scheme \"{found}\", expected CT, CT2, nonCT or noNorm")]
    #[code(NormalizationScheme)]
    Scheme {
        /// Index of the modality.
        modality: usize,
        /// Normalisation scheme in the plans.
        found: String,
    },
    /// The plans name an unknown preprocessor.
    #[error(
        "the plans name the preprocessor {found}; expected GenericPreprocessor, \
             GenericPreprocessor_linearResampling, PreprocessorFor2D or PreprocessorFor3D_NoResampling"
    )]
    #[code(Preprocessor)]
    Preprocessor {
        /// Class name in the plans.
        found: String,
    },
    /// A file or folder does not exist.
    #[error(transparent)]
    #[code(transparent)]
    NotFound(#[from] run::NotFound),
    /// The median case has no voxels at a spacing.
    #[error("the median case has shape {shape:?} at spacing {spacing:?} mm: choose a smaller spacing")]
    #[code(EmptyStage)]
    EmptyStage {
        /// Shape after resampling.
        shape: [usize; 3],
        /// Target spacing, with transposed axes.
        spacing: [f64; 3],
    },
    /// A patch is smaller than the bottleneck's feature map.
    #[error("patch {patch:?} has an axis shorter than {minimum} voxels, the minimum for late pooling: use pooling by spacing")]
    #[code(PatchTooSmall)]
    PatchTooSmall {
        /// The patch.
        patch: Vec<usize>,
        /// Minimum number of voxels per axis.
        minimum: usize,
    },
    /// Even the smallest patch exceeds the memory reference.
    #[error("no patch fits: {patch:?} has an estimate of {estimate}, expected at most {reference}; the task has too many modalities or classes, \
             set patchSize")]
    #[code(NothingFits)]
    NothingFits {
        /// Smallest patch tried.
        patch: Vec<usize>,
        /// Its memory estimate.
        estimate: u64,
        /// Maximum of the estimate.
        reference: f64,
    },
    /// An option has an invalid value.
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
