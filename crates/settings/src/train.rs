//! The verb `train`.

use std::path::PathBuf;

use dataset::Fold;
use recipe::{DataOptions, Recipe, Trainer};
use run::{OptionError, OptionResult, Options, ValidationReport};
use schemars::JsonSchema;
use serde::Serialize;

use crate::class_weights::ClassWeights;
use crate::duration::parse_duration;
use crate::ComputeOptions;

/// Options of `train`. Defaults are nnU-Net v1's.
#[run::options]
pub struct TrainOptions {
    /// Options that determine the network's input.
    #[serde(flatten)]
    pub data: DataOptions,
    /// Weight of each class in cross-entropy and Dice, background first. For the class-weighted trainer. `auto` computes
    /// them from the labelled voxels of the fold's training cases by median frequency balancing.
    pub class_weights: Option<ClassWeights>,
    /// Epochs of the schedule.
    #[default(1000)]
    #[schemars(range(min = 1))]
    pub epochs: u64,
    /// Training iterations per epoch.
    #[default(250)]
    #[schemars(range(min = 1))]
    pub iterations: u64,
    /// Validation iterations per epoch.
    #[default(50)]
    #[schemars(range(min = 1))]
    pub validation_iterations: u64,
    /// Initial learning rate of the poly schedule.
    #[default(0.01)]
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub initial_lr: f64,
    /// Continues from the last checkpoint of the fold, if one exists.
    #[default]
    #[serde(rename = "continue")]
    pub resume: bool,
    /// Trains anew in a fold that has checkpoints. The fold's folder is kept as `replaced_fold_X_<time>`.
    #[default]
    pub overwrite: bool,
    /// Initial weights: a `.model` file, a fold's folder or a model's folder. Layers that match in name and shape are
    /// taken; the others begin with random weights and are named. Ignored when a training continues.
    #[schemars(length(min = 1))]
    pub pretrained: Option<PathBuf>,
    /// Keeps the encoder as `pretrained` has it, and trains the decoder and the heads alone: faster, and for few cases.
    #[default]
    pub freeze_encoder: bool,
    /// Ends the run after this time, such as `23h`, `90m` or `1h30m`: saves `model_latest` and fails with
    /// `ERR_TIME_LIMIT`. The command line then exits with code 85, "continue me".
    #[schemars(
        regex(pattern = r"^(\d+[dhms])+$"),
        extend("x-expected" = "a time such as 23h, 90m or 1h30m")
    )]
    pub stop_after: Option<String>,
    /// Ends the training after this many epochs without a new best moving average of the validation Dice.
    #[schemars(range(min = 1))]
    pub patience: Option<u64>,
    /// Epochs between checkpoints `model_latest`.
    #[default(50)]
    #[schemars(range(min = 1))]
    pub save_every: u64,
    /// Folder of the model, with one folder per fold. The default follows nnU-Net's layout below the results
    /// folder.
    #[schemars(length(min = 1))]
    pub output_folder: Option<PathBuf>,
    /// Several folds, trained one after the other instead of `fold`, such as `0-4`.
    #[schemars(length(min = 1))]
    pub folds: Option<Vec<Fold>>,
    /// Segments and evaluates the fold's validation cases after the training, and determines the postprocessing.
    #[default(true)]
    pub validate: bool,
    /// Only validates: takes the fold's final checkpoint and trains nothing.
    #[default]
    pub validation_only: bool,
    /// Also writes the softmax of the validation cases (`<case>.npz` and `<case>.pkl`), for ensembling.
    #[default]
    pub npz: bool,
    /// Determines the postprocessing of the fold on its validation cases.
    #[default(true)]
    pub postprocessing: bool,
    /// With 3d_lowres, writes the validation cases' segmentations for 3d_cascade_fullres to `pred_next_stage`.
    #[default(true)]
    pub next_stage: bool,
    /// Unpacks the compressed cases once to `<case>.npy` files and memory-maps these.
    #[default(true)]
    pub unpack: bool,
    /// Folder on a fast disk of this machine, such as `$TMPDIR`, whose variables are read there: the cases of the fold are
    /// copied to it and unpacked there, so that patches are not read over the network. It is emptied at the end.
    #[schemars(length(min = 1))]
    pub scratch: Option<PathBuf>,
    /// Writes the curves of every epoch as a TensorBoard event file into the fold's folder, too.
    #[default]
    pub tensorboard: bool,
    /// Loader threads; 0 uses all workers.
    #[default]
    pub loader_threads: usize,
    /// Selects CUDA algorithms deterministically instead of by measurement: slower, but closer to repeatable.
    #[default]
    pub deterministic: bool,
    /// Trains with this many ranks on this machine, each in a process of its own with a GPU of its own, or with its share of
    /// the threads where `device` is `cpu`. They share each batch; the result is that of one rank but for rounding.
    #[schemars(range(min = 1))]
    pub gpus: Option<u64>,
    /// How long a rank waits for the others before it ends, such as `10m` (the default) or `90s`.
    #[schemars(
        regex(pattern = r"^(\d+[dhms])+$"),
        extend("x-expected" = "a time such as 10m or 90s")
    )]
    pub rank_timeout: Option<String>,
    /// Device and precision.
    #[default]
    #[serde(flatten)]
    pub compute: ComputeOptions,
}

