//! What the predict verb takes and gives.

use std::path::PathBuf;

use engine::Precision;
use resample::ExportMode;
use run::CaseFailure;
use serde::{Deserialize, Serialize};

/// Options of [`crate::predict`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PredictOptions {
    /// Folder of images `<case>_0000.nii.gz`, one file a channel.
    pub input: PathBuf,
    /// Folder for `<case>.nii.gz`; made where it is missing.
    pub output: PathBuf,
    /// Folder `<trainer>__<plans>` that holds `plans.pkl` and the folds.
    pub model: PathBuf,
    /// Folds to average (`0`, `1`, …, `all`); all that are trained when absent.
    pub folds: Option<Vec<String>>,
    /// Which checkpoint of each fold.
    pub checkpoint: String,
    /// Also write `<case>.npz` (softmax, float16, cropped region) and `<case>.pkl`, for ensembling.
    pub save_softmax: bool,
    /// How the softmax is resampled to the image's grid.
    pub export: ExportMode,
    /// Largest distance between tiles as a share of the patch.
    pub step_size: f64,
    /// Average over mirrored copies along every axis.
    pub mirroring: bool,
    /// Predict cases again whose segmentation is there.
    pub overwrite: bool,
    /// `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
    pub device: String,
    /// Arithmetic of the network.
    pub precision: Precision,
}

impl Default for PredictOptions {
    fn default() -> Self {
        Self {
            input: PathBuf::new(),
            output: PathBuf::new(),
            model: PathBuf::new(),
            folds: None,
            checkpoint: "model_final_checkpoint".to_owned(),
            save_softmax: false,
            export: ExportMode::Streamed,
            step_size: 0.5,
            mirroring: true,
            overwrite: false,
            device: "auto".to_owned(),
            precision: Precision::Auto,
        }
    }
}

/// What [`crate::predict`] did.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PredictSummary {
    /// Cases segmented in this run.
    pub written: usize,
    /// Cases whose segmentation was there already.
    pub skipped: usize,
    /// Cases that failed while the others went on.
    pub failures: Vec<CaseFailure>,
    /// Folder of the segmentations.
    pub output: PathBuf,
    /// Device used.
    pub device: String,
    /// Arithmetic used.
    pub precision: &'static str,
    /// Wall time.
    pub seconds: f64,
}
