//! The verb `predict`.

use std::path::PathBuf;

use dataset::results::{BEST_CHECKPOINT, FINAL_CHECKPOINT, LATEST_CHECKPOINT};
use dataset::{Fold, NonFinite};
use resample::ExportMode;
use run::{CaseFailure, Options, Shard};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{ComputeOptions, MemorySize};

/// Options of `predict`.
#[run::options]
pub struct PredictOptions {
    /// Folder of images: `<case>_0000.nii.gz` and so on, one file per channel.
    #[schemars(length(min = 1))]
    pub input: PathBuf,
    /// Folder for the segmentations. Created if missing.
    #[schemars(length(min = 1))]
    pub output: PathBuf,
    /// Folder of the model: `<trainer>__<plans>` of nnU-Net v1, with `plans.pkl` and the folds, or
    /// `<trainer>__<plans>__<configuration>` of nnU-Net v2, with `plans.json`, `dataset.json` and the folds.
    #[schemars(length(min = 1))]
    pub model: PathBuf,
    /// Folds to average: numbers or `all`. The default is every trained fold with a number, as in nnU-Net v1; `all` if
    /// no other exists.
    #[schemars(length(min = 1))]
    pub folds: Option<Vec<Fold>>,
    /// Segmentations of the first stage, for a model of the second stage of a cascade: a folder of `<case>.nii.gz`. By
    /// default they are predicted into `3d_lowres_predictions` in the output folder.
    #[schemars(length(min = 1))]
    pub lowres_segmentations: Option<PathBuf>,
    /// Model of the first stage of a cascade. The default is `3d_lowres/<task>/nnUNetTrainerV2__<plans>` beside the folder
    /// of the configuration of the model; with a model of nnU-Net v2, the previous stage that its plans name, beside its
    /// folder.
    #[schemars(length(min = 1))]
    pub lowres_model: Option<PathBuf>,
    /// Checkpoint of each fold: `final`, `best`, `latest`, or for a model of nnU-Net v1 a file name without `.model`.
    #[default("final".to_owned())]
    #[schemars(length(min = 1))]
    pub checkpoint: String,
    /// Also writes `<case>.npz` and `<case>.pkl`, for ensembling: `softmax` of the cropped region with a model of nnU-Net v1,
    /// `probabilities` of the whole image with one of v2, both in float16.
    #[default]
    pub save_softmax: bool,
    /// Resampling of the softmax to the grid of the image, with a model of nnU-Net v1; the plans of v2 name their own. The
    /// default is `streamed`, or `alt` if the environment variable `DIAG_NNUNET_ALT_RESAMPLING` is on.
    pub export: Option<ExportMode>,
    /// Step between tiles as a fraction of the patch.
    #[default(0.5)]
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub step_size: f64,
    /// Averages predictions over mirrored copies along every axis, unless the trainer of the model does not mirror. With a
    /// model of nnU-Net v2, the axes are those that its checkpoint allows.
    #[default(true)]
    pub mirroring: bool,
    /// Applies the `postprocessing.json` of the model, if it has one.
    #[default(true)]
    pub postprocessing: bool,
    /// Memory of the process that the prediction may use: bytes, or text such as `8G`. A softmax that does not fit whole is
    /// computed and exported some planes at a time, with the same result. The default is 60 % of the free memory, at most
    /// 4 GiB in addition to the model.
    pub memory: Option<MemorySize>,
    /// Treatment of voxels that are NaN or infinite.
    #[default]
    pub nonfinite: NonFinite,
    /// Part of the cases, `I/N`: this machine segments part I of N, from 1.
    pub shard: Option<Shard>,
    /// Folder on a fast disk of this machine, such as `$TMPDIR`, whose variables are read there: the results of a case are
    /// made in it and then moved to the output folder, the segmentation last.
    #[schemars(length(min = 1))]
    pub scratch: Option<PathBuf>,
    /// Predicts cases again whose segmentation exists.
    ///
    /// Without it, a segmentation is kept if it is whole, has the grid of its image, and was made by this model with
    /// these settings. Otherwise it is predicted again, with a warning.
    #[default]
    pub overwrite: bool,
    /// Device and precision.
    #[default]
    #[serde(flatten)]
    pub compute: ComputeOptions,
}

impl Options for PredictOptions {}

impl PredictOptions {
    /// The resampling of the softmax that the options or the environment select.
    #[must_use]
    pub fn export_mode(&self) -> ExportMode {
        self.export.unwrap_or_else(default_export_mode)
    }

