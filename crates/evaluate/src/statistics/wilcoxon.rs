//! Wilcoxon's signed-rank test.

/// Result of Wilcoxon's signed-rank test of paired differences.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignedRank {
    /// Number of differences that are not zero.
    pub differences: usize,
    /// The smaller sum of ranks, of the positive or of the negative differences.
    pub statistic: f64,
    /// Two-sided p-value.
    pub p: f64,
    /// Whether the p-value is exact. Otherwise it is that of the normal approximation.
    pub exact: bool,
    /// Rank-biserial correlation: (positive - negative) / (positive + negative) of the rank sums. From -1 to 1; NaN
    /// without a difference.
    pub rank_biserial: f64,
}

/// Numbers of differences up to this one have an exact p-value.
const EXACT: usize = 50;

/// Tests whether paired differences are symmetric about zero (F. Wilcoxon, 1945).
///
/// Zeros are left out; equal absolute differences share their mean rank. Up to 50 differences, the p-value is exact: the
/// share of all assignments of signs to these ranks that are as extreme, twice the smaller tail. For more, the normal
/// approximation with correction for ties and without continuity correction is used. Without ties and zeros the result
/// equals `scipy.stats.wilcoxon(differences)`; with them, scipy approximates from 14 differences on. The effect size is
/// the matched-pairs rank-biserial correlation (D. Kerby, "The simple difference formula", 2014). Without a difference
/// the p-value is 1.
pub fn signed_rank(differences: &[f64]) -> SignedRank {
    let mut values: Vec<f64> = differences
        .iter()
        .copied()
        .filter(|d| *d != 0.0 && !d.is_nan())
        .collect();
    values.sort_unstable_by(|one, two| one.abs().total_cmp(&two.abs()));
    let count = values.len();
    // Twice the ranks, which are whole.
    let mut ranks = Vec::with_capacity(count);
    let mut ties = 0.0;
    for tied in values.chunk_by(|one, two| one.abs() == two.abs()) {
        let before = ranks.len();
        ranks.extend(std::iter::repeat_n(2 * before + 1 + tied.len(), tied.len()));
        let size = tied.len() as f64;
        ties += size.powi(3) - size;
    }
    let all: usize = ranks.iter().sum();
    let signed = values.iter().zip(&ranks);
    let positive: usize = signed.filter(|(d, _)| **d > 0.0).map(|(_, rank)| rank).sum();
    let smaller = positive.min(all - positive);
    let exact = count <= EXACT;
    let p = if exact {
        (2.0 * tail(&ranks, smaller)).min(1.0)
    } else {
        let n = count as f64;
        let variance = (n * (n + 1.0) * (2.0 * n + 1.0) - ties / 2.0) / 24.0;
        let z = (smaller as f64 / 2.0 - n * (n + 1.0) / 4.0) / variance.sqrt();
        two_sided(z.abs())
    };
    SignedRank {
        differences: count,
        statistic: smaller as f64 / 2.0,
        p,
        exact,
        rank_biserial: (2.0 * positive as f64 - all as f64) / all as f64,
    }
}

/// The share of all subsets of `ranks` with a sum of at most `limit`.
fn tail(ranks: &[usize], limit: usize) -> f64 {
    // Number of subsets by sum; below 2⁵³, so exact.
    let mut subsets = vec![0.0; limit + 1];
    subsets[0] = 1.0;
    for rank in ranks {
        for sum in (*rank..=limit).rev() {
            subsets[sum] += subsets[sum - rank];
        }
    }
    subsets.iter().sum::<f64>() / 2f64.powi(ranks.len() as i32)
}

