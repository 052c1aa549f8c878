//! Atomic replacement of a file.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::{temporary, Error};

/// Buffer size in bytes. A large buffer keeps the number of system calls low when an array is written row by
/// row.
const BUFFER: usize = 1 << 18;

/// Writes a file through `write`. `path` holds either its previous content or the complete new content.
///
/// The content goes to a temporary file in the same folder, is flushed to the disk and then renamed to
/// `path`, and the folder is flushed. The temporary file is named `.<name>.<owner>-<random>.tmp`, so that
/// patterns for results never match the remains of a killed process, which the next one removes. An existing
/// file keeps its mode if the file system allows it. A symbolic link
/// is kept; its target is replaced.
///
/// # Errors
/// [`Error::DiskFull`] or [`Error::Io`] naming `path`. The file at `path` is then unchanged, and the
/// temporary file is deleted. An error returned by `write` is reported as a failure to write `path`.
pub fn write_atomic<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>,
) -> Result<T, Error> {
    let target = link_target(path);
    let previous = fs::metadata(&target).ok();
    if previous.as_ref().is_some_and(fs::Metadata::is_dir) {
        return Err(Error::io("write", path, io::Error::from(ErrorKind::IsADirectory)));
    }
    let temporary = temporary::create(&target).map_err(|e| Error::io("create", path, e))?;
    let (file, location) = temporary.into_parts();
    let mut writer = BufWriter::with_capacity(BUFFER, file);
    let value = write(&mut writer).map_err(|e| Error::io("write", path, e))?;
    writer.flush().map_err(|e| Error::io("write", path, e))?;
    sync(writer.get_ref()).map_err(|e| Error::io("write", path, e))?;
    if let Some(previous) = previous {
        // Servers that store no permission metadata reject this. The content is what matters.
        match fs::set_permissions(&location, previous.permissions()) {
            Err(e) if !matches!(e.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported) => {
                return Err(Error::io("write", path, e));
            }
            _ => {}
        }
    }
    // Closed before the rename: some systems cannot rename an open file.
    drop(writer);
    location
        .persist(&target)
        .map_err(|e| Error::io("replace", path, e.error))?;
    sync_folder(&target).map_err(|e| Error::io("flush the folder of", path, e))?;
    Ok(value)
}

/// Returns the final target of a symbolic link at `path`, or `path` itself.
fn link_target(path: &Path) -> PathBuf {
    let is_link = fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_symlink());
    if is_link {
        fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
    } else {
        path.to_owned()
    }
}

/// Flushes to the disk. File systems without support for it, such as some network file systems, are ignored.
fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(e) if matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput) => Ok(()),
        done => done,
    }
}

/// Makes the rename durable, where the system can flush a folder. Only a failing disk is an error.
fn sync_folder(path: &Path) -> io::Result<()> {
    let Ok(folder) = File::open(temporary::folder_of(path)) else {
        return Ok(());
    };
    match folder.sync_all() {
        Err(e) if is_disk_failure(&e) => Err(e),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn is_disk_failure(error: &io::Error) -> bool {
    let codes = [libc::EIO, libc::ENOSPC, libc::EDQUOT, libc::ESTALE];
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

#[cfg(not(unix))]
fn is_disk_failure(_: &io::Error) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn shorter_content_replaces_longer_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        fs::write(&path, "old and longer").unwrap();
        let value = write_atomic(&path, |w| w.write_all(b"new").map(|()| 7)).unwrap();
        assert_eq!(value, 7);
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn failed_write_keeps_previous_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        fs::write(&path, "old").unwrap();
        let error = write_atomic(&path, |w| {
            w.write_all(b"half")?;
            Err::<(), _>(ErrorKind::StorageFull.into())
        })
        .unwrap_err();
        assert!(
            matches!(&error, Error::DiskFull { path: p, .. } if *p == path),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn longest_file_name_is_written() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a".repeat(255), "é".repeat(127)] {
            let path = folder.path().join(&name);
            fs::write(&path, "old").unwrap();
            write_atomic(&path, |w| w.write_all(b"new")).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        }
    }

    #[test]
    fn missing_folder_is_rejected_with_file_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no/such/a.txt");
        let error = write_atomic(&path, |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("no/such/a.txt"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn new_file_uses_umask_and_existing_file_keeps_mode() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
        let (plain, fresh, previous) = (
            folder.path().join("p"),
            folder.path().join("n"),
            folder.path().join("f"),
        );
        fs::write(&plain, "").unwrap();
        write_atomic(&fresh, |_| Ok(())).unwrap();
        assert_eq!(mode(&fresh), mode(&plain));
        fs::write(&previous, "").unwrap();
        fs::set_permissions(&previous, fs::Permissions::from_mode(0o640)).unwrap();
        write_atomic(&previous, |_| Ok(())).unwrap();
        assert_eq!(mode(&previous), 0o640);
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_link_is_kept_and_target_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink("real", &link).unwrap();
        write_atomic(&link, |w| w.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().file_type().is_symlink());
    }
}
