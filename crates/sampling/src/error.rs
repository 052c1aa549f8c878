//! Errors of this crate.

use std::path::PathBuf;
use std::sync::Arc;

use run::Cancelled;
use serde::Serialize;

/// A weightmap with another shape than its case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShapeMismatch {
    /// The case.
    pub case: String,
    /// Shape of the file.
    pub found: Vec<usize>,
    /// Shape that fits the case.
    pub expected: Vec<usize>,
}

/// An error of this crate. Clones share their sources.
#[derive(Clone, Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// The threads could not be started.
    #[error(transparent)]
    #[code(transparent)]
    Threads(#[from] run::ThreadsError),
    /// The folder has no cases.
    #[error("{} holds no preprocessed case (no <case>.npz); run preprocessing for this configuration first", folder.display())]
    #[code(NoCases)]
    NoCases {
        /// The folder.
        folder: PathBuf,
    },
    /// A case has neither an npy nor an npz file.
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
        /// The error of the file.
        source: Arc<volume::Error>,
    },
    /// A case's array does not have the shape of preprocessed data.
    #[error("case {case}: {} has shape {found:?}; expected {expected}", path.display())]
    #[code(CaseShape)]
    CaseShape {
        /// The case.
        case: String,
        /// The file.
        path: PathBuf,
        /// Its shape.
        found: Vec<usize>,
        /// The expected shape.
        expected: String,
    },
    /// A case's properties cannot be read.
    #[error("case {case}: {source}")]
    #[code(transparent)]
    Properties {
        /// The case.
        case: String,
        /// The error of the file.
        source: Arc<dataset::Error>,
    },
    /// A case's properties lack the class locations that forced foreground sampling needs.
    #[error("case {case}: its properties have no usable class_locations{}; preprocess it again with this program or a current nnU-Net v1",
        label.map_or_else(String::new, |label| format!(" of label {label}")))]
    #[code(ClassLocations)]
    ClassLocations {
        /// The case.
        case: String,
        /// The label with invalid voxels; `None` if the key is missing.
        label: Option<i64>,
    },
    /// Weightmaps are missing or do not match. Lists all of them.
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
    /// A weight is negative or not finite.
    #[error("case {case}: its weightmap holds {value} near voxel (z, y, x) = {voxel:?}; weights must be finite and not negative: write it again with `nnunet-diag weightmaps`")]
    #[code(WeightmapValue)]
    WeightmapValue {
        /// The case.
        case: String,
        /// The value as text, since JSON cannot represent it.
        #[detail(name = "found")]
        value: String,
        /// First voxel of its row.
        voxel: [usize; 3],
    },
    /// Cases have no annotated voxel. Lists all of them.
    #[error("{} of the cases have no annotated voxel to draw patches from: {}; annotate them, take them out of the split, or skip them (skipUnannotated)",
        cases.len(), cases.join(", "))]
    #[code(NoAnnotation)]
    NoAnnotation {
        /// The cases.
        cases: Vec<String>,
    },
    /// The disk has too little space for the unpacked cases.
    #[error("unpacking {} needs {needed} bytes and {available} are free; free some space, or read straight from the npz files (unpack: false)", folder.display())]
    #[code(NoSpace)]
    NoSpace {
        /// The folder.
        folder: PathBuf,
        /// Required bytes.
        needed: u64,
        /// Available bytes.
        available: u64,
    },
    /// A file could not be written. The existing file is unchanged.
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
