//! Errors of this crate.

use std::fmt;
use std::path::{Path, PathBuf};

use run::Coded;
use serde::Serialize;

/// A file, or one array of an npz archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// Name of the array inside an npz archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
}

impl Place {
    /// Returns the place of a whole file.
    pub fn file(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            member: None,
        }
    }

    /// Returns the place of one array of an npz archive.
    pub fn member(path: &Path, name: &str) -> Self {
        Self {
            path: path.to_owned(),
            member: Some(name.to_owned()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.member.iter().try_for_each(|name| write!(f, "[{name}]"))
    }
}

/// Errors of this crate.
#[derive(Debug, thiserror::Error, Coded)]
pub enum Error {
    /// The operating system could not read the file.
    #[error("cannot read {}: {source}", path.display())]
    #[code(io(VolumeIo))]
    Io {
        /// The file.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// A file could not be written. The previous file is unchanged.
    #[error(transparent)]
    #[code(transparent)]
    Write(#[from] storage::Error),
    /// The caller asked to stop.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] run::Cancelled),
    /// The system did not grant the required memory.
    #[error("{place} needs {bytes} bytes of memory, which the system did not grant")]
    #[code(OutOfMemory)]
    Memory {
        /// The file or array being read.
        #[detail(flatten)]
        place: Place,
        /// Requested bytes.
        bytes: usize,
    },
    /// The file ends before the end of the data described in its header.
    #[error("{place} is truncated: its header expects {expected} bytes of data, but the file has {found}; write the file again")]
    #[code(FileTruncated)]
    Truncated {
        /// The file or array being read.
        #[detail(flatten)]
        place: Place,
        /// Bytes of data expected by the header.
        expected: u64,
        /// Bytes of data in the file.
        found: u64,
    },
    /// The file is not an npy array, or its header is invalid.
    #[error("{place} is not a valid npy array: {problem}")]
    #[code(NpyHeader)]
    NpyHeader {
        /// The file or array being read.
        #[detail(flatten)]
        place: Place,
        /// The problem found.
        problem: String,
    },
    /// The element type is not supported, or differs from the expected one.
    #[error("{place} contains elements of type {found}; expected {expected}")]
    #[code(ArrayDtype)]
    Dtype {
        /// The file or array being read.
        #[detail(flatten)]
        place: Place,
        /// numpy's description of the element type.
        found: String,
        /// The accepted types.
        expected: String,
    },
    /// The array cannot be memory-mapped, which requires C order and aligned data.
    #[error("{place} cannot be mapped into memory: {problem}; save it again as a C-ordered array")]
    #[code(NpyLayout)]
    Layout {
        /// The file or array to map.
        #[detail(flatten)]
        place: Place,
        /// The problem found.
        problem: &'static str,
    },
    /// The requested integer type cannot hold a value exactly.
    #[error("{place}: the value {value} at flat index {index} does not fit {expected}")]
    #[code(ArrayValue)]
    Value {
        /// The file or array being read.
        #[detail(flatten)]
        place: Place,
        /// Position of the first such value in storage order.
        index: usize,
        /// The value.
        #[detail(name = "found")]
        value: String,
        /// The requested type.
        expected: &'static str,
    },
    /// The file is not a zip archive, or it is damaged.
    #[error("{} is not a valid npz archive: {problem}; it may be half-written: write it again", path.display())]
    #[code(NpzArchive)]
    NpzArchive {
        /// The archive.
        path: PathBuf,
        /// The problem found.
        problem: String,
    },
    /// The compressed bytes of an array are damaged.
    #[error("{place} cannot be decompressed: {problem}; write the file again")]
    #[code(NpzInflate)]
    NpzInflate {
        /// The array.
        #[detail(flatten)]
        place: Place,
        /// The problem found.
        problem: String,
    },
    /// The file is not a NIfTI file, or its kind is not supported.
    #[error("{} is not a readable NIfTI file: {problem}", path.display())]
    #[code(NiftiHeader)]
    NiftiHeader {
        /// The file.
        path: PathBuf,
        /// The problem found.
        problem: String,
    },
    /// The file is a pair of .hdr and .img. A single file is required.
    #[error("{} is a pair of .hdr and .img; expected a single file: convert it to .nii.gz", path.display())]
    #[code(DatasetUnsupported)]
    Pair {
        /// The file.
        path: PathBuf,
    },
    /// The geometry of a NIfTI header is invalid.
    #[error("{} has no usable geometry: {problem}", path.display())]
    #[code(NiftiGeometry)]
    NiftiGeometry {
        /// The file.
        path: PathBuf,
        /// The problem found.
        problem: String,
    },
    /// NIfTI-1 cannot hold the array or geometry.
    #[error("cannot write {}: {problem}", path.display())]
    #[code(NiftiWrite)]
    NiftiWrite {
        /// The file.
        path: PathBuf,
        /// The problem found.
        problem: String,
    },
    /// The gzip file is damaged.
    #[error("{} cannot be decompressed: {problem}; it may be half-written: write it again", path.display())]
    #[code(Gzip)]
    Gzip {
        /// The file.
        path: PathBuf,
        /// The problem found.
        problem: String,
    },
    /// A voxel of a label map is not a valid label.
    #[error("{} contains the value {value} at (z, y, x) = {voxel:?}; labels are whole numbers from -32768 to 32767: round them and save them as integers", path.display())]
    #[code(LabelValue)]
    Label {
        /// The file.
        path: PathBuf,
        /// Index (z, y, x) of the first such voxel.
        voxel: [usize; 3],
        /// Value of that voxel.
        #[detail(name = "found")]
        value: String,
    },
    /// The archive has no array of this name.
    #[error("{place} does not exist; the archive contains {}", list(found))]
    #[code(NpzMember)]
    NpzMember {
        /// The missing array.
        #[detail(flatten)]
        place: Place,
        /// Names of the existing arrays.
        found: Vec<String>,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "no array".to_owned()
    } else {
        names.join(", ")
    }
}
