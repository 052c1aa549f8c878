//! What can go wrong while writing and copying files.

use std::io;
use std::path::{Path, PathBuf};

use run::Coded;
use serde_json::{json, Value};

/// One entry of a folder that could not be copied.
#[derive(Debug)]
pub struct CopyFailure {
    /// The entry.
    pub source: PathBuf,
    /// Where it should have gone.
    pub target: PathBuf,
    /// Why it did not.
    pub error: Error,
}

/// A file that could not be written or copied.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk or the user's quota is full. What stood at `path` before is unchanged.
    #[error("no space left to write {}: {source}; free some space and try again (the file's earlier state is kept)", path.display())]
    DiskFull {
        /// The file that was to be written.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// Any other failure of the operating system.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted, as a verb: `create`, `write`, `replace`.
        action: &'static str,
        /// The file or folder concerned.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// There is less free space than will be needed; nothing was written.
    #[error("{} needs {needed} bytes of free space, {available} are available; free some, or choose another folder", path.display())]
    Space {
        /// The folder, or a file on its disk.
        path: PathBuf,
        /// Bytes that will be needed.
        needed: u64,
        /// Bytes available to this user.
        available: u64,
    },
    /// Source and target are one file.
    #[error("{} and {} are the same file", path.display(), target.display())]
    SameFile {
        /// The file to be copied.
        path: PathBuf,
        /// Where it was to go.
        target: PathBuf,
    },
    /// A pipe, socket or device, which has no content to copy.
    #[error("{} is neither a file nor a folder", path.display())]
    Special {
        /// The entry.
        path: PathBuf,
    },
    /// A link to a folder that contains the link.
    #[error("{} links to {}, which contains it", path.display(), folder.display())]
    LinkCycle {
        /// The link.
        path: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// A pattern of names to leave out that is not a valid pattern.
    #[error("the pattern '{pattern}' is not valid: {problem}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Some entries of a folder could not be copied; all others were.
    #[error("{} of the entries of {} could not be copied:{}", failures.len(), path.display(), list(failures))]
    Tree {
        /// The folder.
        path: PathBuf,
        /// Every entry that failed.
        failures: Vec<CopyFailure>,
    },
}

fn list(failures: &[CopyFailure]) -> String {
    failures
        .iter()
        .map(|f| format!("\n  {}: {}", f.source.display(), f.error))
        .collect()
}

impl Error {
    /// Names the failed action and its path; a full disk or quota gets its own variant.
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path, source },
            _ => Self::Io { action, path, source },
        }
    }
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::DiskFull { .. } | Self::Space { .. } => "ERR_DISK_FULL",
            Self::SameFile { .. } => "ERR_SAME_FILE",
            Self::Special { .. } => "ERR_SPECIAL_FILE",
            Self::LinkCycle { .. } => "ERR_LINK_CYCLE",
            Self::Pattern { .. } => "ERR_PATTERN",
            Self::Tree { .. } => "ERR_COPY_TREE",
            Self::Io { .. } => "ERR_STORAGE_IO",
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::DiskFull { path, source } => json!({ "path": path, "os": source.to_string() }),
            Self::Io { action, path, source } => {
                json!({ "action": action, "path": path, "os": source.to_string() })
            }
            Self::Space {
                path,
                needed,
                available,
            } => {
                json!({ "path": path, "needed": needed, "available": available })
            }
            Self::SameFile { path, target } => json!({ "path": path, "target": target }),
            Self::Special { path } => json!({ "path": path }),
            Self::LinkCycle { path, folder } => json!({ "path": path, "folder": folder }),
            Self::Pattern { pattern, problem } => json!({ "pattern": pattern, "problem": problem }),
            Self::Tree { path, failures } => {
                let failures: Vec<Value> = failures
                    .iter()
                    .map(|f| {
                        let (code, message) = (f.error.code(), f.error.to_string());
                        json!({ "source": f.source, "target": f.target, "code": code, "message": message })
                    })
                    .collect();
                json!({ "path": path, "failures": failures })
            }
        }
    }
}
