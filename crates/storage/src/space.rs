//! Room on the disk.

use std::io;
use std::path::Path;

use crate::Error;

/// Bytes that this user may still write to the disk that holds `path`, or will hold it: the nearest existing folder
/// above it decides.
///
/// # Errors
/// [`Error::Io`] when the system does not say.
pub fn available_space(path: &Path) -> Result<u64, Error> {
    let absolute = std::path::absolute(path).map_err(|e| Error::io("measure the free space of", path, e))?;
    let existing = absolute.ancestors().find(|folder| folder.exists());
    let space = existing
        .ok_or_else(|| io::ErrorKind::NotFound.into())
        .and_then(fs4::available_space);
    space.map_err(|e| Error::io("measure the free space of", path, e))
}

/// Fails unless `needed` bytes are free on the disk of `path`: to be asked before a long job, not in the middle of it.
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
    fn a_folder_that_does_not_exist_yet_is_measured_by_the_one_above() {
        let folder = tempfile::tempdir().unwrap();
        assert!(available_space(&folder.path().join("a/b/c.npy")).unwrap() > 0);
        require_space(folder.path(), 1).unwrap();
        let error = require_space(folder.path(), u64::MAX).unwrap_err();
        assert!(matches!(error, Error::Space { needed: u64::MAX, .. }), "{error}");
    }
}
