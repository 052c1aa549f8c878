//! The folder in which readers that take a path find the bytes.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder of one thread, in memory where the system has such a file system.
pub(crate) struct Workspace(TempDir);

impl Workspace {
    fn new() -> Option<Self> {
        let memory = Path::new("/dev/shm");
        let folder = match memory.is_dir() {
            true => tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()),
            false => tempfile::tempdir(),
        };
        folder.ok().map(Self)
    }

    /// Path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

thread_local! {
    static WORKSPACE: Option<Workspace> = Workspace::new();
}

/// Calls `read` with the path of a file that has these bytes and this name. Returns whether the reader accepted it.
pub(crate) fn with_file<T, E>(name: &str, bytes: &[u8], read: impl FnOnce(&Path) -> Result<T, E>) -> bool {
    with(|workspace| {
        let path = workspace.path(name);
        fs::write(&path, bytes).is_ok() && read(&path).is_ok()
    })
}

/// Calls `work` with the folder of this thread.
pub(crate) fn with(work: impl FnOnce(&Workspace) -> bool) -> bool {
    WORKSPACE.with(|workspace| workspace.as_ref().is_some_and(work))
}
