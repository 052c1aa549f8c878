//! Gaussian importance map of a tile: central voxels have a larger weight.

use ndarray::{ArrayD, IxDyn};

/// Standard deviation relative to the patch, and the truncation of the filter in standard deviations.
const SIGMA: f64 = 1.0 / 8.0;
const TRUNCATE: f64 = 4.0;

/// Gaussian importance of a patch's voxels, above 0 and at most 1.
///
/// Source: `SegmentationNetwork._get_gaussian(patch_size, 1/8)`: a filtered impulse at `patch // 2`. For an
/// impulse the filter is separable into one profile per axis.
pub fn importance(patch: &[usize]) -> ArrayD<f32> {
    let profiles: Vec<Vec<f64>> = patch.iter().map(|&n| profile(n)).collect();
    let value = |index: &IxDyn| -> f64 { (0..patch.len()).map(|axis| profiles[axis][index[axis]]).product() };
    let mut map = ArrayD::from_shape_fn(IxDyn(patch), |index| value(&index) as f32);
    let highest = map.iter().copied().fold(0.0f32, f32::max);
    map.mapv_inplace(|v| v / highest);
    let lowest = map
        .iter()
        .copied()
        .filter(|&v| v > 0.0)
        .fold(f32::INFINITY, f32::min);
    map.mapv_inplace(|v| if v == 0.0 { lowest } else { v });
    map
}

/// The filtered impulse along one axis of `length` voxels, with zero padding.
fn profile(length: usize) -> Vec<f64> {
    let sigma = length as f64 * SIGMA;
    let radius = (TRUNCATE * sigma + 0.5) as i64;
    let kernel = |d: i64| (-0.5 * (d * d) as f64 / (sigma * sigma)).exp();
    let sum: f64 = (-radius..=radius).map(kernel).sum();
    let centre = (length / 2) as i64;
    let at = |d: i64| if d.abs() <= radius { kernel(d) / sum } else { 0.0 };
    (0..length as i64).map(|i| at(i - centre)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_recorded_maps() {
        let maps = testkit::npz(&testkit::folder("inference").join("gaussian.npz"));
        assert!(!maps.is_empty());
        for (name, expected) in maps {
            let found = importance(expected.shape()).mapv(f64::from);
            // Both are float32 of values computed in different orders.
            testkit::assert_close(&found, &expected, 1e-7, 1e-5, &name);
        }
    }
}