impl Options for TrainOptions {
    fn check(&self) -> OptionResult<()> {
        if let Some(text) = &self.rank_timeout {
            if parse_duration(text).is_none_or(|time| time.is_zero()) {
                let expected = "a time above 0, such as 10m or 90s";
                return Err(OptionError::expected(
                    "rankTimeout",
                    expected,
                    format!("{text:?}"),
                ));
            }
        }
        if self.resume && self.overwrite {
            let problem = "continue and overwrite contradict each other: continue resumes the fold's run, overwrite begins anew";
            return Err(OptionError::new("overwrite", problem));
        }
        if self.validation_only && !self.validate {
            let problem = "validationOnly without validate leaves nothing to do";
            return Err(OptionError::new("validationOnly", problem));
        }
        if self.freeze_encoder && self.pretrained.is_none() {
            let problem = "an encoder with random weights would be kept; name a model with pretrained";
            return Err(OptionError::new("freezeEncoder", problem));
        }
        if let Some(text) = &self.stop_after {
            if parse_duration(text).is_none() {
                let expected = "a time such as 23h, 90m or 1h30m";
                return Err(OptionError::expected("stopAfter", expected, format!("{text:?}")));
            }
        }
        self.check_class_weights()?;
        self.data.check()
    }
}

impl TrainOptions {
    /// Refuses class weights that no trainer would use, or that remove the loss.
    fn check_class_weights(&self) -> OptionResult<()> {
        let Some(weights) = &self.class_weights else {
            return Ok(());
        };
        let trainer = self.data.trainer;
        if trainer != Trainer::ClassWeighted && self.data.recipe.is_none() {
            let problem = format!(
                "{trainer} has no class weights; choose the trainer {}, or give a recipe",
                Trainer::ClassWeighted
            );
            return Err(OptionError::new("classWeights", problem));
        }
        match weights {
            ClassWeights::Values(values) if values.iter().skip(1).all(|&weight| weight == 0.0) => {
                let expected = "a weight above 0 for at least one foreground class (background first)";
                Err(OptionError::expected("classWeights", expected, weights))
            }
            _ => Ok(()),
        }
    }

    /// The data options, with the given class weights in the recipe.
    #[must_use]
    pub fn weighted_data(&self) -> DataOptions {
        let mut data = self.data.clone();
        if let Some(ClassWeights::Values(weights)) = &self.class_weights {
            let mut recipe = data.recipe();
            recipe.loss.set_class_weights(weights);
            data.recipe = Some(recipe);
        }
        data
    }

    /// Settings that affect the result besides data and plans, as JSON. A resumed run should have the same
    /// ones.
    pub fn fingerprint(&self, recipe: &Recipe, precision: &str) -> String {
        serde_json::json!({
            "recipe": recipe,
            "epochs": self.epochs,
            "iterations": self.iterations,
            "validationIterations": self.validation_iterations,
            "batchSize": self.data.batch_size,
            "patchSize": self.data.patch_size,
            "initialLr": self.initial_lr,
            "precision": precision,
            "freezeEncoder": self.freeze_encoder,
            "classWeights": self.class_weights,
        })
        .to_string()
    }
}

/// A trained fold.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrainedFold {
    /// The fold.
    pub fold: Fold,
    /// `model_final_checkpoint.model`.
    pub checkpoint: PathBuf,
    /// Whole-case validation; null without it.
    pub validation: Option<ValidationReport>,
}

