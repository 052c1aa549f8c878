//! Dataset fingerprint: shapes, spacings, intensities.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::Crop;

/// Intensity statistics of foreground voxels (`intensityproperties.pkl`). NaN without foreground.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Intensities {
    /// Median.
    pub median: f32,
    /// Mean.
    pub mean: f32,
    /// Standard deviation.
    pub deviation: f32,
    /// Smallest value.
    pub minimum: f32,
    /// Largest value.
    pub maximum: f32,
    /// 99.5th percentile.
    pub percentile_99_5: f64,
    /// 0.5th percentile.
    pub percentile_00_5: f64,
}

/// Statistics of one modality.
#[derive(Clone, Debug, PartialEq)]
pub struct ModalityIntensities {
    /// Statistics of all cases together.
    pub all: Intensities,
    /// Statistics of each case, in the fingerprint's order of cases.
    pub cases: Vec<Intensities>,
}

/// Fingerprint of a task (`dataset_properties.pkl`). Lists have one entry per case, in the order of `cases`.
#[derive(Clone, Debug, PartialEq)]
pub struct Fingerprint {
    /// Kept region of the images.
    pub crop: Crop,
    /// Case identifiers, in the order of their `.npz` file names.
    pub cases: Vec<String>,
    /// Shape after cropping (z, y, x).
    pub sizes: Vec<[usize; 3]>,
    /// Original spacing (z, y, x) in mm.
    pub spacings: Vec<[f64; 3]>,
    /// Labels above 0, in the order of dataset.json.
    pub classes: Vec<i64>,
    /// Names of the modalities.
    pub modalities: BTreeMap<usize, String>,
    /// Intensity statistics of every modality. Computed only if one of them is CT.
    pub intensities: Option<BTreeMap<usize, ModalityIntensities>>,
    /// Number of voxels after cropping divided by the number before.
    pub size_reductions: Vec<f64>,
}
