//! numpy's statistics with its rounding, so that results equal recorded values.

/// Returns `numpy.percentile(values, percent)` with linear interpolation, for `percent` in 0..=100. Returns
/// NaN without values.
pub fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let Some((low, high, t)) = neighbours(sorted.len(), percent) else {
        return f64::NAN;
    };
    interpolate(sorted[low], sorted[high], sorted[high] - sorted[low], t)
}

/// Returns `numpy.percentile` of sorted float32 values. The difference of neighbours is rounded to float32;
/// the rest is float64. Returns NaN without values.
pub fn percentile_sorted_f32(sorted: &[f32], percent: f64) -> f64 {
    let Some((low, high, t)) = neighbours(sorted.len(), percent) else {
        return f64::NAN;
    };
    interpolate(
        sorted[low].into(),
        sorted[high].into(),
        (sorted[high] - sorted[low]).into(),
        t,
    )
}

fn neighbours(n: usize, percent: f64) -> Option<(usize, usize, f64)> {
    let last = n.checked_sub(1)?;
    let position = last as f64 * (percent / 100.0);
    let low = (position.floor() as usize).min(last);
    Some((low, (low + 1).min(last), position - low as f64))
}

fn interpolate(low: f64, high: f64, difference: f64, t: f64) -> f64 {
    // numpy starts from the nearer neighbour.
    if t >= 0.5 {
        high - difference * (1.0 - t)
    } else {
        low + difference * t
    }
}

/// Returns `numpy.median`: the mean of the two middle values. Returns NaN without values.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

/// Returns `numpy.median` of sorted float32 values, in float32.
pub fn median_sorted_f32(sorted: &[f32]) -> f32 {
    match sorted.len() {
        0 => f32::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

/// Returns mean and standard deviation (no degrees of freedom removed) of float32 values. As in `numpy.mean`
/// and `numpy.std`, sums are float32 and pairwise, in blocks of 128 with 8 accumulators. Returns NaN without
/// values.
pub fn mean_and_deviation(values: &[f32]) -> (f32, f32) {
    let n = values.len();
    let sum = pairwise_sum(values, &|v| v);
    let mean = (f64::from(sum) / n as f64) as f32;
    // numpy subtracts the mean as float32.
    let centre = sum / n as f32;
    let squares = pairwise_sum(values, &|v| (v - centre) * (v - centre));
    let variance = (f64::from(squares) / n as f64) as f32;
    (mean, variance.sqrt())
}

/// Shorter sums are not split between threads.
const PARALLEL: usize = 1 << 16;

/// Returns numpy's pairwise float32 sum of `f` of each value. The summation tree depends only on the length,
/// so that the result does not depend on the number of threads.
fn pairwise_sum<F: Fn(f32) -> f32 + Sync>(values: &[f32], f: &F) -> f32 {
    let n = values.len();
    if n < 8 {
        return values.iter().fold(-0.0, |sum, &v| sum + f(v));
    }
    if n <= 128 {
        let mut lanes = [0f32; 8];
        let blocks = values.chunks_exact(8);
        let rest = blocks.remainder();
        for (i, block) in blocks.enumerate() {
            for lane in 0..8 {
                // The first block initialises: an addition to +0 would lose a -0.
                lanes[lane] = if i == 0 {
                    f(block[lane])
                } else {
                    lanes[lane] + f(block[lane])
                };
            }
        }
        let [a, b, c, d, e, g, h, i] = lanes;
        let sum = ((a + b) + (c + d)) + ((e + g) + (h + i));
        return rest.iter().fold(sum, |sum, &v| sum + f(v));
    }
    let half = n / 2 - (n / 2) % 8;
    let (left, right) = values.split_at(half);
    if n > PARALLEL {
        let (l, r) = rayon::join(|| pairwise_sum(left, f), || pairwise_sum(right, f));
        l + r
    } else {
        pairwise_sum(left, f) + pairwise_sum(right, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn statistics_equal_numpy() {
        // numpy.percentile([1, 2, 4, 8], 10) and similar calls.
        let values = [8.0, 1.0, 4.0, 2.0];
        assert_eq!(percentile(&values, 0.0), 1.0);
        assert_eq!(percentile(&values, 10.0), 1.3);
        assert_eq!(percentile(&values, 50.0), 3.0);
        assert_eq!(percentile(&values, 100.0), 8.0);
        assert_eq!(median(&values), 3.0);
        assert_eq!(median(&values[..3]), 4.0);
        assert!(percentile(&[], 50.0).is_nan() && median(&[]).is_nan());
        // A naive float32 sum of 1.1 stops growing at 2^24. The pairwise sum stays accurate.
        let many = vec![1.1f32; 20_000_000];
        let (mean, deviation) = mean_and_deviation(&many);
        assert!(
            (mean - 1.1).abs() < 1e-6 && deviation < 1e-5,
            "{mean} {deviation}"
        );
    }

    proptest! {
        #[test]
        fn mean_and_deviation_are_close_to_float64(values in prop::collection::vec(-1000f32..1000.0, 1..2000)) {
            let n = values.len() as f64;
            let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
            let deviation = (values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n).sqrt();
            let (m, d) = mean_and_deviation(&values);
            prop_assert!((f64::from(m) - mean).abs() < 1e-3);
            prop_assert!((f64::from(d) - deviation).abs() < 1e-3);
        }

        #[test]
        fn percentile_splits_values_by_count(values in prop::collection::vec(-50i32..50, 1..200), percent in 0f64..=100.0) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let p = percentile(&values, percent);
            let below = values.iter().filter(|&&v| v < p - 1e-9).count() as f64;
            let above = values.iter().filter(|&&v| v > p + 1e-9).count() as f64;
            let last = values.len() as f64 - 1.0;
            prop_assert!(below <= (last * percent / 100.0).ceil() + 1e-9);
            prop_assert!(above <= (last * (1.0 - percent / 100.0)).ceil() + 1e-9);
        }
    }
}