/// Outcome of `train`. With several folds, all but `folds` describes the last one.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrainSummary {
    /// Folder of the fold in nnU-Net's results layout.
    pub folder: PathBuf,
    /// `model_final_checkpoint.model`.
    pub checkpoint: PathBuf,
    /// Finished epochs, including earlier runs.
    pub epochs: u64,
    /// Training loss of the last epoch; null if no training patch had an annotated voxel.
    pub train_loss: Option<f64>,
    /// Validation loss of the last epoch; null if no validation patch had an annotated voxel.
    pub validation_loss: Option<f64>,
    /// Online Dice of each foreground class in the last epoch; null if the class did not occur.
    pub dice: Vec<Option<f64>>,
    /// Whole-case validation; null without it.
    pub validation: Option<ValidationReport>,
    /// Every fold of this run.
    pub folds: Vec<TrainedFold>,
    /// Device used.
    pub device: String,
    /// Precision used.
    pub precision: String,
    /// Wall time in seconds.
    pub seconds: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_javascript_passes_them() {
        let text = r#"{"task":"501","configuration":"3d_fullres","fold":"all","continue":true,"results":"/r",
            "trainer":"nnUNetTrainerV2Sparse","skipUnannotated":true,"precision":"bfloat16"}"#;
        let options = run::parse::<TrainOptions>(text).unwrap().options;
        assert_eq!(
            (options.data.fold, options.resume, options.epochs),
            (dataset::Fold::All, true, 1000)
        );
        assert_eq!(options.data.trainer, Trainer::Sparse);
        assert_eq!(options.data.folders.results, Some("/r".into()));
        let recipe = options.weighted_data().recipe();
        assert!(recipe.sampling.annotated().unwrap().skip_unannotated);
    }

    #[test]
    fn class_weights_need_a_loss_that_uses_them() {
        let parse = |more: &str| {
            let text = format!(r#"{{"task":"501","configuration":"3d_fullres",{more}}}"#);
            run::parse::<TrainOptions>(&text).map(|parsed| parsed.options)
        };
        let refused = |more: &str| parse(more).unwrap_err().to_string();
        let trainer = r#""trainer":"nnUNetTrainer_V2_Loss_CEandDice_Weighted""#;
        let good = parse(&format!(r#"{trainer},"classWeights":[0,2]"#)).unwrap();
        let recipe = good.weighted_data().recipe();
        assert_eq!(recipe.loss.dice_class_weights, Some(vec![0.0, 2.0]));
        assert!(parse(r#""recipe":{"ignoreLabel":-1},"classWeights":[1,2]"#).is_ok());
        for zeros in ["[0,0]", "[1,0,0]"] {
            let message = refused(&format!(r#"{trainer},"classWeights":{zeros}"#));
            assert!(
                message.contains("classWeights: expected a weight above 0"),
                "{message}"
            );
        }
        let message = refused(r#""classWeights":[1,2]"#);
        assert!(
            message.contains("nnUNetTrainerV2 has no class weights"),
            "{message}"
        );
    }

    #[test]
    fn invalid_values_are_rejected_with_the_option_name() {
        let refused = |more: &str| {
            let text = format!(r#"{{"task":"501","configuration":"3d_fullres",{more}}}"#);
            run::parse::<TrainOptions>(&text).unwrap_err().to_string()
        };
        assert_eq!(
            refused(r#""epochs":0"#),
            "epochs: expected a whole number of at least 1, got 0"
        );
        assert_eq!(
            refused(r#""initialLr":0"#),
            "initialLr: expected a number above 0, got 0"
        );
        assert_eq!(
            refused(r#""device":"gpu""#),
            "device: expected auto, cpu, cuda, cuda:N or mps, got \"gpu\""
        );
        assert_eq!(
            refused(r#""fold":-1"#),
            "fold: expected a fold number or all, got -1"
        );
        assert_eq!(
            refused(r#""patchSize":[48,48]"#),
            "patchSize: expected 3 values for 3d_fullres, got 48 48"
        );
        assert_eq!(
            refused(r#""recipe":{"loss":{"dise":1}}"#),
            "recipe.loss.dise: unknown option; did you mean dice?"
        );
    }
}
