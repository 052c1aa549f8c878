//! Mean, standard deviation and range of an image in one pass.

use crate::simd::kernel;

/// Statistics of one channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Statistics {
    /// Mean.
    pub mean: f32,
    /// Population standard deviation.
    pub sd: f32,
    /// Smallest value.
    pub min: f32,
    /// Largest value.
    pub max: f32,
}

/// Number of values summed in f32 before they are added to the f64 sum.
const CHUNK: usize = 512;
const LANES: usize = 16;

kernel! {
    /// Statistics of `values`; zeros for an empty slice. Sums are relative to the first value, so a large
    /// common offset does not reduce precision.
    pub(crate) fn statistics(values: &[f32]) -> Statistics {
        let Some(&pivot) = values.first() else {
            return Statistics { mean: 0.0, sd: 0.0, min: 0.0, max: 0.0 };
        };
        let (mut sum, mut squares) = (0.0_f64, 0.0_f64);
        let (mut low, mut high) = ([pivot; LANES], [pivot; LANES]);
        for chunk in values.chunks(CHUNK) {
            let (mut s, mut q) = ([0.0_f32; LANES], [0.0_f32; LANES]);
            let (whole, rest) = chunk.as_chunks::<LANES>();
            for lanes in whole {
                for i in 0..LANES {
                    let v = lanes[i] - pivot;
                    s[i] += v;
                    q[i] = v.mul_add(v, q[i]);
                    low[i] = if lanes[i] < low[i] { lanes[i] } else { low[i] };
                    high[i] = if lanes[i] > high[i] { lanes[i] } else { high[i] };
                }
            }
            for (i, &value) in rest.iter().enumerate() {
                let v = value - pivot;
                s[i] += v;
                q[i] = v.mul_add(v, q[i]);
                low[i] = low[i].min(value);
                high[i] = high[i].max(value);
            }
            for i in 0..LANES {
                sum += f64::from(s[i]);
                squares += f64::from(q[i]);
            }
        }
        let n = values.len() as f64;
        let mean = sum / n;
        Statistics {
            mean: (f64::from(pivot) + mean) as f32,
            sd: (squares / n - mean * mean).max(0.0).sqrt() as f32,
            min: low.into_iter().fold(pivot, f32::min),
            max: high.into_iter().fold(pivot, f32::max),
        }
    }
}

kernel! {
    /// `value = value * factor + offset`, clipped to [low, high].
    pub(crate) fn affine(values: &mut [f32], factor: f32, offset: f32, low: f32, high: f32) {
        for v in values {
            let moved = factor.mul_add(*v, offset);
            let moved = if moved < low { low } else { moved };
            *v = if moved > high { high } else { moved };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agree_with_two_passes_in_f64(values in prop::collection::vec(-5.0_f32..5.0, 1..3000), offset in -1e4_f32..1e4) {
            let values: Vec<f32> = values.iter().map(|v| v + offset).collect();
            let n = values.len() as f64;
            let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
            let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
            let found = statistics(&values);
            prop_assert!((f64::from(found.mean) - mean).abs() < 1e-5 * mean.abs().max(1.0));
            prop_assert!((f64::from(found.sd) - variance.sqrt()).abs() < 1e-4);
            prop_assert_eq!(found.min, values.iter().copied().fold(f32::INFINITY, f32::min));
            prop_assert_eq!(found.max, values.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            prop_assert_eq!(found, crate::simd::portably(|| statistics(&values)));
        }
    }

    #[test]
    fn one_value() {
        let found = statistics(&[3.0]);
        assert_eq!(
            found,
            Statistics {
                mean: 3.0,
                sd: 0.0,
                min: 3.0,
                max: 3.0
            }
        );
        assert_eq!(statistics(&[]).mean, 0.0);
    }
}
