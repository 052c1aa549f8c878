//! What to train.

use std::path::PathBuf;

use dataset::{Configuration, Fold};
use recipe::DataOptions;
use serde::{Deserialize, Serialize};

use crate::{Precision, Recipe};

/// Options of [`super::train`]; what is not given is nnU-Net v1's own default.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainOptions {
    /// Those that decide what the network sees. The trainer's name is also the one that the model's folder and checkpoints
    /// carry.
    #[serde(flatten)]
    pub data: DataOptions,
    /// Class weights of cross-entropy and Dice, background first, for the class-weighted trainer.
    #[serde(default)]
    pub class_weights: Option<Vec<f64>>,
    /// Epochs in the schedule.
    #[serde(default = "defaults::epochs")]
    pub epochs: u64,
    /// Training iterations in an epoch.
    #[serde(default = "defaults::iterations")]
    pub iterations: u64,
    /// Validation iterations in an epoch.
    #[serde(default = "defaults::validation_iterations")]
    pub validation_iterations: u64,
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
}

mod defaults {
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
            data: DataOptions::new(task, configuration, fold),
            class_weights: None,
            epochs: defaults::epochs(),
            iterations: defaults::iterations(),
            validation_iterations: defaults::validation_iterations(),
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
        }
    }

    /// The part that decides what the network sees, with the class weights in the recipe.
    ///
    /// # Errors
    /// [`recipe::Error::Option`] for an unknown preset.
    pub(super) fn weighted_data(&self) -> recipe::Result<DataOptions> {
        let mut data = self.data.clone();
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
            "batchSize": self.data.batch_size,
            "patchSize": self.data.patch_size,
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
            (options.data.fold, options.resume, options.epochs),
            (Fold::All, true, 1000)
        );
        assert_eq!(
            options.data.folders.results.as_deref(),
            Some(std::path::Path::new("/r"))
        );
        let recipe = options.weighted_data().unwrap().recipe().unwrap();
        assert!(recipe.sampling.annotated().unwrap().skip_unannotated);
        assert_eq!(recipe.loss.dice_class_weights, Some(vec![1.0, 2.0]));
    }
}
