//! Errors of this crate.

use std::fmt;
use std::path::{Path, PathBuf};

use run::Coded;
use serde::Serialize;

/// A file, or one member of an npz archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The array's name inside an npz archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
}

impl Place {
    /// A whole file.
    pub fn file(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            member: None,
        }
    }

    /// One array of an npz archive.
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

/// A file of arrays that could not be read or written.
#[derive(Debug, thiserror::Error, Coded)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot read {}: {source}", path.display())]
    #[code(io(VolumeIo))]
    Io {
        /// The file concerned.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// A file could not be written; what was there before is unchanged.
    #[error(transparent)]
    #[code(transparent)]
    Write(#[from] storage::Error),
    /// The caller asked to stop.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] run::Cancelled),
    /// More memory is needed than the machine grants.
    #[error("{place} needs {bytes} bytes of memory, which the system refused")]
    #[code(OutOfMemory)]
    Memory {
        /// What was being read.
        #[detail(flatten)]
        place: Place,
        /// Bytes asked for.
        bytes: usize,
    },
    /// The file ends before the data that its header announces.
    #[error("{place} is truncated: its header announces {expected} bytes of data, {found} are there; write the file again")]
    #[code(FileTruncated)]
    Truncated {
        /// What was being read.
        #[detail(flatten)]
        place: Place,
        /// Bytes of data announced.
        expected: u64,
        /// Bytes of data present.
        found: u64,
    },
    /// Not an npy array, or one whose header makes no sense.
    #[error("{place} is not a valid npy array: {problem}")]
    #[code(NpyHeader)]
    NpyHeader {
        /// What was being read.
        #[detail(flatten)]
        place: Place,
        /// What is wrong with it.
        problem: String,
    },
    /// An element type that is not supported, or not the one asked for.
    #[error("{place} holds elements of type {found}; expected {expected}")]
    #[code(ArrayDtype)]
    Dtype {
        /// What was being read.
        #[detail(flatten)]
        place: Place,
        /// numpy's description of the type found.
        found: String,
        /// The types that would do.
        expected: String,
    },
    /// A memory map needs C order and aligned data.
    #[error("{place} cannot be mapped into memory: {problem}; save it again as a C-ordered array")]
    #[code(NpyLayout)]
    Layout {
        /// What was being mapped.
        #[detail(flatten)]
        place: Place,
        /// What stands in the way.
        problem: &'static str,
    },
    /// A value that the requested integer type cannot hold exactly.
    #[error("{place}: the value {value} at flat index {index} does not fit {expected}")]
    #[code(ArrayValue)]
    Value {
        /// What was being read.
        #[detail(flatten)]
        place: Place,
        /// Position of the first such value in storage order.
        index: usize,
        /// The value.
        #[detail(name = "found")]
        value: String,
        /// The type it should fit.
        expected: &'static str,
    },
    /// Not a zip archive, or a damaged one.
    #[error("{} is not a valid npz archive: {problem}; it may be half-written: write it again", path.display())]
    #[code(NpzArchive)]
    NpzArchive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A member whose compressed bytes are damaged.
    #[error("{place} cannot be decompressed: {problem}; write the file again")]
    #[code(NpzInflate)]
    NpzInflate {
        /// The member.
        #[detail(flatten)]
        place: Place,
        /// What is wrong with it.
        problem: String,
    },
    /// Not a NIfTI file, or one of a kind that is not supported.
    #[error("{} is not a readable NIfTI file: {problem}", path.display())]
    #[code(NiftiHeader)]
    NiftiHeader {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A pair of files where the voxels have to follow the header.
    #[error("{}: a pair of .hdr and .img; write it as .nii.gz first", path.display())]
    #[code(DatasetUnsupported)]
    Pair {
        /// The file.
        path: PathBuf,
    },
    /// A NIfTI header whose position in space has no meaning.
    #[error("{} has no usable geometry: {problem}", path.display())]
    #[code(NiftiGeometry)]
    NiftiGeometry {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// An array or geometry that NIfTI-1 cannot hold.
    #[error("cannot write {}: {problem}", path.display())]
    #[code(NiftiWrite)]
    NiftiWrite {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
    /// A damaged gzip file.
    #[error("{} cannot be decompressed: {problem}; it may be half-written: write it again", path.display())]
    #[code(Gzip)]
    Gzip {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A value of a label map that is no label.
    #[error("{} holds the value {value} at (z, y, x) = {voxel:?}; labels are whole numbers from -32768 to 32767", path.display())]
    #[code(LabelValue)]
    Label {
        /// The file.
        path: PathBuf,
        /// Where the first such value is: (z, y, x).
        voxel: [usize; 3],
        /// The value.
        #[detail(name = "found")]
        value: String,
    },
    /// The archive has no array of that name.
    #[error("{place} does not exist; the archive holds {}", list(found))]
    #[code(NpzMember)]
    NpzMember {
        /// The missing member.
        #[detail(flatten)]
        place: Place,
        /// Names of the arrays that are there.
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
