//! Replacing a file in one step.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::Error;

/// Large enough that an array written row by row costs few system calls.
const BUFFER: usize = 1 << 18;

/// Writes a file through `write` so that `path` holds either its former content or all of the new one.
///
/// The content goes to a temporary file beside `path` (named `.<name>.<random>.tmp`, so that no pattern for results
/// matches what a killed process leaves), is flushed to the disk and then renamed over `path`. An existing file keeps
/// its mode where the file system allows; a symbolic link is kept and what it points to is replaced.
///
/// # Errors
/// [`Error::DiskFull`] or [`Error::Io`] naming `path`; it is then as it was before, and the temporary file is gone. An error
/// returned by `write` counts as a failure to write `path`.
pub fn write_atomic<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>,
) -> Result<T, Error> {
    let target = link_target(path);
    let former = fs::metadata(&target).ok();
    if former.as_ref().is_some_and(fs::Metadata::is_dir) {
        return Err(Error::io("write", path, io::Error::from(ErrorKind::IsADirectory)));
    }
    let temporary = create_sibling(&target).map_err(|e| Error::io("create", path, e))?;
    let (file, location) = temporary.into_parts();
    let mut writer = BufWriter::with_capacity(BUFFER, file);
    let value = write(&mut writer).map_err(|e| Error::io("write", path, e))?;
    writer.flush().map_err(|e| Error::io("write", path, e))?;
    sync(writer.get_ref()).map_err(|e| Error::io("write", path, e))?;
    if let Some(former) = former {
        // Servers that keep no permission metadata refuse this; the content is what matters.
        let _ = fs::set_permissions(&location, former.permissions());
    }
    // Closed before the rename: some systems refuse to rename an open file.
    drop(writer);
    location
        .persist(&target)
        .map_err(|e| Error::io("replace", path, e.error))?;
    sync_folder(&target);
    Ok(value)
}

/// The file that a symbolic link at `path` ends at, or `path` itself.
fn link_target(path: &Path) -> PathBuf {
    let is_link = fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_symlink());
    if is_link {
        fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
    } else {
        path.to_owned()
    }
}

/// The folder that holds `path`; the current one for a bare name.
fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

fn create_sibling(path: &Path) -> io::Result<NamedTempFile> {
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_string_lossy();
    let prefix = format!(".{}.", shortened(&name));
    let mut builder = Builder::new();
    builder.prefix(&prefix).suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As `open` does: the process's umask decides, not the 0600 of a private temporary file.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder_of(path))
}

/// At most 200 bytes of a name, so that the temporary file's fits where the file's own does: systems allow 255.
fn shortened(name: &str) -> &str {
    let end = (0..=name.len().min(200))
        .rev()
        .find(|&i| name.is_char_boundary(i));
    &name[..end.unwrap_or(0)]
}

/// Flushes to the disk, where the file system knows how: some network file systems refuse.
fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(e) if matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput) => Ok(()),
        done => done,
    }
}

/// Makes the rename itself durable; a file system that cannot is left to its own order.
fn sync_folder(path: &Path) {
    if let Ok(folder) = File::open(folder_of(path)) {
        let _ = folder.sync_all();
    }
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
    fn replaces_the_whole_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        fs::write(&path, "old and longer").unwrap();
        let value = write_atomic(&path, |w| w.write_all(b"new").map(|()| 7)).unwrap();
        assert_eq!(value, 7);
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn keeps_the_old_file_when_writing_fails() {
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
    fn the_longest_names_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a".repeat(255), "é".repeat(127)] {
            let path = folder.path().join(&name);
            fs::write(&path, "old").unwrap();
            write_atomic(&path, |w| w.write_all(b"new")).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        }
    }

    #[test]
    fn a_missing_folder_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no/such/a.txt");
        let error = write_atomic(&path, |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("no/such/a.txt"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn modes_follow_the_umask_and_the_former_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
        let (plain, fresh, former) = (
            folder.path().join("p"),
            folder.path().join("n"),
            folder.path().join("f"),
        );
        fs::write(&plain, "").unwrap();
        write_atomic(&fresh, |_| Ok(())).unwrap();
        assert_eq!(mode(&fresh), mode(&plain));
        fs::write(&former, "").unwrap();
        fs::set_permissions(&former, fs::Permissions::from_mode(0o640)).unwrap();
        write_atomic(&former, |_| Ok(())).unwrap();
        assert_eq!(mode(&former), 0o640);
    }

    #[cfg(unix)]
    #[test]
    fn writes_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink("real", &link).unwrap();
        write_atomic(&link, |w| w.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().file_type().is_symlink());
    }
}
