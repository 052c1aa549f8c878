//! Intensity normalisation after resampling.

use ndarray::{ArrayView3, ArrayViewMut3};
use rayon::prelude::*;
use run::{Cancel, Cancelled};
use serde::Serialize;

use crate::fingerprint::Intensities;
use crate::statistics::mean_and_deviation;

/// Normalisation scheme of one modality.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum Scheme {
    /// Clips to the training foreground's percentiles, then uses its mean and deviation (`CT`).
    Ct(Intensities),
    /// Clips as `CT`, then uses the mean and deviation of the case's voxels strictly between the bounds
    /// (`CT2`).
    Ct2(Intensities),
    /// Uses mean and deviation of the case (`nonCT`).
    ZScore,
    /// No normalisation (`noNorm`).
    None,
}

/// numpy adds this to a float32 deviation as float64 and divides float32 by the sum.
const EPSILON: f64 = 1e-8;

/// Normalises one channel in place. If `mask` is given, voxels with a negative mask value become 0, and
/// [`Scheme::ZScore`] excludes them from its statistics. [`Scheme::None`] ignores the mask.
///
/// Returns whether the intensities have a spread. Without it, [`Scheme::Ct`] and [`Scheme::Ct2`] would divide by
/// 0, and the channel becomes 0.
///
/// Reference: `GenericPreprocessor.resample_and_normalize`.
///
/// # Errors
/// [`Cancelled`] within one pass over the channel.
pub fn normalise(
    mut channel: ArrayViewMut3<'_, f32>,
    scheme: &Scheme,
    mask: Option<ArrayView3<'_, i16>>,
    cancel: &Cancel,
) -> Result<bool, Cancelled> {
    cancel.check()?;
    let scale = match scheme {
        Scheme::None => return Ok(true),
        Scheme::Ct(all) => {
            clip(channel.view_mut(), all, cancel)?;
            (all.mean, all.deviation)
        }
        Scheme::Ct2(all) => {
            let (low, high) = bounds(all);
            let between: Vec<f32> = channel.iter().copied().filter(|&v| v > low && v < high).collect();
            clip(channel.view_mut(), all, cancel)?;
            mean_and_deviation(&between)
        }
        Scheme::ZScore => {
            let (mean, deviation) = match (&mask, channel.as_slice_memory_order()) {
                (None, Some(all)) => mean_and_deviation(all),
                (None, None) => mean_and_deviation(&channel.iter().copied().collect::<Vec<_>>()),
                (Some(mask), _) => mean_and_deviation(&inside(channel.view(), mask)),
            };
            (mean, (f64::from(deviation) + EPSILON) as f32)
        }
    };
    if !(scale.1 > 0.0 && scale.0.is_finite()) {
        channel.fill(0.0);
        return Ok(false);
    }
    each(
        channel,
        mask,
        |v, outside| if outside { 0.0 } else { (v - scale.0) / scale.1 },
        cancel,
    )?;
    Ok(true)
}

fn inside(channel: ArrayView3<'_, f32>, mask: &ArrayView3<'_, i16>) -> Vec<f32> {
    let count = mask.iter().filter(|&&m| m >= 0).count();
    let mut values = Vec::with_capacity(count);
    values.extend(channel.iter().zip(mask).filter(|(_, &m)| m >= 0).map(|(&v, _)| v));
    values
}

fn bounds(all: &Intensities) -> (f32, f32) {
    (all.percentile_00_5 as f32, all.percentile_99_5 as f32)
}

fn clip(channel: ArrayViewMut3<'_, f32>, all: &Intensities, cancel: &Cancel) -> Result<(), Cancelled> {
    let (low, high) = bounds(all);
    // As in numpy's clip, the upper bound wins if the bounds cross, and NaN is kept.
    let clipped = |v: f32, _| {
        let v = if v < low { low } else { v };
        if v > high {
            high
        } else {
            v
        }
    };
    each(channel, None, clipped, cancel)
}

/// Replaces every value by `f` of the value and of whether it is outside the mask. Slices run in parallel.
fn each(
    mut channel: ArrayViewMut3<'_, f32>,
    mask: Option<ArrayView3<'_, i16>>,
    f: impl Fn(f32, bool) -> f32 + Sync,
    cancel: &Cancel,
) -> Result<(), Cancelled> {
    let slices: Vec<_> = channel.outer_iter_mut().enumerate().collect();
    slices.into_par_iter().try_for_each(|(z, mut slice)| {
        cancel.check()?;
        match &mask {
            None => slice.map_inplace(|v| *v = f(*v, false)),
            Some(mask) => {
                let mask = mask.index_axis(ndarray::Axis(0), z);
                ndarray::Zip::from(slice)
                    .and(&mask)
                    .for_each(|v, &m| *v = f(*v, m < 0));
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;
    use proptest::prelude::*;

    use super::*;

    fn intensities() -> Intensities {
        Intensities {
            median: 1.0,
            mean: 10.0,
            deviation: 4.0,
            minimum: -90.0,
            maximum: 90.0,
            percentile_99_5: 50.0,
            percentile_00_5: -20.0,
        }
    }

    fn float64_statistics(values: &[f64]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        (
            mean,
            (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt(),
        )
    }

    proptest! {
        #[test]
        fn normalisation_equals_float64_definition(
            values in prop::collection::vec(-100f32..100.0, 60),
            mask in prop::collection::vec(-1i16..3, 60),
            masked in any::<bool>(),
        ) {
            let image = Array3::from_shape_vec((3, 4, 5), values).unwrap();
            let mask = Array3::from_shape_vec((3, 4, 5), mask).unwrap();
            prop_assume!(mask.iter().any(|&m| m >= 0));
            let all = intensities();
            let outside = |i| masked && mask[i] < 0;
            let wide: Vec<f64> = image.iter().map(|&v| f64::from(v)).collect();
            let pick = |keep: &dyn Fn(usize) -> bool| -> Vec<f64> { (0..60).filter(|&i| keep(i)).map(|i| wide[i]).collect() };
            let flat: Vec<i16> = mask.iter().copied().collect();
            let case = float64_statistics(&pick(&|i| !masked || flat[i] >= 0));
            let within = float64_statistics(&pick(&|i| wide[i] > -20.0 && wide[i] < 50.0));
            for scheme in [Scheme::None, Scheme::ZScore, Scheme::Ct(all), Scheme::Ct2(all)] {
                let mut found = image.clone();
                normalise(found.view_mut(), &scheme, masked.then(|| mask.view()), &Cancel::new()).unwrap();
                for (i, &v) in image.indexed_iter() {
                    let v = f64::from(v);
                    let clipped = v.clamp(-20.0, 50.0);
                    let expected = match scheme {
                        Scheme::None => v,
                        _ if outside(i) => 0.0,
                        Scheme::ZScore => (v - case.0) / (case.1 + 1e-8),
                        Scheme::Ct(_) => (clipped - 10.0) / 4.0,
                        Scheme::Ct2(_) => (clipped - within.0) / within.1,
                    };
                    prop_assert!(
                        (f64::from(found[i]) - expected).abs() < 1e-3 || expected.is_nan(),
                        "{:?} {:?}: {} {}", scheme, i, found[i], expected
                    );
                }
            }
        }
    }

    #[test]
    fn constant_image_becomes_zero() {
        let mut image = Array3::from_elem((2, 2, 2), 7f32);
        normalise(image.view_mut(), &Scheme::ZScore, None, &Cancel::new()).unwrap();
        assert!(image.iter().all(|&v| v == 0.0));
    }
}
