//! Free disk space.

use std::io;
use std::path::Path;

use crate::Error;

/// Returns the free bytes that this user may write on the disk of `path`. If `path` does not exist, the
/// nearest existing parent folder decides.
///
/// # Errors
/// [`Error::Io`] if the system does not report the free space.
pub fn available_space(path: &Path) -> Result<u64, Error> {
    let absolute = std::path::absolute(path).map_err(|e| Error::io("measure the free space of", path, e))?;
    let existing = absolute.ancestors().find(|folder| folder.exists());
    let space = existing
        .ok_or_else(|| io::ErrorKind::NotFound.into())
        .and_then(fs4::available_space);
    space.map_err(|e| Error::io("measure the free space of", path, e))
}

/// Fails unless `needed` bytes are free on the disk of `path`. Callers check this before a long job.
///
/// # Errors
/// [`Error::Space`] with both numbers; [`Error::Io`].
pub fn require_space(path: &Path, needed: u64) -> Result<(), Error> {
    let available = available_space(path)?;
    if available < needed {
        return Err(Error::Space {
            path: path.to_owned(),
            needed,
            available,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_folder_reports_space_of_existing_parent() {
        let folder = tempfile::tempdir().unwrap();
        assert!(available_space(&folder.path().join("a/b/c.npy")).unwrap() > 0);
        require_space(folder.path(), 1).unwrap();
        let error = require_space(folder.path(), u64::MAX).unwrap_err();
        assert!(matches!(error, Error::Space { needed: u64::MAX, .. }), "{error}");
    }
}
