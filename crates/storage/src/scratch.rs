//! Data that does not fit the memory, in a temporary file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::TempPath;

use crate::{temporary, Error};

/// A temporary file beside a result, deleted when dropped. If the process is killed, the next one deletes it.
pub struct Scratch {
    file: Mutex<File>,
    path: PathBuf,
    _location: TempPath,
}

impl Scratch {
    /// Creates an empty file beside `path`, which names it in errors.
    ///
    /// # Errors
    /// [`Error::DiskFull`], [`Error::Io`].
    pub fn beside(path: &Path) -> Result<Self, Error> {
        let temporary = temporary::create(path).map_err(|e| Error::io("create", path, e))?;
        let (file, location) = temporary.into_parts();
        Ok(Self {
            file: Mutex::new(file),
            path: path.to_owned(),
            _location: location,
        })
    }

    /// Writes bytes at a position. Any thread may call it.
    ///
    /// # Errors
    /// [`Error::DiskFull`], [`Error::Io`].
    pub fn write_at(&self, position: u64, bytes: &[u8]) -> Result<(), Error> {
        self.at(position, |file| file.write_all(bytes))
            .map_err(|e| Error::io("write", &self.path, e))
    }

    /// Reads bytes from a position.
    ///
    /// # Errors
    /// [`Error::Io`], also beyond the end.
    pub fn read_at(&self, position: u64, bytes: &mut [u8]) -> Result<(), Error> {
        self.at(position, |file| file.read_exact(bytes))
            .map_err(|e| Error::io("read", &self.path, e))
    }

    fn at(&self, position: u64, work: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(position))?;
        work(&mut file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_where_they_were_written_and_the_file_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::beside(&folder.path().join("a.npz")).unwrap();
        scratch.write_at(4, b"late").unwrap();
        scratch.write_at(0, b"soon").unwrap();
        let mut found = [0; 6];
        scratch.read_at(1, &mut found).unwrap();
        assert_eq!(&found, b"oonlat");
        let error = scratch.read_at(4, &mut found).unwrap_err();
        assert!(error.to_string().contains("a.npz"), "{error}");
        drop(scratch);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
