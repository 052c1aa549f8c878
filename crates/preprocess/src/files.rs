//! Creates folders and copies files.

use std::path::Path;

use storage::{copy_file, Links};

use crate::Error;

/// Creates a folder and its parents.
pub fn create(folder: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|source| Error::Folder {
        path: folder.to_owned(),
        source,
    })
}

/// Copies a label to the folder `gt_segmentations` of `folder`.
pub fn copy_label(label: &Path, folder: &Path) -> Result<(), Error> {
    let Some(name) = label.file_name() else {
        return Ok(());
    };
    copy_unless_same(label, &folder.join("gt_segmentations").join(name))
}

/// Copies a file, unless source and target are the same.
pub fn copy_unless_same(from: &Path, to: &Path) -> Result<(), Error> {
    if from.canonicalize().ok() != to.canonicalize().ok() || !to.exists() {
        copy_file(from, to, Links::Follow)?;
    }
    Ok(())
}
