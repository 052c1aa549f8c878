//! What can go wrong, with the facts.

use std::path::PathBuf;

use run::{Cancelled, CaseFailure, Coded};
use serde_json::{json, Value};

const GIB: f64 = (1u64 << 30) as f64;

/// A failure of planning or preprocessing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The verb was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// A record of the task could not be read or written.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
    /// An image, label or array could not be read.
    #[error(transparent)]
    Volume(#[from] volume::Error),
    /// A pickle could not be read or written.
    #[error(transparent)]
    Pickle(#[from] pickle::Error),
    /// A file could not be written.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// A case could not be resampled.
    #[error(transparent)]
    Resample(#[from] resample::Error),
    /// A folder or file could not be created or removed.
    #[error("{}: {source}", path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// The worker threads could not be started.
    #[error("cannot start {workers} worker threads: {reason}; use fewer workers")]
    Threads {
        /// Threads asked for.
        workers: usize,
        /// The system's own words.
        reason: String,
    },
    /// There is nothing to plan from.
    #[error("the task has no training cases: dataset.json must list at least one under \"training\"")]
    NoCases,
    /// Some cases failed where the whole task is needed.
    #[error("{} of {total} cases failed, so the task cannot be planned; the first is {}: {}",
        failures.len(), failures[0].case, failures[0].message)]
    Cases {
        /// Cases of the task.
        total: usize,
        /// Every failure; at least one.
        failures: Vec<CaseFailure>,
    },
    /// No voxel of a case is different from 0.
    #[error("every voxel is 0 in {}: repair the case or leave it out", list(files))]
    EmptyImage {
        /// The case's images.
        files: Vec<PathBuf>,
    },
    /// The files of a case differ in shape.
    #[error("{} has shape {found:?} (z, y, x), but {} has {expected:?}: all files of a case share one grid",
        file.display(), first.display())]
    Shape {
        /// The file that differs.
        file: PathBuf,
        /// Its shape.
        found: [usize; 3],
        /// The case's first image.
        first: PathBuf,
        /// Its shape.
        expected: [usize; 3],
    },
    /// An image holds several channels.
    #[error("{} has {found} channels, expected 1: split it into one file per modality", file.display())]
    Channels {
        /// The image.
        file: PathBuf,
        /// Its channels.
        found: usize,
    },
    /// Cropped data of another form than a case's.
    #[error("{} holds an array of shape {found:?}, expected (channels + 1, z, y, x): crop the case again", file.display())]
    CroppedShape {
        /// The file.
        file: PathBuf,
        /// Its shape.
        found: Vec<usize>,
    },
    /// A test case has too few or too many images.
    #[error(
        "the plans expect {expected} images a case (one per modality), found {found}: {}",
        list(files)
    )]
    Modalities {
        /// The images given.
        files: Vec<PathBuf>,
        /// How many they are.
        found: usize,
        /// Modalities of the plans.
        expected: usize,
    },
    /// A case that the machine cannot hold once it is resampled.
    #[error("resampling {shape:?} voxels from spacing {spacing:?} mm to {target:?} mm makes {resampled:?} voxels, \
             {:.1} GiB where this machine has {:.1} GiB: check the spacing in the image's header, or plan a larger one",
        bytes / GIB, *capacity as f64 / GIB)]
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
    NoIntensities {
        /// Index of the modality.
        modality: usize,
        /// The normalisation scheme.
        scheme: String,
    },
    /// A normalisation that is not known.
    #[error("modality {modality} has normalisation scheme \"{found}\", expected CT, CT2, nonCT or noNorm")]
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
    Preprocessor {
        /// Its class.
        found: String,
    },
    /// Plans that were never made.
    #[error("{} does not exist: plan the task first", plans.display())]
    NoPlans {
        /// The plans looked for.
        plans: PathBuf,
    },
    /// The median case vanishes at a spacing.
    #[error("the median case has shape {shape:?} at spacing {spacing:?} mm: choose a smaller spacing")]
    EmptyStage {
        /// Shape after resampling.
        shape: [usize; 3],
        /// Target spacing, transposed.
        spacing: [f64; 3],
    },
    /// A patch is below the bottleneck's feature map.
    #[error("patch {patch:?} has an axis shorter than {minimum} voxels, which late pooling needs: pool by spacing")]
    PatchTooSmall {
        /// The patch.
        patch: Vec<usize>,
        /// Voxels an axis needs.
        minimum: usize,
    },
    /// Even the smallest patch costs too much.
    #[error("no patch fits: {patch:?} still costs {estimate} of {reference}; there are too many modalities or classes, \
             so give patchSize by hand")]
    NothingFits {
        /// Smallest patch tried.
        patch: Vec<usize>,
        /// Its memory estimate.
        estimate: u64,
        /// What it may be.
        reference: f64,
    },
    /// Options that cannot be used.
    #[error(transparent)]
    Option(#[from] run::OptionError),
}

