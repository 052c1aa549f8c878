//! Errors of this crate.

use std::io;
use std::path::{Path, PathBuf};

use run::Coded;
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::lock::Holder;

/// A folder entry that could not be copied.
#[derive(Debug)]
pub struct CopyFailure {
    /// Path of the entry.
    pub source: PathBuf,
    /// Path of the copy.
    pub target: PathBuf,
    /// Reason of the failure.
    pub error: Error,
}

impl Serialize for CopyFailure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (code, message) = (self.error.code(), self.error.to_string());
        json!({ "path": self.source, "target": self.target, "code": code, "message": message })
            .serialize(serializer)
    }
}

/// Errors of this crate.
#[derive(Debug, thiserror::Error, Coded)]
pub enum Error {
    /// The caller asked to stop.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] run::Cancelled),
    /// The disk or the user's quota is full. The previous file at `path` is unchanged.
    #[error("no space left to write {}: {source}; free some space and try again (the previous file is unchanged)", path.display())]
    #[code(DiskFull)]
    DiskFull {
        /// The file to write.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// Any other error of the operating system.
    #[error("cannot {action} {}: {source}", path.display())]
    #[code(io(StorageIo))]
    Io {
        /// The failed action, as a verb: `create`, `write`, `replace`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The disk has less free space than required. Nothing was written.
    #[error("{} needs {needed} bytes of free space, but {available} are available; free some space, or choose another folder", path.display())]
    #[code(DiskFull)]
    Space {
        /// The folder, or a file on its disk.
        path: PathBuf,
        /// Required bytes.
        needed: u64,
        /// Bytes available to this user.
        available: u64,
    },
    /// Another process has the lock of a folder.
    #[error(
        "{} is held by process {pid} on {host} since {since} UTC; wait for it or stop it \
         (if it ended without deleting the file, delete the file)",
        path.display()
    )]
    #[code(Locked)]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Machine of the process.
        host: String,
        /// Number of the process.
        pid: u32,
        /// When it took the lock (UTC).
        since: String,
    },
    /// Source and target are the same file.
    #[error("{} and {} are the same file", path.display(), target.display())]
    #[code(SameFile)]
    SameFile {
        /// The file to copy.
        path: PathBuf,
        /// The target.
        target: PathBuf,
    },
    /// The folder of a copy exists already.
    #[error("{} exists already; choose another path, or continue an interrupted copy with continue", path.display())]
    #[code(TargetExists)]
    TargetExists {
        /// The folder.
        path: PathBuf,
    },
    /// The entry is a pipe, socket or device, which has no content to copy.
    #[error("{} is neither a file nor a folder", path.display())]
    #[code(SpecialFile)]
    Special {
        /// The entry.
        path: PathBuf,
    },
    /// A link leads to a folder that contains the link.
    #[error("{} links to {}, which contains it", path.display(), folder.display())]
    #[code(LinkCycle)]
    LinkCycle {
        /// The link.
        path: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// A pattern of names to exclude is invalid.
    #[error("the pattern '{pattern}' is not valid: {problem}")]
    #[code(Pattern)]
    Pattern {
        /// The pattern.
        pattern: String,
        /// The problem found.
        problem: &'static str,
    },
    /// Some entries of a folder could not be copied. All other entries were copied.
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
    pub(crate) fn locked(path: &Path, holder: Holder) -> Self {
        Self::Locked {
            path: path.to_owned(),
            host: holder.host,
            pid: holder.pid,
            since: holder.since,
        }
    }

    /// Returns the error of an action on a path. A full disk or quota has its own variant.
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path, source },
            _ => Self::Io { action, path, source },
        }
    }
}
