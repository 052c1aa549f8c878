//! What can go wrong while comparing and postprocessing segmentations.

use std::path::PathBuf;

use run::{CaseFailure, Coded};
use serde_json::{json, Value};
use volume::{Deviation, Geometry};

/// A folder or case that could not be evaluated or postprocessed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A segmentation could not be read or written.
    #[error(transparent)]
    Volume(#[from] volume::Error),
    /// A result could not be written.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] run::Cancelled),
    /// A distance transform refused its input.
    #[error(transparent)]
    Distance(#[from] edt::Error),
    /// Options that cannot be used.
    #[error(transparent)]
    Option(#[from] run::OptionError),
    /// A folder could not be listed.
    #[error("cannot list the folder {}: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// A folder without any segmentation.
    #[error("{} holds no .nii.gz or .nii file", folder.display())]
    NoCases {
        /// The folder.
        folder: PathBuf,
    },
    /// A reference without a prediction.
    #[error("case {case} has a reference but no prediction in {}", folder.display())]
    MissingPrediction {
        /// The case.
        case: String,
        /// The folder of predictions.
        folder: PathBuf,
    },
    /// A prediction without a reference.
    #[error("case {case} has a prediction but no reference in {}", folder.display())]
    MissingReference {
        /// The case.
        case: String,
        /// The folder of references.
        folder: PathBuf,
    },
    /// Two segmentations of different shapes.
    #[error("the prediction has {prediction:?} voxels (z, y, x), its reference {reference:?}")]
    Shape {
        /// Voxels of the reference, (z, y, x).
        reference: [usize; 3],
        /// Voxels of the prediction, (z, y, x).
        prediction: [usize; 3],
    },
    /// Two segmentations that lie differently in space.
    #[error(
        "{} lies elsewhere than its reference: spacing {:?} instead of {:?}, origin {:?} instead of {:?}, direction {:?} \
         instead of {:?}; allow the difference by a tolerance above {tolerance} if it is harmless",
        prediction.display(), found.spacing, expected.spacing, found.origin, expected.origin, found.direction,
        expected.direction
    )]
    Geometry {
        /// The prediction's file.
        prediction: PathBuf,
        /// Geometry of the reference.
        expected: Box<Geometry>,
        /// Geometry of the prediction.
        found: Box<Geometry>,
        /// Largest differences.
        deviation: Deviation,
        /// Difference allowed.
        tolerance: f64,
    },
    /// Connected components could not be labelled.
    #[error(transparent)]
    Components(#[from] components::Error),
    /// A `summary.json` that cannot be used.
    #[error("{} cannot be used: {problem}", path.display())]
    Summary {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A `postprocessing.json` that cannot be used.
    #[error("{} cannot be used: {problem}", path.display())]
    Postprocessing {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Background cannot be removed.
    #[error("label 0 is the background, whose components cannot be removed")]
    Background,
    /// A minimum object size is given for some regions, but not for this one.
    #[error("there is no minimum object size for {region}")]
    MinimumSize {
        /// Key of the region.
        region: String,
    },
    /// Cases failed where all are needed.
    #[error("{} cases failed; first {}: {}", failures.len(), failures[0].case, failures[0].message)]
    Cases {
        /// Every case that failed; at least one.
        failures: Vec<CaseFailure>,
    },
    /// The system refused to start threads.
    #[error("cannot start worker threads: {problem}")]
    Threads {
        /// The system's own words.
        problem: String,
    },
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Volume(error) => error.code(),
            Self::Option(error) => error.code(),
            Self::Storage(error) => error.code(),
            Self::Cancelled(error) => error.code(),
            Self::Distance(error) => error.code(),
            Self::Folder { .. } => "ERR_FOLDER",
            Self::NoCases { .. } => "ERR_NO_CASES",
            Self::MissingPrediction { .. } => "ERR_MISSING_PREDICTION",
            Self::MissingReference { .. } => "ERR_MISSING_REFERENCE",
            Self::Shape { .. } => "ERR_SHAPE_MISMATCH",
            Self::Geometry { .. } => "ERR_GEOMETRY_MISMATCH",
            Self::Components(error) => error.code(),
            Self::Summary { .. } => "ERR_SUMMARY_FILE",
            Self::Postprocessing { .. } => "ERR_POSTPROCESSING_FILE",
            Self::Background => "ERR_POSTPROCESSING_BACKGROUND",
            Self::MinimumSize { .. } => "ERR_POSTPROCESSING_MINIMUM_SIZE",
            Self::Cases { .. } => "ERR_CASES_FAILED",
            Self::Threads { .. } => "ERR_THREADS",
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Volume(error) => error.details(),
            Self::Option(error) => error.details(),
            Self::Storage(error) => error.details(),
            Self::Cancelled(error) => error.details(),
            Self::Distance(error) => error.details(),
            Self::Folder { folder, source } => json!({ "folder": folder, "os": source.to_string() }),
            Self::NoCases { folder } => json!({ "folder": folder }),
            Self::MissingPrediction { case, folder } | Self::MissingReference { case, folder } => {
                json!({ "case": case, "folder": folder })
            }
            Self::Shape {
                reference,
                prediction,
            } => json!({ "expected": reference, "found": prediction }),
            Self::Geometry {
                prediction,
                expected,
                found,
                deviation,
                tolerance,
            } => json!({
                "path": prediction, "expected": expected, "found": found, "deviation": deviation, "tolerance": tolerance,
            }),
            Self::Components(error) => error.details(),
            Self::Summary { path, problem } | Self::Postprocessing { path, problem } => {
                json!({ "path": path, "problem": problem })
            }
            Self::Background => Value::Null,
            Self::MinimumSize { region } => json!({ "region": region }),
            Self::Cases { failures } => json!({ "failures": failures }),
            Self::Threads { problem } => json!({ "problem": problem }),
        }
    }
}
