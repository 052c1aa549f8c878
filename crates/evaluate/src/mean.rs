//! Means with numpy's rounding.

/// Returns `numpy.nanmean`: NaN if all values are NaN.
///
/// The result is bit-identical to numpy's, which sums in its own order, because decisions depend on whether a
/// mean Dice increased.
pub fn nanmean(values: &[f64]) -> f64 {
    let filled: Vec<f64> = values.iter().map(|v| if v.is_nan() { 0.0 } else { *v }).collect();
    let count = values.iter().filter(|v| !v.is_nan()).count();
    pairwise_sum(&filled) / count as f64
}

/// Pairwise summation of numpy's `add.reduce` over contiguous float64.
pub(crate) fn pairwise_sum(values: &[f64]) -> f64 {
    const BLOCK: usize = 128;
    if values.len() < 8 {
        return values.iter().sum();
    }
    if values.len() > BLOCK {
        let half = values.len() / 2;
        let (one, two) = values.split_at(half - half % 8);
        return pairwise_sum(one) + pairwise_sum(two);
    }
    let mut lanes = [0.0; 8];
    let chunks = values.chunks_exact(8);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    rest.iter()
        .fold(((a + b) + (c + d)) + ((e + f) + (g + h)), |sum, value| {
            sum + value
        })
}

/// Returns `numpy.quantile(values, share)` with linear interpolation; NaN without a value.
#[must_use]
pub fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let position = share * (values.len().saturating_sub(1)) as f64;
    let (below, part) = (position.floor() as usize, position.fract());
    let (Some(a), b) = (values.get(below), values.get(below + 1)) else {
        return f64::NAN;
    };
    let b = b.unwrap_or(a);
    // numpy interpolates from the nearer end.
    if part < 0.5 {
        a + (b - a) * part
    } else {
        b - (b - a) * (1.0 - part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanmean_equals_numpy() {
        // numpy 2.4.6: v = 1 / (numpy.arange(n) + 3.0); v[::5] = nan for n > 5; float.hex(numpy.nanmean(v))
        let mean = |n: usize| {
            let value = |i: usize| {
                if n > 5 && i.is_multiple_of(5) {
                    f64::NAN
                } else {
                    1.0 / (i as f64 + 3.0)
                }
            };
            nanmean(&(0..n).map(value).collect::<Vec<_>>())
        };
        for (n, bits) in GOLDEN {
            assert_eq!(mean(n).to_bits(), bits, "{n}");
        }
        assert!(nanmean(&[]).is_nan() && nanmean(&[f64::NAN]).is_nan());
    }

    const GOLDEN: [(usize, u64); 6] = [
        (3, 0x3fd0b60b60b60b60),
        (9, 0x3fc3693d3a0f7912),
        (77, 0x3fa5bb2acf5ad70f),
        (128, 0x3f9dff73d46971b5),
        (300, 0x3f8f3fb1a72a0cdd),
        (1001, 0x3f77a6f9f3e44d8d),
    ];
}
