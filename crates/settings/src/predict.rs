//! The verb `predict`.

use std::path::PathBuf;

use dataset::{Fold, NonFinite};
use resample::ExportMode;
use run::{CaseFailure, Options};
use schemars::JsonSchema;
use serde::Serialize;

use crate::ComputeOptions;

/// Options of `predict`.
#[run::options]
pub struct PredictOptions {
    /// Folder of images: `<case>_0000.nii.gz` and so on, one file per channel.
    #[schemars(length(min = 1))]
    pub input: PathBuf,
    /// Folder for the segmentations. Created if missing.
    #[schemars(length(min = 1))]
    pub output: PathBuf,
    /// Folder `<trainer>__<plans>` with `plans.pkl` and the folds.
    #[schemars(length(min = 1))]
    pub model: PathBuf,
    /// Folds to average: numbers or `all`. The default is every trained fold.
    #[schemars(length(min = 1))]
    pub folds: Option<Vec<Fold>>,
    /// Checkpoint of each fold.
    #[default("model_final_checkpoint".to_owned())]
    #[schemars(length(min = 1))]
    pub checkpoint: String,
    /// Also writes `<case>.npz` (softmax, float16, cropped region) and `<case>.pkl`, for ensembling.
    #[default]
    pub save_softmax: bool,
    /// Resampling of the softmax to the grid of the image.
    #[default]
    pub export: ExportMode,
    /// Step between tiles as a fraction of the patch.
    #[default(0.5)]
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub step_size: f64,
    /// Averages predictions over mirrored copies along every axis.
    #[default(true)]
    pub mirroring: bool,
    /// Treatment of voxels that are NaN or infinite.
    #[default]
    pub nonfinite: NonFinite,
    /// Predicts cases with an existing segmentation again.
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
    /// Skipped cases with an existing segmentation.
    pub skipped: usize,
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
