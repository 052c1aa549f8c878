//! Folders of trained models: `RESULTS_FOLDER/nnUNet/<configuration>/<task>/<trainer>__<plans>/fold_X`.

use std::path::{Path, PathBuf};

use run::NotFound;

use crate::{Configuration, Error, Fold, Folders, Task, PLANS_IDENTIFIER};

/// Name of a finished fold's checkpoint, without extension.
pub const FINAL_CHECKPOINT: &str = "model_final_checkpoint";
/// Name of the best checkpoint, without extension.
pub const BEST_CHECKPOINT: &str = "model_best";
/// Name of the latest checkpoint, from which training resumes, without extension.
pub const LATEST_CHECKPOINT: &str = "model_latest";
/// File of a fold with one JSON object per finished epoch. nnU-Net v1 has none.
pub const PROGRESS_FILE: &str = "progress.jsonl";
/// File of a fold with the settings of the run.
pub const DEBUG_FILE: &str = "debug.json";
/// Start of the names of a fold's logs; the time at which the run started follows.
pub const TRAINING_LOG: &str = "training_log_";
/// Folder of a fold with the predictions of the validation cases.
pub const VALIDATION_FOLDER: &str = "validation_raw";

/// The lock of a fold's training: beside its folder, which `--overwrite` moves.
pub fn fold_lock(folder: &Path) -> PathBuf {
    folder.with_extension("lock")
}

/// The folder of a model with all its folds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFolder {
    /// The folder that holds `plans.pkl` and the folds.
    pub path: PathBuf,
}

impl ModelFolder {
    /// Returns the model folder of a path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Returns the folder where nnU-Net stores a model. The folder need not exist.
    ///
    /// # Errors
    /// As [`Folders::results`].
    pub fn locate(
        folders: &Folders,
        configuration: Configuration,
        task: &Task,
        trainer: &str,
    ) -> Result<Self, Error> {
        let model = format!("{trainer}__{PLANS_IDENTIFIER}");
        Ok(Self::new(
            folders
                .results()?
                .join("nnUNet")
                .join(configuration.name())
                .join(&task.name)
                .join(model),
        ))
    }

    /// Plans file of the model.
    pub fn plans(&self) -> PathBuf {
        self.path.join("plans.pkl")
    }

    /// Reference segmentations of all cases, for the evaluation of the cross-validation.
    pub fn gt_niftis(&self) -> PathBuf {
        self.path.join("gt_niftis")
    }

    /// Postprocessing file determined on the whole cross-validation.
    pub fn postprocessing(&self) -> PathBuf {
        self.path.join("postprocessing.json")
    }

    /// Folder of one fold.
    pub fn fold(&self, fold: Fold) -> FoldFolder {
        FoldFolder {
            path: self.path.join(fold.folder()),
            fold,
        }
    }

    /// Lists the folds with the given checkpoint (see [`FINAL_CHECKPOINT`]): first numbered folds, then
    /// `all`.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the folder or the checkpoint does not exist. [`Error::Model`] if the folder is
    /// not a model folder. [`Error::Io`] if it cannot be listed.
    pub fn folds(&self, checkpoint: &str) -> Result<Vec<Fold>, Error> {
        let folds = self.survey(checkpoint)?;
        if folds.finished.is_empty() {
            return Err(self.lacks(checkpoint, &folds.unfinished));
        }
        Ok(folds.finished)
    }

    /// The folds that nnU-Net v1 averages if none are named: every numbered one. A model that has only `all` gives
    /// that.
    ///
    /// Source: `nnunet.training.model_restore.load_model_and_checkpoint_files`, which fails at an unfinished fold.
    ///
    /// # Errors
    /// As [`ModelFolder::folds`], of the numbered folds if there are any.
    pub fn default_folds(&self, checkpoint: &str) -> Result<Folds, Error> {
        let mut folds = self.survey(checkpoint)?;
        let numbered = |fold: &Fold| *fold != Fold::All;
        if folds.finished.iter().chain(&folds.unfinished).any(numbered) {
            folds.finished.retain(numbered);
            folds.unfinished.retain(numbered);
        }
        if folds.finished.is_empty() {
            return Err(self.lacks(checkpoint, &folds.unfinished));
        }
        Ok(folds)
    }

