//! Options of further metrics.

use run::{OptionError, OptionResult, Options};
use serde::{Deserialize, Serialize};

use super::lesions::LesionConnectivity;
use crate::statistics::Bootstrap;

/// Metrics that are computed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MetricGroup {
    /// `hd95`, `assd` and `surfaceDice`, as DeepMind's `surface-distance` defines surfaces and their
    /// area.
    Surface,
    /// Volumes and their errors.
    Volume,
    /// Detection of connected components: sensitivity, precision and F1, also by size.
    Lesions,
    /// Expected calibration error, for cases with a softmax (`<case>.npz` and `<case>.pkl`) beside the
    /// prediction.
    Calibration,
}

/// Options of metrics that nnU-Net v1 does not have.
#[run::options]
pub struct MeasureOptions {
    /// Groups of metrics to compute besides those of nnU-Net v1.
    #[default]
    pub metrics: Vec<MetricGroup>,
    /// Distance in mm up to which surfaces agree (`surfaceDice`).
    #[default(1.0)]
    #[schemars(range(min = 0.0))]
    pub surface_tolerance: f64,
    /// Neighbours of a voxel in a lesion: `full` are 26, `face` are 6.
    #[default]
    pub lesion_connectivity: LesionConnectivity,
    /// Share of a lesion's voxels that the other segmentation must exceed. With 0, one voxel is enough.
    #[default(0.0)]
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub lesion_overlap: f64,
    /// Sizes in mm³ between the groups of lesions, ascending.
    #[default(vec![100.0, 1000.0])]
    pub lesion_sizes: Vec<f64>,
    /// Number of intervals of the calibration error.
    #[default(15)]
    #[schemars(range(min = 1, max = 10_000))]
    pub calibration_bins: usize,
    /// Bootstrap samples of the confidence intervals; 0 computes none.
    #[default(1000)]
    #[schemars(range(max = 1_000_000))]
    pub bootstrap: u32,
    /// Share of the confidence intervals.
    #[default(0.95)]
    #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub confidence: f64,
    /// Seed of the bootstrap samples.
    #[default(1234)]
    pub seed: u64,
}

impl MeasureOptions {
    pub(crate) fn bootstrap(&self) -> Bootstrap {
        Bootstrap {
            samples: self.bootstrap,
            confidence: self.confidence,
            seed: self.seed,
        }
    }
}

impl Options for MeasureOptions {
    fn check(&self) -> OptionResult<()> {
        let ascending = self.lesion_sizes.windows(2).all(|pair| pair[0] < pair[1]);
        if ascending && self.lesion_sizes.first().is_none_or(|first| *first > 0.0) {
            return Ok(());
        }
        let found = format!("{:?}", self.lesion_sizes);
        Err(OptionError::expected(
            "lesionSizes",
            "ascending sizes above 0",
            found,
        ))
    }
}
