//! Intensities of the training foreground.

use ndarray::ArrayView3;

use crate::fingerprint::{Intensities, ModalityIntensities};
use crate::statistics::{mean_and_deviation, median_sorted_f32, percentile_sorted_f32};

/// Sampling interval of the foreground: every tenth voxel suffices.
const EVERY: usize = 10;

/// Returns every tenth voxel of `channel` in C order, among those with a segmentation above 0.
///
/// Reference: `DatasetAnalyzer._get_voxels_in_foreground`.
pub fn foreground(channel: ArrayView3<'_, f32>, segmentation: ArrayView3<'_, i16>) -> Vec<f32> {
    let labelled = channel.iter().zip(segmentation).filter(|(_, &label)| label > 0);
    labelled.step_by(EVERY).map(|(&v, _)| v).collect()
}

/// Returns the statistics of one modality for all cases together and for each case. `voxels` has one list per
/// case.
///
/// Reference: `DatasetAnalyzer.collect_intensity_properties`.
pub fn modality(voxels: Vec<Vec<f32>>) -> ModalityIntensities {
    let all = statistics(voxels.concat());
    ModalityIntensities {
        all,
        cases: voxels.into_iter().map(statistics).collect(),
    }
}

/// Means are accumulated in float32 in the order of `values`, percentiles in float64.
fn statistics(mut values: Vec<f32>) -> Intensities {
    let (mean, deviation) = mean_and_deviation(&values);
    values.sort_unstable_by(f32::total_cmp);
    Intensities {
        median: median_sorted_f32(&values),
        mean,
        deviation,
        minimum: values.first().copied().unwrap_or(f32::NAN),
        maximum: values.last().copied().unwrap_or(f32::NAN),
        percentile_99_5: percentile_sorted_f32(&values, 99.5),
        percentile_00_5: percentile_sorted_f32(&values, 0.5),
    }
}
