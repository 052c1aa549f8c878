//! NIfTI files of a folder.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// File extensions of NIfTI files; the first is preferred.
pub const EXTENSIONS: [&str; 2] = [".nii.gz", ".nii"];

/// Returns the name of a NIfTI file without its extension, or `None` for other files.
pub fn stem(name: &str) -> Option<&str> {
    EXTENSIONS
        .iter()
        .find_map(|extension| name.strip_suffix(extension))
}

/// Lists the NIfTI files of a folder by name without extension, sorted. Hidden files (such as the `._*` of
/// macOS) are skipped. A `.nii.gz` takes precedence over a `.nii` of the same name.
///
/// # Errors
/// If the folder cannot be listed.
pub fn list(folder: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else {
            continue;
        };
        let Some(stem) = stem(name).filter(|_| !name.starts_with('.') && path.is_file()) else {
            continue;
        };
        let known = files.contains_key(stem);
        if !known || name.ends_with(EXTENSIONS[0]) {
            files.insert(stem.to_owned(), path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzipped_files_are_preferred_and_hidden_files_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["b.nii", "a.nii", "a.nii.gz", "._a.nii.gz", "a.json", "c.hdr"] {
            std::fs::write(path(name), "").unwrap();
        }
        std::fs::create_dir(path("folder.nii")).unwrap();
        let expected = [("a", "a.nii.gz"), ("b", "b.nii")].map(|(stem, name)| (stem.to_owned(), path(name)));
        assert_eq!(list(folder.path()).unwrap(), BTreeMap::from(expected));
        assert!(list(&path("none")).is_err());
    }
}
