//! Errors of this crate.

use std::path::PathBuf;

use run::CaseFailure;
use volume::{Deviation, Geometry};

/// A folder or case that could not be evaluated or postprocessed.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// A segmentation could not be read or written.
    #[error(transparent)]
    #[code(transparent)]
    Volume(#[from] volume::Error),
    /// A result could not be written.
    #[error(transparent)]
    #[code(transparent)]
    Storage(#[from] storage::Error),
    /// The caller asked to stop.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] run::Cancelled),
    /// A distance transform refused its input.
    #[error(transparent)]
    #[code(transparent)]
    Distance(#[from] edt::Error),
    /// Options that cannot be used.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// A folder does not exist.
    #[error(transparent)]
    #[code(transparent)]
    NotFound(#[from] run::NotFound),
    /// A folder could not be listed or created.
    #[error("{}: {source}", folder.display())]
    #[code(io(Folder))]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// A folder without any segmentation.
    #[error("{} holds no .nii.gz or .nii file", folder.display())]
    #[code(NoCases)]
    NoCases {
        /// The folder.
        folder: PathBuf,
    },
    /// A reference without a prediction.
    #[error("case {case} has a reference but no prediction in {}", folder.display())]
    #[code(MissingPrediction)]
    MissingPrediction {
        /// The case.
        case: String,
        /// The folder of predictions.
        folder: PathBuf,
    },
    /// A prediction without a reference.
    #[error("case {case} has a prediction but no reference in {}", folder.display())]
    #[code(MissingReference)]
    MissingReference {
        /// The case.
        case: String,
        /// The folder of references.
        folder: PathBuf,
    },
    /// Two segmentations of different shapes.
    #[error("the prediction has {prediction:?} voxels (z, y, x), its reference {reference:?}")]
    #[code(ShapeMismatch)]
    Shape {
        /// Voxels of the reference, (z, y, x).
        #[detail(name = "expected")]
        reference: [usize; 3],
        /// Voxels of the prediction, (z, y, x).
        #[detail(name = "found")]
        prediction: [usize; 3],
    },
    /// Two segmentations that lie differently in space.
    #[error(
        "{} lies elsewhere than its reference: spacing {:?} instead of {:?}, origin {:?} instead of {:?}, direction {:?} \
         instead of {:?}; allow the difference by a tolerance above {tolerance} if it is harmless",
        prediction.display(), found.spacing, expected.spacing, found.origin, expected.origin, found.direction,
        expected.direction
    )]
    #[code(GeometryMismatch)]
    Geometry {
        /// The prediction's file.
        #[detail(name = "path")]
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
    #[code(transparent)]
    Components(#[from] components::Error),
    /// A `summary.json` that cannot be used.
    #[error("{} cannot be used: {problem}", path.display())]
    #[code(SummaryFile)]
    Summary {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A `postprocessing.json` that cannot be used.
    #[error("{} cannot be used: {problem}", path.display())]
    #[code(PostprocessingFile)]
    Postprocessing {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Background cannot be removed.
    #[error("label 0 is the background, whose components cannot be removed")]
    #[code(PostprocessingBackground)]
    Background,
    /// A minimum object size is given for some regions, but not for this one.
    #[error("there is no minimum object size for {region}")]
    #[code(PostprocessingMinimumSize)]
    MinimumSize {
        /// Key of the region.
        region: String,
    },
    /// Cases failed where all are needed.
    #[error("{} cases failed; first {}: {}", failures.len(), failures[0].case, failures[0].message)]
    #[code(CasesFailed)]
    Cases {
        /// Every case that failed; at least one.
        failures: Vec<CaseFailure>,
    },
    /// The threads could not be started.
    #[error(transparent)]
    #[code(transparent)]
    Threads(#[from] run::ThreadsError),
}
