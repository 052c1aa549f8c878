//! The verb `predict`.

use std::path::PathBuf;

use dataset::Fold;
use resample::ExportMode;
use run::{CaseFailure, Options};
use schemars::JsonSchema;
use serde::Serialize;

use crate::ComputeOptions;

/// Options of `predict`.
#[run::options]
pub struct PredictOptions {
    /// Folder of images, `<case>_0000.nii.gz` and so on, one file a channel.
    #[schemars(length(min = 1))]
    pub input: PathBuf,
    /// Folder for the segmentations, created where it is missing.
    #[schemars(length(min = 1))]
    pub output: PathBuf,
    /// Folder `<trainer>__<plans>` that holds `plans.pkl` and the folds.
    #[schemars(length(min = 1))]
    pub model: PathBuf,
    /// Folds to average: numbers or `all`. The default is all that are trained.
    #[schemars(length(min = 1))]
    pub folds: Option<Vec<Fold>>,
    /// Checkpoint to use of each fold.
    #[default("model_final_checkpoint".to_owned())]
    #[schemars(length(min = 1))]
    pub checkpoint: String,
    /// Also writes `<case>.npz` (softmax, float16, cropped region) and `<case>.pkl`, for ensembling.
    #[default]
    pub save_softmax: bool,
    /// Resampling of the softmax to the grid of the image.
    #[default]
    pub export: ExportMode,
    /// Distance between tiles as a share of the patch.
    #[default(0.5)]
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub step_size: f64,
    /// Averages over mirrored copies along every axis.
    #[default(true)]
    pub mirroring: bool,
    /// Predicts cases again whose segmentation exists.
    #[default]
    pub overwrite: bool,
    /// Device and precision.
    #[default]
    #[serde(flatten)]
    pub compute: ComputeOptions,
}

impl Options for PredictOptions {}

/// Outcome of `predict`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PredictSummary {
    /// Cases segmented in this run.
    pub written: usize,
    /// Cases whose segmentation existed.
    pub skipped: usize,
    /// Cases that failed while the others went on.
    pub failures: Vec<CaseFailure>,
    /// Folder of the segmentations.
    pub output: PathBuf,
    /// Device used.
    pub device: String,
    /// Precision used.
    pub precision: String,
    /// Wall time.
    pub seconds: f64,
}
