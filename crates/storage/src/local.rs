//! A folder on a fast disk of this machine, for copies of files and for results in the making.

use std::fs;
use std::path::{Path, PathBuf};

use run::Cancel;
use tempfile::TempDir;

use crate::{copy_file_cancellable, temporary_folder, Error, Links};

/// A temporary folder on a disk of this machine. It is removed when dropped; that of a killed process by the next one that
/// makes such a folder at the same place.
pub struct LocalFolder {
    folder: TempDir,
}

impl LocalFolder {
    /// Makes a folder within `place`, which is made if it is missing.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::DiskFull`].
    pub fn create(place: &Path) -> Result<Self, Error> {
        fs::create_dir_all(place).map_err(|e| Error::io("create", place, e))?;
        let folder = temporary_folder(&place.join("nnunet-diag"))?;
        Ok(Self { folder })
    }

    /// The folder that the option `scratch` asks for, after its variables are replaced.
    ///
    /// # Errors
    /// [`run::OptionError`] for a variable that is not set; as [`LocalFolder::create`].
    pub fn of_option<E: From<Error> + From<run::OptionError>>(
        scratch: Option<&Path>,
    ) -> Result<Option<Self>, E> {
        let Some(path) = scratch else {
            return Ok(None);
        };
        let place = run::expand_variables("scratch", path)?;
        Ok(Some(Self::create(&place)?))
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Moves files of this folder to `target`, in their order, each atomically: nobody sees a part of a file there. Names
    /// without a file are skipped.
    ///
    /// # Errors
    /// As [`crate::copy_file`]; [`Error::Cancelled`].
    pub fn publish(&self, names: &[&str], target: &Path, cancel: &Cancel) -> Result<(), Error> {
        for name in names {
            let from = self.path().join(name);
            if from.is_file() {
                copy_file_cancellable(&from, &target.join(name), Links::Follow, cancel)?;
                fs::remove_file(&from).map_err(|e| Error::io("remove", &from, e))?;
            }
        }
        Ok(())
    }

    /// Writes `path` by way of a file of the same name in a subfolder, or without a local folder directly. The file appears
    /// at `path` atomically, and the local one is removed.
    ///
    /// # Errors
    /// Those of `write`; as [`LocalFolder::publish`].
    pub fn write<E: From<Error>>(
        local: Option<&Self>,
        path: &Path,
        cancel: &Cancel,
        write: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        let (Some(local), Some(name)) = (local, path.file_name()) else {
            return write(path);
        };
        // Of the same name, so that errors and archives name it; in a folder of its own, because other folders have files
        // of this name, too.
        let own = temporary_folder(&local.path().join(name))?;
        let own_file: PathBuf = own.path().join(name);
        write(&own_file)?;
        copy_file_cancellable(&own_file, path, Links::Follow, cancel)?;
        Ok(())
    }
}

/// A folder that several processes of this machine share. The last one that drops it removes it.
pub struct SharedFolder {
    path: PathBuf,
    member: PathBuf,
}

impl SharedFolder {
    /// Joins the folder of `key` within `place`; both are made if they are missing. Processes with equal keys share it.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::DiskFull`].
    pub fn join(place: &Path, key: &str) -> Result<Self, Error> {
        let path = place.join(format!("nnunet-diag-{:016x}", run::fnv1a(key.as_bytes())));
        let members = path.join("members");
        fs::create_dir_all(&members).map_err(|e| Error::io("create", &members, e))?;
        let member = members.join(std::process::id().to_string());
        fs::write(&member, "").map_err(|e| Error::io("create", &member, e))?;
        Ok(Self { path, member })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SharedFolder {
    fn drop(&mut self) {
        // What cannot be removed is left to the owner of the disk.
        let _ = fs::remove_file(&self.member);
        let members = self.path.join("members");
        // Fails while another process is a member.
        if fs::remove_dir(members).is_ok() {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn published_files_are_at_the_target_and_nothing_is_left() {
        let root = tempfile::tempdir().unwrap();
        let [place, target] = ["not/there", "target"].map(|name| root.path().join(name));
        fs::create_dir(&target).unwrap();
        let local = LocalFolder::create(&place).unwrap();
        fs::write(local.path().join("a.npz"), "npz").unwrap();
        fs::write(local.path().join("a.nii.gz"), "labels").unwrap();
        fs::write(local.path().join("b.npz"), "other").unwrap();
        let cancel = Cancel::new();
        local
            .publish(&["a.npz", "a.pkl", "a.nii.gz"], &target, &cancel)
            .unwrap();
        assert_eq!(names(&target), ["a.nii.gz", "a.npz"]);
        assert_eq!(names(local.path()), ["b.npz"]);
        let written = LocalFolder::write::<Error>(Some(&local), &target.join("c"), &cancel, |path| {
            assert!(path.starts_with(local.path()));
            fs::write(path, "c").map_err(|e| Error::io("write", path, e))
        });
        written.unwrap();
        assert_eq!(fs::read(target.join("c")).unwrap(), b"c");
        assert_eq!(names(local.path()), ["b.npz"]);
        drop(local);
        assert_eq!(names(&place), Vec::<String>::new());
    }

    #[test]
    fn a_failed_or_cancelled_write_leaves_nothing_at_the_target() {
        let root = tempfile::tempdir().unwrap();
        let local = LocalFolder::create(root.path()).unwrap();
        let target = root.path().join("result");
        let half = |path: &Path| {
            fs::write(path, "half").unwrap();
            Err(Error::io("write", path, std::io::ErrorKind::StorageFull.into()))
        };
        let cancel = Cancel::new();
        assert!(LocalFolder::write(Some(&local), &target, &cancel, half).is_err());
        cancel.cancel();
        let whole = |path: &Path| fs::write(path, "whole").map_err(|e| Error::io("write", path, e));
        assert!(LocalFolder::write(Some(&local), &target, &cancel, whole).is_err());
        assert!(!target.exists() && names(local.path()).is_empty());
    }

    #[test]
    fn a_shared_folder_is_there_until_its_last_member_leaves() {
        let root = tempfile::tempdir().unwrap();
        let one = SharedFolder::join(root.path(), "a").unwrap();
        let other = SharedFolder::join(root.path(), "b").unwrap();
        assert_ne!(one.path(), other.path());
        let path = one.path().to_owned();
        fs::write(path.join("case"), "").unwrap();
        // Another process.
        fs::write(path.join("members/0"), "").unwrap();
        drop(one);
        assert!(path.join("case").exists());
        fs::remove_file(path.join("members/0")).unwrap();
        drop(SharedFolder::join(root.path(), "a").unwrap());
        assert!(!path.exists() && other.path().exists());
    }
}
