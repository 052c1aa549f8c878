//! Gaussian importance map of a tile: central voxels have a larger weight.

use half::f16;
use ndarray::{ArrayD, IxDyn};

/// Standard deviation relative to the patch, and the truncation of the filter in standard deviations.
const SIGMA: f64 = 1.0 / 8.0;
const TRUNCATE: f64 = 4.0;

/// Highest importance in nnU-Net v2.
const HIGHEST_V2: f64 = 10.0;

/// Gaussian importance of a patch's voxels, above 0 and at most 1.
///
/// Source: `SegmentationNetwork._get_gaussian(patch_size, 1/8)`: a filtered impulse at `patch // 2`. For an
/// impulse the filter is separable into one profile per axis.
pub fn importance(patch: &[usize]) -> ArrayD<f32> {
    let mut map = filtered(patch).mapv(|v| v as f32);
    let highest = map.iter().copied().fold(0.0f32, f32::max);
    map.mapv_inplace(|v| v / highest);
    without_zeros(map)
}

/// Gaussian importance of a patch's voxels in nnU-Net v2, above 0 and at most 10.
///
/// Source: `nnunetv2.inference.sliding_window_prediction.compute_gaussian(patch_size, 1/8, 10)`, which rounds to half
/// precision: many voxels far from the centre get the lowest positive value.
pub fn importance_v2(patch: &[usize]) -> ArrayD<f32> {
    let map = filtered(patch);
    let highest = map.iter().copied().fold(0.0, f64::max) / HIGHEST_V2;
    without_zeros(map.mapv(|v| f16::from_f64(v / highest).to_f32()))
}

/// A filtered impulse at the centre.
fn filtered(patch: &[usize]) -> ArrayD<f64> {
    let profiles: Vec<Vec<f64>> = patch.iter().map(|&n| profile(n)).collect();
    let value = |index: IxDyn| (0..patch.len()).map(|axis| profiles[axis][index[axis]]).product();
    ArrayD::from_shape_fn(IxDyn(patch), value)
}

/// Zeros become the lowest positive value.
fn without_zeros(mut map: ArrayD<f32>) -> ArrayD<f32> {
    let positive = map.iter().copied().filter(|&v| v > 0.0);
    let lowest = positive.fold(f32::INFINITY, f32::min);
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
    fn v2_rounds_to_half_precision_and_replaces_zeros() {
        // compute_gaussian((8,), sigma_scale=1/8, value_scaling_factor=10), by hand: exp(-d * d / 2) * 10 up to four
        // voxels from the centre.
        let found = importance_v2(&[8]);
        for (index, value) in found.iter().enumerate() {
            let d = index as f64 - 4.0;
            let expected = f16::from_f64(10.0 * (-0.5 * d * d).exp()).to_f32();
            assert_eq!(*value, expected, "{index}");
        }
        let found = importance_v2(&[40, 40, 40]);
        assert_eq!(found[[20, 20, 20]], 10.0);
        // 10 * exp(-24) is 0 in half precision; its lowest positive value is 2^-24.
        assert_eq!(found[[0, 0, 0]], 2f32.powi(-24));
    }

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
