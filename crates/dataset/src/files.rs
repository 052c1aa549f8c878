//! Image and label files of cases.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use volume::nifti;

use crate::Error;

/// Returns the files `<case>_0000.nii.gz`, `<case>_0001.nii.gz`, ... of all channels. `.nii` is accepted as
/// well.
///
/// # Errors
/// [`Error::ChannelMissing`] naming the first missing channel.
pub fn channel_files(folder: &Path, case: &str, channels: usize) -> Result<Vec<PathBuf>, Error> {
    let one = |channel| {
        let name = format!("{case}_{channel:04}");
        image_file(folder, &name).ok_or_else(|| Error::ChannelMissing {
            case: case.to_owned(),
            name,
            folder: folder.to_owned(),
            channels,
        })
    };
    (0..channels).map(one).collect()
}

/// Returns the file `<name>.nii.gz` or `<name>.nii` of a folder.
pub fn image_file(folder: &Path, name: &str) -> Option<PathBuf> {
    let paths = nifti::EXTENSIONS
        .iter()
        .map(|e| folder.join(format!("{name}{e}")));
    paths.into_iter().find(|p| p.is_file())
}

/// Checks that `path` has no sibling of the same name with the other extension: nnU-Net would take one of the
/// two, and which one is not known.
///
/// # Errors
/// [`Error::TwoFiles`] with both.
pub fn only_one(path: &Path) -> Result<(), Error> {
    let Some(stem) = path.file_name().and_then(|n| n.to_str()).and_then(nifti::stem) else {
        return Ok(());
    };
    let siblings = nifti::EXTENSIONS.map(|e| path.with_file_name(format!("{stem}{e}")));
    match siblings
        .into_iter()
        .find(|other| other != path && other.is_file())
    {
        Some(other) => Err(Error::TwoFiles {
            path: path.to_owned(),
            other,
        }),
        None => Ok(()),
    }
}

/// Lists all NIfTI files of a folder by name without extension; see [`nifti::list`].
///
/// # Errors
/// [`Error::Io`] if the folder cannot be listed.
pub fn nifti_files(folder: &Path) -> Result<BTreeMap<String, PathBuf>, Error> {
    nifti::list(folder).map_err(|e| Error::io(folder, e))
}

/// Channel files of a folder such as `imagesTr` or the input of a prediction, by case and channel number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFolder {
    /// Maps case to channel to file.
    pub cases: BTreeMap<String, BTreeMap<usize, PathBuf>>,
    /// NIfTI files whose name does not end in `_XXXX`.
    pub others: Vec<PathBuf>,
}

impl ImageFolder {
    /// Sorts the NIfTI files of a folder by case and channel.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be listed.
    pub fn list(folder: &Path) -> Result<Self, Error> {
        let mut found = Self::default();
        for (name, path) in nifti_files(folder)? {
            match split_channel(&name) {
                Some((case, channel)) => {
                    let files = found.cases.entry(case.to_owned()).or_default();
                    files.insert(channel, path);
                }
                None => found.others.push(path),
            }
        }
        Ok(found)
    }
}

/// Splits `case_0001` into case and channel.
fn split_channel(name: &str) -> Option<(&str, usize)> {
    let (case, digits) = name.rsplit_once('_')?;
    let is_channel = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()) && !case.is_empty();
    Some((case, digits.parse().ok().filter(|_| is_channel)?))
}

#[cfg(test)]
mod tests {
    use run::Coded;

    use super::*;

    #[test]
    fn channel_files_are_grouped_by_case_and_channel() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "b_0000.nii.gz",
            "a_0001.nii.gz",
            "a_0000.nii",
            "._a_0000.nii.gz",
            "a_0000.json",
            "odd.nii.gz",
        ];
        names
            .iter()
            .for_each(|n| std::fs::write(folder.path().join(n), "").unwrap());
        let found = ImageFolder::list(folder.path()).unwrap();
        assert_eq!(found.cases.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(found.cases["a"].keys().copied().collect::<Vec<_>>(), [0, 1]);
        assert_eq!(found.others, [folder.path().join("odd.nii.gz")]);
        let files = channel_files(folder.path(), "a", 2).unwrap();
        assert_eq!(
            files,
            [
                folder.path().join("a_0000.nii"),
                folder.path().join("a_0001.nii.gz")
            ]
        );
        let error = channel_files(folder.path(), "b", 2).unwrap_err();
        assert_eq!(error.code(), "ERR_CHANNEL_MISSING");
        assert!(error.to_string().contains("b_0001"), "{error}");
    }
}
