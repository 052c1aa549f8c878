//! What a path is, by what it holds.

use std::path::{Path, PathBuf};

use dataset::results::{
    BEST_CHECKPOINT, DEBUG_FILE, FINAL_CHECKPOINT, LATEST_CHECKPOINT, PROGRESS_FILE, TRAINING_LOG,
};
use dataset::{Fold, PLANS_2D_FILE, PLANS_3D_FILE};
use run::NotFound;

use crate::options::PathKind;
use crate::{Error, Result};

/// What a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The folds of a model; one if the path is a fold.
    Model { folds: Vec<PathBuf> },
    /// A raw task.
    Raw,
    /// A preprocessed task.
    Preprocessed,
    /// A folder of predictions.
    Predictions,
}

impl Found {
    /// Looks into a folder.
    pub fn look(path: &Path) -> Result<Self> {
        let advice = "name the folder of a model, fold, task or predictions";
        NotFound::unless_exists("path of the report", path, advice)?;
        let wrong = |found| Error::Path {
            path: path.to_owned(),
            found,
        };
        if !path.is_dir() {
            return Err(wrong("a file"));
        }
        let names = names(path)?;
        let has = |name: &str| names.iter().any(|found| found == name);
        if is_fold(&names) {
            return Ok(Self::Model {
                folds: vec![path.to_owned()],
            });
        }
        let mut folds: Vec<(Fold, PathBuf)> = names
            .iter()
            .filter_map(|name| Some((Fold::from_folder(name)?, path.join(name))))
            .filter(|(_, fold)| fold.is_dir())
            .collect();
        folds.sort();
        if !folds.is_empty() {
            let folds = folds.into_iter().map(|(_, fold)| fold).collect();
            return Ok(Self::Model { folds });
        }
        if has("dataset.json") && path.join("imagesTr").is_dir() {
            return Ok(Self::Raw);
        }
        let stage = |name: &String| name.contains("_stage") && path.join(name).is_dir();
        let planned = [PLANS_2D_FILE, PLANS_3D_FILE].into_iter().any(has);
        if planned || (has("dataset_properties.pkl") && names.iter().any(stage)) {
            return Ok(Self::Preprocessed);
        }
        if names.iter().any(|name| volume::nifti::stem(name).is_some()) {
            return Ok(Self::Predictions);
        }
        Err(wrong(if names.is_empty() {
            "an empty folder"
        } else {
            "a folder with other files"
        }))
    }

    pub fn kind(&self) -> PathKind {
        match self {
            Self::Model { .. } => PathKind::Model,
            Self::Raw | Self::Preprocessed => PathKind::Task,
            Self::Predictions => PathKind::Predictions,
        }
    }
}

/// Whether a folder has the files of a training.
fn is_fold(names: &[String]) -> bool {
    let checkpoints =
        [BEST_CHECKPOINT, FINAL_CHECKPOINT, LATEST_CHECKPOINT].map(|name| format!("{name}.model"));
    names.iter().any(|name| {
        [PROGRESS_FILE, DEBUG_FILE].contains(&name.as_str())
            || name.starts_with(TRAINING_LOG)
            || checkpoints.contains(name)
    })
}

/// Names of the visible entries of a folder.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>> {
    let failed = |source| Error::Folder {
        folder: folder.to_owned(),
        source,
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use run::Coded;

    use super::*;

    #[test]
    fn folders_are_told_by_their_content() {
        let root = tempfile::tempdir().unwrap();
        let make = |name: &str, files: &[&str]| {
            let folder = root.path().join(name);
            std::fs::create_dir_all(&folder).unwrap();
            for file in files {
                match file.strip_suffix('/') {
                    Some(folder_name) => std::fs::create_dir_all(folder.join(folder_name)).unwrap(),
                    None => std::fs::write(folder.join(file), "").unwrap(),
                }
            }
            folder
        };
        let kind = |path: &Path| Found::look(path).map(|found| found.kind());
        let model = make("model", &["plans.pkl", "fold_1/", "fold_0/", "all/"]);
        let folds = ["fold_0", "fold_1", "all"].map(|name| model.join(name)).to_vec();
        assert_eq!(Found::look(&model).unwrap(), Found::Model { folds });
        let fold = make("any name", &["progress.jsonl"]);
        assert_eq!(kind(&fold).unwrap(), PathKind::Model);
        assert_eq!(
            Found::look(&make("raw", &["dataset.json", "imagesTr/"])).unwrap(),
            Found::Raw
        );
        let planned = make("planned", &["dataset.json", PLANS_3D_FILE]);
        assert_eq!(Found::look(&planned).unwrap(), Found::Preprocessed);
        assert_eq!(
            kind(&make("predictions", &["a.nii.gz"])).unwrap(),
            PathKind::Predictions
        );
        for (name, files) in [("empty", &[][..]), ("other", &["a.txt", ".b.nii"][..])] {
            let error = kind(&make(name, files)).unwrap_err();
            assert_eq!(error.code(), "ERR_REPORT_PATH");
            assert!(
                error.to_string().contains("fold_X") && error.to_string().contains(".nii.gz"),
                "{error}"
            );
        }
        assert_eq!(
            kind(&fold.join("progress.jsonl")).unwrap_err().code(),
            "ERR_REPORT_PATH"
        );
        assert_eq!(
            kind(&root.path().join("none")).unwrap_err().code(),
            "ERR_NOT_FOUND"
        );
    }
}
