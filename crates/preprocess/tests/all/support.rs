//! Support code of the end-to-end tests.

use std::path::{Path, PathBuf};

use preprocess::Options;

/// Lists the names in a folder, sorted. A missing folder gives none.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut found: Vec<String> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    found
}

/// Lists all files below a folder, by relative path.
pub fn tree(folder: &Path) -> Vec<String> {
    let mut found = vec![];
    for name in names(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            found.extend(tree(&path).into_iter().map(|below| format!("{name}/{below}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}

/// nnU-Net's folders with one raw task, in a temporary folder.
pub struct Run {
    pub folder: tempfile::TempDir,
    pub task: String,
}

impl Run {
    /// Creates the folders without the task's files.
    pub fn empty(task: &str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            task: task.to_owned(),
        }
    }

    pub fn options(&self) -> Options {
        let mut options = Options::new(self.task.as_str());
        options.folders = dataset::Folders {
            raw_base: Some(self.folder.path().join("base")),
            preprocessed: Some(self.folder.path().join("preprocessed")),
            results: None,
        };
        options
    }

    pub fn raw(&self) -> PathBuf {
        self.folder.path().join("base/nnUNet_raw_data").join(&self.task)
    }

    pub fn cropped(&self) -> PathBuf {
        self.folder
            .path()
            .join("base/nnUNet_cropped_data")
            .join(&self.task)
    }

    pub fn preprocessed(&self) -> PathBuf {
        self.folder.path().join("preprocessed").join(&self.task)
    }
}