    /// Every numbered fold of the folder, finished or not.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the folder does not exist; [`Error::Model`] if it has no numbered fold; [`Error::Io`].
    pub fn numbered_folds(&self) -> Result<Vec<Fold>, Error> {
        // Without a name, no fold has the checkpoint.
        let mut folds = self.survey("")?.unfinished;
        folds.retain(|fold| *fold != Fold::All);
        if folds.is_empty() {
            return Err(Error::Model {
                folder: self.path.clone(),
                problem: "it contains no folder fold_X".to_owned(),
            });
        }
        Ok(folds)
    }

    /// Every fold of the folder, by whether it has the checkpoint.
    fn survey(&self, checkpoint: &str) -> Result<Folds, Error> {
        let advice = "train it with `nnunet-diag train` first, or choose another folder";
        NotFound::unless_exists("model", &self.path, advice)?;
        let mut folds = Folds::default();
        for entry in std::fs::read_dir(&self.path).map_err(|e| Error::io(&self.path, e))? {
            let name = entry.map_err(|e| Error::io(&self.path, e))?.file_name();
            if let Some(fold) = name.to_str().and_then(Fold::from_folder) {
                let finished = self.fold(fold).checkpoint(checkpoint).is_file();
                let list = if finished {
                    &mut folds.finished
                } else {
                    &mut folds.unfinished
                };
                list.push(fold);
            }
        }
        folds.finished.sort();
        folds.unfinished.sort();
        Ok(folds)
    }

    /// The error of a model without a fold that has the checkpoint.
    fn lacks(&self, checkpoint: &str, unfinished: &[Fold]) -> Error {
        let Some(first) = unfinished.first() else {
            return Error::Model {
                folder: self.path.clone(),
                problem: "it contains neither a folder fold_X nor a folder all".to_owned(),
            };
        };
        let names: Vec<_> = unfinished.iter().map(|f| f.folder()).collect();
        let advice = format!(
            "none of {} has it; finish training, or choose another checkpoint",
            names.join(", ")
        );
        NotFound::new("checkpoint", self.fold(*first).checkpoint(checkpoint), advice).into()
    }
}

/// Folds of a model, in order: numbers, then `all`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folds {
    /// Folds that have the checkpoint.
    pub finished: Vec<Fold>,
    /// Folds whose folder exists without it.
    pub unfinished: Vec<Fold>,
}

/// The folder of one fold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldFolder {
    /// The folder.
    pub path: PathBuf,
    /// The fold.
    pub fold: Fold,
}

impl FoldFolder {
    /// Tensor file of a checkpoint, such as `model_best.model`.
    pub fn checkpoint(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.model"))
    }

    /// Pickle of a checkpoint, with the trainer's name and settings.
    pub fn checkpoint_info(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.model.pkl"))
    }

    /// Predictions of the validation cases.
    pub fn validation_raw(&self) -> PathBuf {
        self.path.join(VALIDATION_FOLDER)
    }

    /// Predictions of the validation cases after postprocessing.
    pub fn validation_raw_postprocessed(&self) -> PathBuf {
        self.path.join("validation_raw_postprocessed")
    }

    /// Postprocessing file determined on this fold.
    pub fn postprocessing(&self) -> PathBuf {
        self.path.join("postprocessing.json")
    }

    /// File with the settings of the run.
    pub fn debug(&self) -> PathBuf {
        self.path.join(DEBUG_FILE)
    }

    /// Model folder that contains this fold and the predictions for the next stage.
    pub fn model(&self) -> ModelFolder {
        ModelFolder::new(self.path.parent().unwrap_or_else(|| Path::new("")))
    }
}
