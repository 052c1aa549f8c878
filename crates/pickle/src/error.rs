//! What can be wrong with a pickle or a checkpoint.

use std::path::{Path, PathBuf};

use serde_json::{json, Value as Json};

/// Why a pickle or checkpoint could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be opened, read or replaced.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Writing failed; the file that was there before is unchanged.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// An error in the content of a file.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        source: Box<Error>,
    },
    /// The data end in the middle of an object.
    #[error("pickle truncated at byte {offset}: {needed} more bytes expected, {left} left; the file is incomplete, copy or write it again")]
    Truncated {
        /// Where reading stopped.
        offset: usize,
        /// Bytes that the next item needs.
        needed: u64,
        /// Bytes that were left.
        left: usize,
    },
    /// A byte that is no instruction of pickle protocols 0 to 5.
    #[error("byte {offset}: {opcode:#04x} is not a pickle instruction; the file is damaged or not a pickle")]
    Opcode {
        /// Where it stands.
        offset: usize,
        /// The byte.
        opcode: u8,
    },
    /// The pickle names a Python class or function outside the list this reader knows. Nothing was executed.
    #[error("byte {offset}: the pickle refers to {module}.{name}, which is not read here (only plain values, numpy arrays and scalars, and torch tensors are); nothing was executed")]
    UnknownGlobal {
        /// Where it stands.
        offset: usize,
        /// Python module.
        module: String,
        /// Class or function in it.
        name: String,
    },
    /// A structure that no Python writes.
    #[error("byte {offset}: {what}")]
    Malformed {
        /// Where it stands; 0 where it cannot be told.
        offset: usize,
        /// What was found and expected.
        what: String,
    },
    /// A bound of [`crate::Limits`] was exceeded: the data are hostile, or the bound has to be raised.
    #[error("more than {limit} {what}: refused to protect memory; raise the limit if the file is trusted")]
    Limit {
        /// What is bounded.
        what: &'static str,
        /// The bound.
        limit: u64,
    },
    /// A value exists in Python but has no counterpart here.
    #[error("{what} is not supported")]
    Unsupported {
        /// What was found.
        what: String,
    },
    /// The zip container of a checkpoint is damaged.
    #[error("damaged checkpoint archive: {what}")]
    Archive {
        /// What is wrong.
        what: String,
    },
    /// A key that has to be there is not.
    #[error("key {key:?} is missing")]
    MissingKey {
        /// The key.
        key: String,
    },
    /// A value has another type than its use requires.
    #[error("{key}: expected {expected}, found {found}")]
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

    pub(crate) fn malformed(offset: usize, what: impl Into<String>) -> Self {
        Self::Malformed {
            offset,
            what: what.into(),
        }
    }
}

impl run::Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "ERR_PICKLE_IO",
            Self::Storage(e) => e.code(),
            Self::File { source, .. } => source.code(),
            Self::Truncated { .. } => "ERR_PICKLE_TRUNCATED",
            Self::Opcode { .. } | Self::Malformed { .. } => "ERR_PICKLE_MALFORMED",
            Self::UnknownGlobal { .. } => "ERR_PICKLE_GLOBAL",
            Self::Limit { .. } => "ERR_PICKLE_LIMIT",
            Self::Unsupported { .. } => "ERR_PICKLE_UNSUPPORTED",
            Self::Archive { .. } => "ERR_CHECKPOINT_ARCHIVE",
            Self::MissingKey { .. } | Self::Type { .. } => "ERR_PICKLE_VALUE",
        }
    }

    fn details(&self) -> Json {
        match self {
            Self::Io { path, source } => json!({ "path": path, "reason": source.to_string() }),
            Self::Storage(e) => e.details(),
            Self::File { path, source } => {
                let mut details = source.details();
                if let Json::Object(map) = &mut details {
                    map.insert("path".into(), json!(path));
                }
                details
            }
            Self::Truncated { offset, needed, left } => {
                json!({ "offset": offset, "needed": needed, "left": left })
            }
            Self::Opcode { offset, opcode } => json!({ "offset": offset, "opcode": opcode }),
            Self::UnknownGlobal { offset, module, name } => {
                json!({ "offset": offset, "module": module, "name": name })
            }
            Self::Malformed { offset, what } => json!({ "offset": offset, "what": what }),
            Self::Limit { what, limit } => json!({ "what": what, "limit": limit }),
            Self::Unsupported { what } | Self::Archive { what } => json!({ "what": what }),
            Self::MissingKey { key } => json!({ "key": key }),
            Self::Type { key, expected, found } => {
                json!({ "key": key, "expected": expected, "found": found })
            }
        }
    }
}