fn list(files: &[PathBuf]) -> String {
    files
        .iter()
        .map(|f| f.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Cancelled(e) => e.code(),
            Self::Dataset(e) => e.code(),
            Self::Volume(e) => e.code(),
            Self::Pickle(e) => e.code(),
            Self::Storage(e) => e.code(),
            Self::Resample(e) => e.code(),
            Self::Folder { .. } => "ERR_PREPROCESS_IO",
            Self::Threads { .. } => "ERR_THREADS",
            Self::NoCases => "ERR_NO_CASES",
            Self::Cases { .. } => "ERR_CASES_FAILED",
            Self::EmptyImage { .. } => "ERR_EMPTY_IMAGE",
            Self::Shape { .. } => "ERR_CASE_SHAPE",
            Self::Channels { .. } => "ERR_IMAGE_CHANNELS",
            Self::CroppedShape { .. } => "ERR_CROPPED_SHAPE",
            Self::Modalities { .. } => "ERR_CASE_MODALITIES",
            Self::TooLarge { .. } => "ERR_CASE_TOO_LARGE",
            Self::NoIntensities { .. } => "ERR_NO_INTENSITIES",
            Self::Scheme { .. } => "ERR_NORMALIZATION_SCHEME",
            Self::Preprocessor { .. } => "ERR_PREPROCESSOR",
            Self::NoPlans { .. } => "ERR_NO_PLANS",
            Self::EmptyStage { .. } => "ERR_EMPTY_STAGE",
            Self::PatchTooSmall { .. } => "ERR_PATCH_TOO_SMALL",
            Self::NothingFits { .. } => "ERR_NOTHING_FITS",
            Self::Option(e) => e.code(),
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Cancelled(e) => e.details(),
            Self::Dataset(e) => e.details(),
            Self::Volume(e) => e.details(),
            Self::Pickle(e) => e.details(),
            Self::Storage(e) => e.details(),
            Self::Resample(e) => e.details(),
            Self::NoCases => Value::Null,
            Self::Folder { path, source } => json!({ "path": path, "os": source.to_string() }),
            Self::Threads { workers, reason } => json!({ "workers": workers, "reason": reason }),
            Self::Cases { total, failures } => json!({ "total": total, "failures": failures }),
            Self::EmptyImage { files } => json!({ "files": files }),
            Self::Shape {
                file,
                found,
                first,
                expected,
            } => {
                json!({ "file": file, "found": found, "first": first, "expected": expected })
            }
            Self::Channels { file, found } => json!({ "file": file, "found": found, "expected": 1 }),
            Self::CroppedShape { file, found } => json!({ "file": file, "found": found }),
            Self::Modalities {
                files,
                found,
                expected,
            } => {
                json!({ "files": files, "found": found, "expected": expected })
            }
            Self::TooLarge {
                shape,
                spacing,
                target,
                resampled,
                bytes,
                capacity,
            } => json!({
                "shape": shape, "spacing": spacing, "target": target, "resampled": resampled, "bytes": bytes,
                "capacity": capacity
            }),
            Self::NoIntensities { modality, scheme } => json!({ "modality": modality, "scheme": scheme }),
            Self::Scheme { modality, found } => json!({ "modality": modality, "found": found }),
            Self::Preprocessor { found } => json!({ "found": found }),
            Self::NoPlans { plans } => json!({ "plans": plans }),
            Self::EmptyStage { shape, spacing } => json!({ "shape": shape, "spacing": spacing }),
            Self::PatchTooSmall { patch, minimum } => json!({ "patch": patch, "minimum": minimum }),
            Self::NothingFits {
                patch,
                estimate,
                reference,
            } => {
                json!({ "patch": patch, "estimate": estimate, "reference": reference })
            }
            Self::Option(e) => e.details(),
        }
    }
}
