//! What can be wrong with a file of arrays.

use std::fmt;
use std::path::{Path, PathBuf};

use run::Coded;
use serde_json::{json, Map, Value};

/// A file, or one member of an npz archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The array's name inside an npz archive.
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
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file concerned.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// A file could not be written; what was there before is unchanged.
    #[error(transparent)]
    Write(#[from] storage::Error),
    /// More memory is needed than the machine grants.
    #[error("{place} needs {bytes} bytes of memory, which the system refused")]
    Memory {
        /// What was being read.
        place: Place,
        /// Bytes asked for.
        bytes: usize,
    },
    /// The file ends before the data that its header announces.
    #[error("{place} is truncated: its header announces {expected} bytes of data, {found} are there; write the file again")]
    Truncated {
        /// What was being read.
        place: Place,
        /// Bytes of data announced.
        expected: u64,
        /// Bytes of data present.
        found: u64,
    },
    /// Not an npy array, or one whose header makes no sense.
    #[error("{place} is not a valid npy array: {problem}")]
    NpyHeader {
        /// What was being read.
        place: Place,
        /// What is wrong with it.
        problem: String,
    },
    /// An element type that is not supported, or not the one asked for.
    #[error("{place} holds elements of type {found}; expected {expected}")]
    Dtype {
        /// What was being read.
        place: Place,
        /// numpy's description of the type found.
        found: String,
        /// The types that would do.
        expected: String,
    },
    /// A memory map needs C order and aligned data.
    #[error("{place} cannot be mapped into memory: {problem}; save it again as a C-ordered array")]
    Layout {
        /// What was being mapped.
        place: Place,
        /// What stands in the way.
        problem: &'static str,
    },
    /// A value that the requested integer type cannot hold exactly.
    #[error("{place}: the value {value} at flat index {index} does not fit {expected}")]
    Value {
        /// What was being read.
        place: Place,
        /// Position of the first such value in storage order.
        index: usize,
        /// The value.
        value: String,
        /// The type it should fit.
        expected: &'static str,
    },
    /// Not a zip archive, or a damaged one.
    #[error("{} is not a valid npz archive: {problem}; it may be half-written: write it again", path.display())]
    NpzArchive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A member whose compressed bytes are damaged.
    #[error("{place} cannot be decompressed: {problem}; write the file again")]
    NpzInflate {
        /// The member.
        place: Place,
        /// What is wrong with it.
        problem: String,
    },
    /// Not a NIfTI file, or one of a kind that is not supported.
    #[error("{} is not a readable NIfTI file: {problem}", path.display())]
    NiftiHeader {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A pair of files where the voxels have to follow the header.
    #[error("{}: a pair of .hdr and .img; write it as .nii.gz first", path.display())]
    Pair {
        /// The file.
        path: PathBuf,
    },
    /// A NIfTI header whose position in space has no meaning.
    #[error("{} has no usable geometry: {problem}", path.display())]
    NiftiGeometry {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// An array or geometry that NIfTI-1 cannot hold.
    #[error("cannot write {}: {problem}", path.display())]
    NiftiWrite {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
    /// A damaged gzip file.
    #[error("{} cannot be decompressed: {problem}; it may be half-written: write it again", path.display())]
    Gzip {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A value of a label map that is no label.
    #[error("{} holds the value {value} at (z, y, x) = {voxel:?}; labels are whole numbers from -32768 to 32767", path.display())]
    Label {
        /// The file.
        path: PathBuf,
        /// Where the first such value is: (z, y, x).
        voxel: [usize; 3],
        /// The value.
        value: String,
    },
    /// The archive has no array of that name.
    #[error("{place} does not exist; the archive holds {}", list(found))]
    NpzMember {
        /// The missing member.
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

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "ERR_VOLUME_IO",
            Self::Write(error) => error.code(),
            Self::Memory { .. } => "ERR_OUT_OF_MEMORY",
            Self::Truncated { .. } => "ERR_FILE_TRUNCATED",
            Self::NpyHeader { .. } => "ERR_NPY_HEADER",
            Self::Dtype { .. } => "ERR_ARRAY_DTYPE",
            Self::Layout { .. } => "ERR_NPY_LAYOUT",
            Self::Value { .. } => "ERR_ARRAY_VALUE",
            Self::NpzArchive { .. } => "ERR_NPZ_ARCHIVE",
            Self::NpzInflate { .. } => "ERR_NPZ_INFLATE",
            Self::NpzMember { .. } => "ERR_NPZ_MEMBER",
            Self::NiftiHeader { .. } => "ERR_NIFTI_HEADER",
            Self::Pair { .. } => "ERR_DATASET_UNSUPPORTED",
            Self::NiftiGeometry { .. } => "ERR_NIFTI_GEOMETRY",
            Self::NiftiWrite { .. } => "ERR_NIFTI_WRITE",
            Self::Gzip { .. } => "ERR_GZIP",
            Self::Label { .. } => "ERR_LABEL_VALUE",
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Io { path, source } => json!({ "path": path, "os": source.to_string() }),
            Self::Write(error) => error.details(),
            Self::Memory { place, bytes } => at(place, json!({ "bytes": bytes })),
            Self::Truncated {
                place,
                expected,
                found,
            } => at(place, json!({ "expected": expected, "found": found })),
            Self::NpyHeader { place, problem } | Self::NpzInflate { place, problem } => {
                at(place, json!({ "problem": problem }))
            }
            Self::Layout { place, problem } => at(place, json!({ "problem": problem })),
            Self::Dtype {
                place,
                found,
                expected,
            } => at(place, json!({ "found": found, "expected": expected })),
            Self::Value {
                place,
                index,
                value,
                expected,
            } => at(
                place,
                json!({ "index": index, "found": value, "expected": expected }),
            ),
            Self::NpzArchive { path, problem }
            | Self::NiftiHeader { path, problem }
            | Self::NiftiGeometry { path, problem }
            | Self::NiftiWrite { path, problem }
            | Self::Gzip { path, problem } => json!({ "path": path, "problem": problem }),
            Self::Pair { path } => json!({ "path": path }),
            Self::Label { path, voxel, value } => json!({ "path": path, "voxel": voxel, "found": value }),
            Self::NpzMember { place, found } => at(place, json!({ "found": found })),
        }
    }
}

/// Facts with the path and member in front.
fn at(place: &Place, facts: Value) -> Value {
    let mut all = Map::new();
    all.insert("path".to_owned(), json!(place.path));
    if let Some(member) = &place.member {
        all.insert("member".to_owned(), json!(member));
    }
    if let Value::Object(facts) = facts {
        all.extend(facts);
    }
    Value::Object(all)
}
