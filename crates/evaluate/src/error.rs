//! Errors of this crate.

use std::path::PathBuf;

use run::{CaseFailure, Shard};
use volume::{Deviation, Geometry};

/// Errors of this crate.
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
    /// A model folder is invalid.
    #[error(transparent)]
    #[code(transparent)]
    Dataset(#[from] dataset::Error),
    /// The caller asked to stop.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] run::Cancelled),
    /// The input of a distance transform is invalid.
    #[error(transparent)]
    #[code(transparent)]
    Distance(#[from] edt::Error),
    /// An option has an invalid value.
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
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The folder contains no segmentation.
    #[error("{} contains no .nii.gz or .nii file", folder.display())]
    #[code(NoCases)]
    NoCases {
        /// The folder.
        folder: PathBuf,
    },
    /// The prediction of a reference is missing.
    #[error("case {case} has a reference but no prediction in {}", folder.display())]
    #[code(MissingPrediction)]
    MissingPrediction {
        /// The case.
        case: String,
        /// Folder of predictions.
        folder: PathBuf,
    },
    /// The reference of a prediction is missing.
    #[error("case {case} has a prediction but no reference in {}", folder.display())]
    #[code(MissingReference)]
    MissingReference {
        /// The case.
        case: String,
        /// Folder of references.
        folder: PathBuf,
    },
    /// Prediction and reference have different shapes.
    #[error("the prediction has {prediction:?} voxels (z, y, x), but its reference has {reference:?}")]
    #[code(ShapeMismatch)]
    Shape {
        /// Shape (z, y, x) of the reference.
        #[detail(name = "expected")]
        reference: [usize; 3],
        /// Shape (z, y, x) of the prediction.
        #[detail(name = "found")]
        prediction: [usize; 3],
    },
    /// Prediction and reference have different geometries.
    #[error(
        "{} has another geometry than its reference: spacing {:?} instead of {:?}, origin {:?} instead of {:?}, direction {:?} \
         instead of {:?}; allow the difference by a tolerance above {tolerance} if it is harmless",
        prediction.display(), found.spacing, expected.spacing, found.origin, expected.origin, found.direction,
        expected.direction
    )]
    #[code(GeometryMismatch)]
    Geometry {
        /// File of the prediction.
        #[detail(name = "path")]
        prediction: PathBuf,
        /// Geometry of the reference.
        expected: Box<Geometry>,
        /// Geometry of the prediction.
        found: Box<Geometry>,
        /// Largest differences; spacing and origin as a fraction of the reference's voxel.
        deviation: Deviation,
        /// Maximum allowed difference.
        tolerance: f64,
    },
    /// Requested labels occur in no case.
    #[error(
        "no case has {}; references and predictions have the labels {}; correct the option labels, or pass absentLabels \
         to accept undefined scores",
        labels.join(", "), numbers(found)
    )]
    #[code(LabelsAbsent)]
    LabelsAbsent {
        /// Keys of the regions.
        labels: Vec<String>,
        /// Labels that occur.
        found: Vec<i16>,
    },
    /// The predictions cannot have labels of the references.
    #[error(
        "the references have the labels {}, but the predictions know {} only; choose the references of this task, name \
         the labels to evaluate, or ignore unlabelled voxels with the option ignoreLabel",
        numbers(labels), numbers(known)
    )]
    #[code(LabelsUnknown)]
    LabelsUnknown {
        /// Labels of the references that the predictions do not know.
        labels: Vec<i16>,
        /// Labels of the model, or without its plans those that occur in the predictions.
        known: Vec<i16>,
    },
    /// Connected components could not be labelled.
    #[error(transparent)]
    #[code(transparent)]
    Components(#[from] components::Error),
    /// A `summary.json` is invalid.
    #[error("{} is invalid: {problem}", path.display())]
    #[code(SummaryFile)]
    Summary {
        /// The file.
        path: PathBuf,
        /// The problem found.
        problem: String,
    },
    /// The result of a part of the cases cannot be merged.
    #[error("{}: {problem}; run `evaluate --shard {part}` again", path.display())]
    #[code(EvaluationPart)]
    Part {
        /// The file.
        path: PathBuf,
        /// The part.
        part: Shard,
        /// The problem found.
        problem: String,
    },
    /// A `postprocessing.json` is invalid.
    #[error("{} is invalid: {problem}", path.display())]
    #[code(PostprocessingFile)]
    Postprocessing {
        /// The file.
        path: PathBuf,
        /// The problem found.
        problem: String,
    },
    /// A region contains the background, which cannot be removed.
    #[error("label 0 is the background, whose components cannot be removed")]
    #[code(PostprocessingBackground)]
    Background,
    /// The minimum object size of a region is missing.
    #[error("the minimum object size for {region} is missing")]
    #[code(PostprocessingMinimumSize)]
    MinimumSize {
        /// Key of the region.
        region: String,
    },
    /// The softmax of a case does not fit its properties or its reference.
    #[error(
        "{}: the softmax has the shape {found:?}; expected (class, z, y, x) with {expected:?} voxels within the reference",
        path.display()
    )]
    #[code(ShapeMismatch)]
    SoftmaxShape {
        /// The file.
        path: PathBuf,
        /// Shape (z, y, x) of the cropped image, from the properties of the case.
        expected: [usize; 3],
        /// Shape of the softmax.
        found: Vec<usize>,
    },
    /// A softmax has values that are no probabilities.
    #[error("{}: {voxels} values are not between 0 and 1; predict the case again", path.display())]
    #[code(SoftmaxNotFinite)]
    SoftmaxValues {
        /// The file.
        path: PathBuf,
        /// Number of values.
        voxels: usize,
    },
    /// A comparison needs a case in both folders.
    #[error("no case is in both {} and {}", first.display(), second.display())]
    #[code(NoCases)]
    NoPairs {
        /// The first folder of predictions.
        first: PathBuf,
        /// The second folder of predictions.
        second: PathBuf,
    },
    /// Some cases failed, but all are required.
    #[error("{} cases failed; first {}: {}", failures.len(), failures[0].case, failures[0].message)]
    #[code(CasesFailed)]
    Cases {
        /// Every failed case, at least one.
        failures: Vec<CaseFailure>,
    },
    /// The threads could not be started.
    #[error(transparent)]
    #[code(transparent)]
    Threads(#[from] run::ThreadsError),
}

/// `1, 2, 3`.
fn numbers(labels: &[i16]) -> String {
    let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
    labels.join(", ")
}