/// The probability that a standard normal number is at least `z` away from 0.
fn two_sided(z: f64) -> f64 {
    let density = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    if z < 3.0 {
        // Φ(z) - 1/2 = φ(z) (z + z³/3 + z⁵/(3·5) + …)
        let mut term = z;
        let mut sum = z;
        for k in 1..100 {
            term *= z * z / f64::from(2 * k + 1);
            sum += term;
        }
        return 1.0 - 2.0 * density * sum;
    }
    // Laplace's continued fraction: 1 - Φ(z) = φ(z) / (z + 1/(z + 2/(z + …)))
    let fraction = (1..200).rev().fold(z, |fraction, k| z + f64::from(k) / fraction);
    2.0 * density / fraction
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn alternating(count: i32) -> Vec<f64> {
        (0..count)
            .map(|k| f64::from(if k % 3 == 0 { -k - 1 } else { k + 1 }))
            .collect()
    }

    #[test]
    fn results_are_those_of_scipy() {
        let tied = || (0..60).map(|k| f64::from((k * 7) % 11 - 4)).collect();
        let many = (0..60).map(|k| f64::from((k * 37) % 61 - 22) / 10.0).collect();
        // scipy 1.17.1: scipy.stats.wilcoxon(d); the third by a permutation test of all signs.
        let recorded: [(Vec<f64>, f64, f64); 7] = [
            (
                vec![0.05, -0.02, 0.11, 0.08, -0.01, 0.07, 0.03, 0.125],
                3.0,
                0.0390625,
            ),
            (vec![-1.0, -2.0, -3.0, -4.0, -5.0], 0.0, 0.0625),
            (
                vec![1.0, 1.0, 2.0, -1.0, 3.0, 0.0, -2.0, 4.0, 2.0, 1.0],
                8.5,
                0.12109375,
            ),
            (alternating(25), 117.0, 0.23036134243011475),
            (alternating(50), 425.0, 0.03996834652842374),
            (many, 474.5, 0.0019438757088864145),
            (tied(), 495.0, 0.020689043721346168),
        ];
        for (differences, statistic, p) in recorded {
            let found = signed_rank(&differences);
            assert_eq!(found.statistic, statistic);
            assert!(
                (found.p - p).abs() < 1e-12 * p.max(1e-2),
                "{found:?}, expected {p}"
            );
        }
        // scipy 1.17.1: 2 * scipy.stats.norm.sf(z)
        for (z, p) in [
            (0.5, 0.6170750774519738),
            (1.96, 0.04999579029644087),
            (3.0, 0.0026997960632601866),
            (6.0, 1.973175290075389e-9),
        ] {
            assert!(
                (two_sided(z) - p).abs() < 1e-13 * p.max(1e-3),
                "{z}: {}",
                two_sided(z)
            );
        }
    }

    #[test]
    fn without_differences_nothing_is_significant() {
        let found = signed_rank(&[0.0, 0.0]);
        assert_eq!((found.differences, found.statistic, found.p), (0, 0.0, 1.0));
        assert!(found.rank_biserial.is_nan());
        assert_eq!(signed_rank(&[1.0, 2.0]).rank_biserial, 1.0);
        assert_eq!(signed_rank(&[-1.0, -2.0]).rank_biserial, -1.0);
    }

    proptest! {
        /// The oracle enumerates every assignment of signs.
        #[test]
        fn exact_p_is_the_share_of_signs_as_extreme(values in prop::collection::vec(-4i32..=4, 1..11)) {
            let differences: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
            let found = signed_rank(&differences);
            let sizes: Vec<f64> = differences.iter().map(|d| d.abs()).filter(|d| *d > 0.0).collect();
            let rank = |size: f64| {
                let below = sizes.iter().filter(|other| **other < size).count() as f64;
                let equal = sizes.iter().filter(|other| **other == size).count() as f64;
                below + (equal + 1.0) / 2.0
            };
            let all = 1_u32 << sizes.len();
            let extreme = (0..all).filter(|signs| {
                let sum: f64 = (0..sizes.len()).filter(|i| signs >> i & 1 == 1).map(|i| rank(sizes[i])).sum();
                sum <= found.statistic
            });
            let p = (2.0 * extreme.count() as f64 / f64::from(all)).min(1.0);
            prop_assert!((found.p - p).abs() < 1e-12);
        }
    }
}