    /// Name of the checkpoint's file, without extension.
    #[must_use]
    pub fn checkpoint_name(&self) -> &str {
        match self.checkpoint.as_str() {
            "final" => FINAL_CHECKPOINT,
            "best" => BEST_CHECKPOINT,
            "latest" => LATEST_CHECKPOINT,
            name => name,
        }
    }
}

/// Options of `loadModel`.
#[run::options]
pub struct LoadModelOptions {
    /// Folder of the model: `<trainer>__<plans>` of nnU-Net v1, with `plans.pkl` and the folds, or
    /// `<trainer>__<plans>__<configuration>` of nnU-Net v2, with `plans.json`, `dataset.json` and the folds.
    #[schemars(length(min = 1))]
    pub model: PathBuf,
    /// Folds to average: numbers or `all`. The default is every trained fold with a number, as in nnU-Net v1; `all` if
    /// no other exists.
    #[schemars(length(min = 1))]
    pub folds: Option<Vec<Fold>>,
    /// Model of the first stage of a cascade. The default is `3d_lowres/<task>/nnUNetTrainerV2__<plans>` beside the folder
    /// of the configuration of the model; with a model of nnU-Net v2, the previous stage that its plans name, beside its
    /// folder.
    #[schemars(length(min = 1))]
    pub lowres_model: Option<PathBuf>,
    /// Checkpoint of each fold: `final`, `best`, `latest`, or for a model of nnU-Net v1 a file name without `.model`.
    #[default("final".to_owned())]
    #[schemars(length(min = 1))]
    pub checkpoint: String,
    /// Resampling of the softmax to the grid of the image, with a model of nnU-Net v1; the plans of v2 name their own. The
    /// default is `streamed`, or `alt` if the environment variable `DIAG_NNUNET_ALT_RESAMPLING` is on.
    pub export: Option<ExportMode>,
    /// Step between tiles as a fraction of the patch.
    #[default(0.5)]
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub step_size: f64,
    /// Averages predictions over mirrored copies along every axis, unless the trainer of the model does not mirror. With a
    /// model of nnU-Net v2, the axes are those that its checkpoint allows.
    #[default(true)]
    pub mirroring: bool,
    /// Applies the `postprocessing.json` of the model, if it has one.
    #[default(true)]
    pub postprocessing: bool,
    /// Memory of the process that a prediction may use: bytes, or text such as `8G`. A softmax that does not fit whole is
    /// computed and resampled some planes at a time, with the same result, unless it is returned. The default is 60 % of
    /// the free memory, at most 4 GiB in addition to the model.
    pub memory: Option<MemorySize>,
    /// Treatment of voxels that are NaN or infinite.
    #[default]
    pub nonfinite: NonFinite,
    /// Device and precision.
    #[default]
    #[serde(flatten)]
    pub compute: ComputeOptions,
}

impl Options for LoadModelOptions {}

impl LoadModelOptions {
    /// The options of `predict` with the same model and settings, without folders.
    #[must_use]
    pub fn predict_options(&self) -> PredictOptions {
        PredictOptions {
            folds: self.folds.clone(),
            lowres_model: self.lowres_model.clone(),
            checkpoint: self.checkpoint.clone(),
            export: self.export,
            step_size: self.step_size,
            mirroring: self.mirroring,
            postprocessing: self.postprocessing,
            memory: self.memory,
            nonfinite: self.nonfinite,
            compute: self.compute.clone(),
            ..PredictOptions::new(PathBuf::new(), PathBuf::new(), self.model.clone())
        }
    }
}

/// The resampling of a softmax that the environment selects: as in DIAG's fork, `DIAG_NNUNET_ALT_RESAMPLING` applies to
/// prediction and to the validation of a training.
#[must_use]
pub fn default_export_mode() -> ExportMode {
    match run::switches::is_on(run::switches::ALT_RESAMPLING) {
        true => ExportMode::Alt,
        false => ExportMode::default(),
    }
}

/// Outcome of `predict`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PredictSummary {
    /// Cases segmented in this run.
    pub written: usize,
    /// Skipped cases, whose segmentation exists.
    pub skipped: usize,
    /// Labels that keep only their largest component, in order; null without postprocessing. A list of several labels
    /// is their union.
    pub postprocessing: Option<Vec<Vec<i16>>>,
    /// Cases that failed while the others continued.
    pub failures: Vec<CaseFailure>,
    /// Folder of the segmentations.
    pub output: PathBuf,
    /// Device used.
    pub device: String,
    /// Precision used.
    pub precision: String,
    /// Wall time in seconds.
    pub seconds: f64,
}
