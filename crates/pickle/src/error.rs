//! Errors of this crate.

use std::path::{Path, PathBuf};

/// Errors of this crate.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// A file could not be opened, read or replaced.
    #[error("{}: {source}", path.display())]
    #[code(io(PickleIo))]
    Io {
        /// The file.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// A file could not be written. The previous file is unchanged.
    #[error(transparent)]
    #[code(transparent)]
    Storage(#[from] storage::Error),
    /// The content of a file is invalid.
    #[error("{}: {source}", path.display())]
    #[code(transparent)]
    File {
        /// The file.
        path: PathBuf,
        /// The error in the content.
        source: Box<Error>,
    },
    /// The data end within an object.
    #[error("pickle truncated at byte {offset}: expected {expected} more bytes, found {found}; the file is incomplete; copy or write it again")]
    #[code(PickleTruncated)]
    Truncated {
        /// Byte offset of the end of the data.
        offset: usize,
        /// Bytes that the next item requires.
        expected: u64,
        /// Bytes that remain.
        found: usize,
    },
    /// A byte is not an instruction of pickle protocols 0 to 5.
    #[error("byte {offset}: {opcode:#04x} is not a pickle instruction; the file is damaged or not a pickle")]
    #[code(PickleMalformed)]
    Opcode {
        /// Byte offset of the instruction.
        offset: usize,
        /// The byte found.
        #[detail(name = "found")]
        opcode: u8,
    },
    /// The pickle refers to a Python class or function that is not supported. Nothing was executed.
    #[error("byte {offset}: the pickle refers to {module}.{name}, which is not supported; expected plain values, numpy arrays and scalars, or torch tensors; nothing was executed")]
    #[code(PickleGlobal)]
    UnknownGlobal {
        /// Byte offset of the name.
        offset: usize,
        /// Python module.
        module: String,
        /// Class or function in it.
        name: String,
    },
    /// The pickle has a structure that Python never writes.
    #[error("byte {offset}: {problem}")]
    #[code(PickleMalformed)]
    Malformed {
        /// Byte offset of the structure, or 0 if unknown.
        offset: usize,
        /// The problem: found and expected content.
        problem: String,
    },
    /// A bound of [`crate::Limits`] was exceeded: the data are hostile, or the bound is too low.
    #[error("more than {limit} {what}: rejected to protect memory; raise the limit if the file is trusted")]
    #[code(PickleLimit)]
    Limit {
        /// The bounded quantity.
        what: &'static str,
        /// The bound.
        limit: u64,
    },
    /// A value exists in Python but is not supported here.
    #[error("{found} is not supported")]
    #[code(PickleUnsupported)]
    Unsupported {
        /// The unsupported value.
        found: String,
    },
    /// The zip container of a checkpoint is damaged.
    #[error("damaged checkpoint archive: {problem}")]
    #[code(CheckpointArchive)]
    Archive {
        /// The problem found.
        problem: String,
    },
    /// A required key is missing.
    #[error("key {key:?} is missing")]
    #[code(PickleValue)]
    MissingKey {
        /// The key.
        key: String,
    },
    /// A value has an unexpected type.
    #[error("{key}: expected {expected}, found {found}")]
    #[code(PickleValue)]
    Type {
        /// Key or position of the value.
        key: String,
        /// Expected type.
        expected: &'static str,
        /// Type found.
        found: &'static str,
    },
}

impl Error {
    /// Adds the file's path to this error, unless the error already names a file.
    pub fn in_file(self, path: &Path) -> Self {
        match self {
            Self::Io { .. } | Self::Storage(_) | Self::File { .. } => self,
            other => Self::File {
                path: path.to_owned(),
                source: Box::new(other),
            },
        }
    }

    pub(crate) fn malformed(offset: usize, problem: impl Into<String>) -> Self {
        Self::Malformed {
            offset,
            problem: problem.into(),
        }
    }
}
