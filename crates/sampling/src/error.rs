//! Errors of this crate.

use std::path::PathBuf;
use std::sync::Arc;

use run::Cancelled;
use serde::Serialize;

/// A weightmap that does not have its case's shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShapeMismatch {
    /// The case.
    pub case: String,
    /// Shape of the file.
    pub found: Vec<usize>,
    /// Shape that fits the case.
    pub expected: Vec<usize>,
}

/// Error of this crate. Clones share their sources.
#[derive(Clone, Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// The threads could not be started.
    #[error(transparent)]
    #[code(transparent)]
    Threads(#[from] run::ThreadsError),
    /// The folder holds no case.
    #[error("{} holds no preprocessed case (no <case>.npz); run preprocessing for this configuration first", folder.display())]
    #[code(NoCases)]
    NoCases {
        /// The folder.
        folder: PathBuf,
    },
    /// A case has neither npy nor npz file.
    #[error("case {case}: neither {case}.npy nor {case}.npz exists in {}; preprocess the case again", folder.display())]
    #[code(CaseMissing)]
    MissingCase {
        /// The case.
        case: String,
        /// The folder.
        folder: PathBuf,
    },
    /// A file of a case cannot be read.
    #[error("case {case}: {source}")]
    #[code(transparent)]
    CaseFile {
        /// The case.
        case: String,
        /// What is wrong with the file.
        source: Arc<volume::Error>,
    },
    /// A case's array does not have the form of preprocessed data.
    #[error("case {case}: {} has shape {found:?}; expected {expected}", path.display())]
    #[code(CaseShape)]
    CaseShape {
        /// The case.
        case: String,
        /// The file.
        path: PathBuf,
        /// Its shape.
        found: Vec<usize>,
        /// What it should be.
        expected: String,
    },
    /// A case's properties cannot be read.
    #[error("case {case}: {source}")]
    #[code(transparent)]
    Properties {
        /// The case.
        case: String,
        /// What is wrong with the file.
        source: Arc<dataset::Error>,
    },
    /// A case's properties lack what forced foreground sampling needs.
    #[error("case {case}: its properties have no usable class_locations{}; preprocess it again with this program or a current nnU-Net v1",
        label.map_or_else(String::new, |label| format!(" of label {label}")))]
    #[code(ClassLocations)]
    ClassLocations {
        /// The case.
        case: String,
        /// The label whose voxels make no sense; `None` where the key is missing altogether.
        label: Option<i64>,
    },
    /// Weightmaps that are missing or do not fit, all of them.
    #[error(
        "weightmaps do not fit the data: {}; write them with `nnunet-diag weightmaps {}`",
        weightmap_list(missing, mismatched),
        folder.display()
    )]
    #[code(Weightmaps)]
    Weightmaps {
        /// Folder of the cases.
        folder: PathBuf,
        /// Cases without `<case>_weightmap.npy`.
        missing: Vec<String>,
        /// Cases whose weightmap has another shape.
        mismatched: Vec<ShapeMismatch>,
    },
    /// A weight that is negative, infinite or not a number.
    #[error("case {case}: its weightmap holds {value} near voxel (z, y, x) = {voxel:?}; weights must be finite and not negative: write it again with `nnunet-diag weightmaps`")]
    #[code(WeightmapValue)]
    WeightmapValue {
        /// The case.
        case: String,
        /// The value as text, for JSON has no word for it.
        #[detail(name = "found")]
        value: String,
        /// First voxel of the row that holds it.
        voxel: [usize; 3],
    },
    /// Cases without any annotated voxel, all of them.
    #[error("{} of the cases have no annotated voxel to draw patches from: {}; annotate them, take them out of the split, or skip them (skipUnannotated)",
        cases.len(), cases.join(", "))]
    #[code(NoAnnotation)]
    NoAnnotation {
        /// The cases.
        cases: Vec<String>,
    },
    /// The disk has no room for the unpacked cases.
    #[error("unpacking {} needs {needed} bytes and {available} are free; free some space, or read straight from the npz files (unpack: false)", folder.display())]
    #[code(NoSpace)]
    NoSpace {
        /// The folder.
        folder: PathBuf,
        /// Bytes needed.
        needed: u64,
        /// Bytes free.
        available: u64,
    },
    /// A file could not be written; what was there before is unchanged.
    #[error(transparent)]
    #[code(transparent)]
    Write(Arc<storage::Error>),
    /// The work was cancelled.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] Cancelled),
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        Self::Write(Arc::new(error))
    }
}

impl Error {
    pub(crate) fn file(case: &str, source: impl Into<Arc<volume::Error>>) -> Self {
        Self::CaseFile {
            case: case.to_owned(),
            source: source.into(),
        }
    }
}

fn weightmap_list(missing: &[String], mismatched: &[ShapeMismatch]) -> String {
    let mut parts = Vec::new();
    if !missing.is_empty() {
        parts.push(format!("missing for {} ({})", missing.len(), missing.join(", ")));
    }
    parts.extend(
        mismatched
            .iter()
            .map(|m| format!("{} has shape {:?}, expected {:?}", m.case, m.found, m.expected)),
    );
    parts.join("; ")
}
