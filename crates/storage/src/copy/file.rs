//! Copying one file.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::{write_atomic, Error};

/// What to do with a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Links {
    /// Copy the content of what it points to.
    #[default]
    Follow,
    /// Make the same link again.
    Keep,
}

/// Copies the content of `source` to `target`, or into `target` under its own name where that is a folder, and returns the
/// path written. A file that is already there is replaced in one step and keeps its mode; a new one gets the default mode.
///
/// # Errors
/// [`Error::SameFile`], [`Error::Special`], [`Error::DiskFull`], or [`Error::Io`] where `source` is missing or a folder, or the
/// folder of `target` is missing. What was at the target is then unchanged.
pub fn copy_file(source: &Path, target: &Path, links: Links) -> Result<PathBuf, Error> {
    let target = match (target.is_dir(), source.file_name()) {
        (true, Some(name)) => target.join(name),
        _ => target.to_owned(),
    };
    let read = |e| Error::io("read", source, e);
    let link = fs::symlink_metadata(source)
        .map_err(read)?
        .file_type()
        .is_symlink();
    if same_file(source, &target, links) {
        return Err(Error::SameFile {
            path: source.to_owned(),
            target,
        });
    }
    if link && links == Links::Keep {
        copy_link(source, &target)?;
        return Ok(target);
    }
    let metadata = fs::metadata(source).map_err(read)?;
    if metadata.is_dir() {
        return Err(read(ErrorKind::IsADirectory.into()));
    }
    if !metadata.is_file() {
        return Err(Error::Special {
            path: source.to_owned(),
        });
    }
    let mut input = File::open(source).map_err(read)?;
    // From file to file, past the buffer: the system may copy without moving bytes through this process.
    write_atomic(&target, |output| io::copy(&mut input, output.get_mut()))?;
    Ok(target)
}

/// Whether both paths lead to one file.
fn same_file(source: &Path, target: &Path, links: Links) -> bool {
    let metadata = |path| match links {
        Links::Follow => fs::metadata(path),
        Links::Keep => fs::symlink_metadata(path),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let identity = |path| metadata(path).ok().map(|m| (m.dev(), m.ino()));
        identity(source).is_some_and(|one| identity(target) == Some(one))
    }
    #[cfg(not(unix))]
    {
        let identity = |path| metadata(path).ok().and_then(|_| fs::canonicalize(path).ok());
        identity(source).is_some_and(|one| identity(target) == Some(one))
    }
}

/// Makes the link `source` again at `target`.
fn copy_link(source: &Path, target: &Path) -> Result<(), Error> {
    let destination = fs::read_link(source).map_err(|e| Error::io("read", source, e))?;
    #[cfg(unix)]
    let made = std::os::unix::fs::symlink(destination, target);
    #[cfg(windows)]
    let made = std::os::windows::fs::symlink_file(destination, target);
    made.map_err(|e| Error::io("create", target, e))
}
