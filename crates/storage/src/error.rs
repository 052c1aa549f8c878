//! Errors of this crate.

use std::io;
use std::path::{Path, PathBuf};

use run::Coded;
use serde::{Serialize, Serializer};
use serde_json::json;

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

impl Serialize for CopyFailure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (code, message) = (self.error.code(), self.error.to_string());
        json!({ "path": self.source, "target": self.target, "code": code, "message": message })
            .serialize(serializer)
    }
}

/// A file that could not be written or copied.
#[derive(Debug, thiserror::Error, Coded)]
pub enum Error {
    /// The disk or the user's quota is full. What stood at `path` before is unchanged.
    #[error("no space left to write {}: {source}; free some space and try again (the file's earlier state is kept)", path.display())]
    #[code(DiskFull)]
    DiskFull {
        /// The file that was to be written.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// Any other failure of the operating system.
    #[error("cannot {action} {}: {source}", path.display())]
    #[code(io(StorageIo))]
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
    #[code(DiskFull)]
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
    #[code(SameFile)]
    SameFile {
        /// The file to be copied.
        path: PathBuf,
        /// Where it was to go.
        target: PathBuf,
    },
    /// A pipe, socket or device, which has no content to copy.
    #[error("{} is neither a file nor a folder", path.display())]
    #[code(SpecialFile)]
    Special {
        /// The entry.
        path: PathBuf,
    },
    /// A link to a folder that contains the link.
    #[error("{} links to {}, which contains it", path.display(), folder.display())]
    #[code(LinkCycle)]
    LinkCycle {
        /// The link.
        path: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// A pattern of names to leave out that is not a valid pattern.
    #[error("the pattern '{pattern}' is not valid: {problem}")]
    #[code(Pattern)]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Some entries of a folder could not be copied; all others were.
    #[error("{} of the entries of {} could not be copied:{}", failures.len(), path.display(), list(failures))]
    #[code(CopyTree)]
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
