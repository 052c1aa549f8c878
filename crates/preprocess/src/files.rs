//! Creates folders and copies files.

use std::path::Path;

use storage::{copy_file, Links};
use volume::nifti::{stem, Stored, EXTENSIONS};

use crate::Error;

/// Creates a folder and its parents.
pub fn create(folder: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|source| Error::Folder {
        path: folder.to_owned(),
        source,
    })
}

/// Copies a label to the folder `gt_segmentations` of `folder`, as `.nii.gz`: nnU-Net v1 looks for no other file there.
pub fn copy_label(label: &Path, folder: &Path) -> Result<(), Error> {
    let name = label.file_name().and_then(|name| name.to_str());
    let Some((name, stem)) = name.and_then(|name| Some((name, stem(name)?))) else {
        return Ok(());
    };
    let folder = folder.join("gt_segmentations");
    let copy = folder.join(format!("{stem}{}", EXTENSIONS[0]));
    if name.ends_with(EXTENSIONS[0]) {
        return copy_unless_same(label, &copy);
    }
    Ok(Stored::open(label)?.save(&copy)?)
}

/// Copies a file, unless source and target are the same.
pub fn copy_unless_same(from: &Path, to: &Path) -> Result<(), Error> {
    if from.canonicalize().ok() != to.canonicalize().ok() || !to.exists() {
        copy_file(from, to, Links::Follow)?;
    }
    Ok(())
}
