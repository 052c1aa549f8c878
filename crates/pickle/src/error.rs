//! Errors of this crate.

use std::path::{Path, PathBuf};

/// Why a pickle or checkpoint could not be read or written.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// A file could not be opened, read or replaced.
    #[error("{}: {source}", path.display())]
    #[code(io(PickleIo))]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Writing failed; the file that was there before is unchanged.
    #[error(transparent)]
    #[code(transparent)]
    Storage(#[from] storage::Error),
    /// An error in the content of a file.
    #[error("{}: {source}", path.display())]
    #[code(transparent)]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        source: Box<Error>,
    },
    /// The data end in the middle of an object.
    #[error("pickle truncated at byte {offset}: expected {expected} more bytes, found {found}; the file is incomplete, copy or write it again")]
    #[code(PickleTruncated)]
    Truncated {
        /// Where reading stopped.
        offset: usize,
        /// Bytes that the next item needs.
        expected: u64,
        /// Bytes that were left.
        found: usize,
    },
    /// A byte that is no instruction of pickle protocols 0 to 5.
    #[error("byte {offset}: {opcode:#04x} is not a pickle instruction; the file is damaged or not a pickle")]
    #[code(PickleMalformed)]
    Opcode {
        /// Where it stands.
        offset: usize,
        /// The byte.
        #[detail(name = "found")]
        opcode: u8,
    },
    /// The pickle names a Python class or function outside the list this reader knows. Nothing was executed.
    #[error("byte {offset}: the pickle refers to {module}.{name}, which is not read here (only plain values, numpy arrays and scalars, and torch tensors are); nothing was executed")]
    #[code(PickleGlobal)]
    UnknownGlobal {
        /// Where it stands.
        offset: usize,
        /// Python module.
        module: String,
        /// Class or function in it.
        name: String,
    },
    /// A structure that no Python writes.
    #[error("byte {offset}: {problem}")]
    #[code(PickleMalformed)]
    Malformed {
        /// Where it stands; 0 where it cannot be told.
        offset: usize,
        /// What was found and expected.
        problem: String,
    },
    /// A bound of [`crate::Limits`] was exceeded: the data are hostile, or the bound has to be raised.
    #[error("more than {limit} {what}: refused to protect memory; raise the limit if the file is trusted")]
    #[code(PickleLimit)]
    Limit {
        /// What is bounded.
        what: &'static str,
        /// The bound.
        limit: u64,
    },
    /// A value exists in Python but has no counterpart here.
    #[error("{found} is not supported")]
    #[code(PickleUnsupported)]
    Unsupported {
        /// What was found.
        found: String,
    },
    /// The zip container of a checkpoint is damaged.
    #[error("damaged checkpoint archive: {problem}")]
    #[code(CheckpointArchive)]
    Archive {
        /// What is wrong.
        problem: String,
    },
    /// A key that has to be there is not.
    #[error("key {key:?} is missing")]
    #[code(PickleValue)]
    MissingKey {
        /// The key.
        key: String,
    },
    /// A value has another type than its use requires.
    #[error("{key}: expected {expected}, found {found}")]
    #[code(PickleValue)]
    Type {
        /// Key or position of the value.
        key: String,
        /// What is needed.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
}

impl Error {
    /// Names the file in which this error occurred, unless it is named already.
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
