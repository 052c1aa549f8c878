//! What to train.

use std::path::PathBuf;

use dataset::{Configuration, Fold, Folders};
use recipe::DataOptions;
use serde::{Deserialize, Serialize};

use crate::{Precision, Recipe};

/// Options of [`super::train`]; what is not given is nnU-Net v1's own default.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainOptions {
    /// A task's number, its whole name, or its preprocessed folder.
    pub task: String,
    /// What to train.
    pub configuration: Configuration,
    /// Which cases to train on; `all` trains and validates on all.
    #[serde(default = "defaults::fold")]
    pub fold: Fold,
    /// Name of the trainer: a preset, and the name that the model's folder and checkpoints carry.
    #[serde(default = "defaults::trainer")]
    pub trainer: String,
    /// A recipe instead of the preset's.
    #[serde(default)]
    pub recipe: Option<Recipe>,
    /// Class weights of cross-entropy and Dice, background first, for the class-weighted trainer.
    #[serde(default)]
    pub class_weights: Option<Vec<f64>>,
    /// Leaves cases without any annotated voxel out where patches are centred on annotated voxels.
    #[serde(default)]
    pub skip_unannotated: bool,
    /// Epochs in the schedule.
    #[serde(default = "defaults::epochs")]
    pub epochs: u64,
    /// Training iterations in an epoch.
    #[serde(default = "defaults::iterations")]
    pub iterations: u64,
    /// Validation iterations in an epoch.
    #[serde(default = "defaults::validation_iterations")]
    pub validation_iterations: u64,
    /// Samples in a batch, instead of the plans'.
    #[serde(default)]
    pub batch_size: Option<usize>,
    /// Patch size in voxels, (z, y, x) or (y, x) in the network's order, instead of the plans'.
    #[serde(default)]
    pub patch_size: Option<Vec<usize>>,
    /// Learning rate of the first epoch.
    #[serde(default = "defaults::initial_lr")]
    pub initial_lr: f64,
    /// Key of all random draws.
    #[serde(default)]
    pub seed: u64,
    /// `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
    #[serde(default = "defaults::device")]
    pub device: String,
    /// Arithmetic of the network.
    #[serde(default)]
    pub precision: Precision,
    /// Chooses CUDA algorithms once instead of by measuring; slower, and closer to repeatable.
    #[serde(default)]
    pub deterministic: bool,
    /// Threads that make batches; 0 takes all workers.
    #[serde(default)]
    pub loader_threads: usize,
    /// Unpacks preprocessed cases to npy files once and maps those.
    #[serde(default = "defaults::unpack")]
    pub unpack: bool,
    /// Goes on from the last checkpoint of the fold, if there is one.
    #[serde(default, rename = "continue")]
    pub resume: bool,
    /// Epochs between writings of `model_latest`.
    #[serde(default = "defaults::save_every")]
    pub save_every: u64,
    /// Folder of the model, which holds the folds; by default in nnU-Net's layout below the results folder.
    #[serde(default)]
    pub output_folder: Option<PathBuf>,
    /// Folder with `<case>_segFromPrevStage.npz` for the cascade's second stage; by default nnU-Net v1's
    /// `pred_next_stage` of the low-resolution model.
    #[serde(default)]
    pub previous_stage: Option<PathBuf>,
    /// nnU-Net's folders, where not from the environment.
    #[serde(flatten)]
    pub folders: Folders,
}

mod defaults {
    use dataset::Fold;

    pub(super) fn fold() -> Fold {
        Fold::Index(0)
    }
    pub(super) fn trainer() -> String {
        "nnUNetTrainerV2".to_owned()
    }
    pub(super) fn epochs() -> u64 {
        1000
    }
    pub(super) fn iterations() -> u64 {
        250
    }
    pub(super) fn validation_iterations() -> u64 {
        50
    }
    pub(super) fn initial_lr() -> f64 {
        0.01
    }
    pub(super) fn device() -> String {
        "auto".to_owned()
    }
    pub(super) fn unpack() -> bool {
        true
    }
    pub(super) fn save_every() -> u64 {
        50
    }
}

impl TrainOptions {
    /// nnU-Net v1's settings for a fold of a task.
    pub fn new(task: impl Into<String>, configuration: Configuration, fold: Fold) -> Self {
        Self {
            task: task.into(),
            configuration,
            fold,
            trainer: defaults::trainer(),
            recipe: None,
            class_weights: None,
            skip_unannotated: false,
            epochs: defaults::epochs(),
            iterations: defaults::iterations(),
            validation_iterations: defaults::validation_iterations(),
            batch_size: None,
            patch_size: None,
            initial_lr: defaults::initial_lr(),
            seed: 0,
            device: defaults::device(),
            precision: Precision::Auto,
            deterministic: false,
            loader_threads: 0,
            unpack: true,
            resume: false,
            save_every: defaults::save_every(),
            output_folder: None,
            previous_stage: None,
            folders: Folders::default(),
        }
    }

    /// The part that decides what the network sees, with the class weights in the recipe.
    ///
    /// # Errors
    /// [`recipe::Error::Trainer`] for an unknown preset.
    pub(super) fn data(&self) -> recipe::Result<DataOptions> {
        let mut data = DataOptions {
            task: self.task.clone(),
            configuration: self.configuration,
            fold: self.fold,
            trainer: self.trainer.clone(),
            recipe: self.recipe.clone(),
            skip_unannotated: self.skip_unannotated,
            batch_size: self.batch_size,
            patch_size: self.patch_size.clone(),
            previous_stage: self.previous_stage.clone(),
            folders: self.folders.clone(),
        };
        if let Some(weights) = &self.class_weights {
            let mut recipe = data.recipe()?;
            recipe.loss.cross_entropy_class_weights = Some(weights.clone());
            recipe.loss.dice_class_weights = Some(weights.clone());
            data.recipe = Some(recipe);
        }
        Ok(data)
    }

    /// What decides the result beside data and plans, as JSON: a run that goes on must agree in it.
    pub(super) fn fingerprint(&self, recipe: &Recipe, precision: &str) -> String {
        serde_json::json!({
            "recipe": recipe,
            "epochs": self.epochs,
            "iterations": self.iterations,
            "validationIterations": self.validation_iterations,
            "batchSize": self.batch_size,
            "patchSize": self.patch_size,
            "initialLr": self.initial_lr,
            "precision": precision,
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_javascript_passes_them() {
        let text = r#"{"task":"501","configuration":"3d_fullres","fold":"all","continue":true,"results":"/r",
            "trainer":"nnUNetTrainerV2Sparse","skipUnannotated":true,"precision":"bfloat16","classWeights":[1,2]}"#;
        let options: TrainOptions = serde_json::from_str(text).unwrap();
        assert_eq!(
            (options.fold, options.resume, options.epochs),
            (Fold::All, true, 1000)
        );
        assert_eq!(
            options.folders.results.as_deref(),
            Some(std::path::Path::new("/r"))
        );
        let recipe = options.data().unwrap().recipe().unwrap();
        assert!(recipe.sampling.annotated().unwrap().skip_unannotated);
        assert_eq!(recipe.loss.dice_class_weights, Some(vec![1.0, 2.0]));
    }
}
