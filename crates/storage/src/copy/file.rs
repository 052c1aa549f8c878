//! Copies of single files.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use run::Cancel;

use crate::{write_atomic, Error};

/// Bytes between two checks of the cancellation.
const PART: u64 = 1 << 26;

/// Treatment of symbolic links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Links {
    /// Copy the content of the link's target.
    #[default]
    Follow,
    /// Copy the link itself.
    Keep,
}

/// Copies the content of `source` to `target` and returns the written path. If `target` is a folder, the copy
/// keeps the file name of `source` in it. An existing file is replaced atomically and keeps its mode. A new
/// file gets the default mode.
///
/// # Errors
/// [`Error::SameFile`], [`Error::Special`], [`Error::DiskFull`]. [`Error::Io`] if `source` is missing or a
/// folder, or the folder of `target` is missing. The target is then unchanged.
pub fn copy_file(source: &Path, target: &Path, links: Links) -> Result<PathBuf, Error> {
    copy_file_cancellable(source, target, links, &Cancel::new())
}

/// [`copy_file`] with cancellation.
///
/// # Errors
/// As [`copy_file`]; [`Error::Cancelled`] within 64 MiB. The target is then unchanged.
pub fn copy_file_cancellable(
    source: &Path,
    target: &Path,
    links: Links,
    cancel: &Cancel,
) -> Result<PathBuf, Error> {
    cancel.check()?;
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
    // Bypasses the buffer: the system may copy from file to file without this process.
    let copied = write_atomic(&target, |output| loop {
        let part = io::copy(&mut Read::by_ref(&mut input).take(PART), output.get_mut())?;
        cancel.check().map_err(io::Error::other)?;
        if part < PART {
            return Ok(());
        }
    });
    match copied {
        // A copy that was stopped is not a disk error.
        Err(_) if cancel.is_cancelled() => Err(run::Cancelled.into()),
        copied => copied.map(|()| target),
    }
}

/// Makes the new file `target` a hard link to the file `source`, whose symbolic links are followed. Where the
/// file system has no hard links, or `source` is on another one, it is copied. Every writer of this project
/// replaces files, so a later write to one of both does not change the other.
///
/// # Errors
/// As [`copy_file`].
pub fn link_or_copy(source: &Path, target: &Path) -> Result<(), Error> {
    let real = fs::canonicalize(source).map_err(|e| Error::io("read", source, e))?;
    if fs::hard_link(&real, target).is_ok() {
        return Ok(());
    }
    copy_file(&real, target, Links::Follow).map(drop)
}

/// Whether both paths refer to one file.
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

/// Copies the link `source` to `target` as a link.
fn copy_link(source: &Path, target: &Path) -> Result<(), Error> {
    let destination = fs::read_link(source).map_err(|e| Error::io("read", source, e))?;
    #[cfg(unix)]
    let made = std::os::unix::fs::symlink(destination, target);
    #[cfg(windows)]
    let made = std::os::windows::fs::symlink_file(destination, target);
    made.map_err(|e| Error::io("create", target, e))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_linked_file_has_the_content_and_a_later_write_leaves_the_source_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("source"), "dense").unwrap();
        link_or_copy(&path("source"), &path("target")).unwrap();
        assert_eq!(fs::read_to_string(path("target")).unwrap(), "dense");
        write_atomic(&path("target"), |file| file.write_all(b"sparse")).unwrap();
        assert_eq!(fs::read_to_string(path("source")).unwrap(), "dense");
        let error = link_or_copy(&path("missing"), &path("other")).unwrap_err();
        assert!(error.to_string().contains("missing"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("real"), "x").unwrap();
        std::os::unix::fs::symlink("real", path("link")).unwrap();
        link_or_copy(&path("link"), &path("target")).unwrap();
        assert!(fs::symlink_metadata(path("target")).unwrap().is_file());
    }
}
