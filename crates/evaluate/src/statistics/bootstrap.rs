//! Confidence intervals of means.

use random::{Purpose, Rng};

use crate::mean::quantile;

/// How confidence intervals are computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// Number of samples; 0 computes no interval.
    pub samples: u32,
    /// Share of the interval, such as 0.95.
    pub confidence: f64,
    /// Seed of the samples.
    pub seed: u64,
}

/// Returns the percentile bootstrap interval of the mean of `values` (B. Efron, R. Tibshirani, "An Introduction to the
/// Bootstrap", 1993, chapter 13).
///
/// Every sample draws as many values as there are, with replacement. The draws depend on the seed and the number of
/// values only. `None` without samples or with fewer than two values.
pub fn confidence_interval(values: &[f64], bootstrap: Bootstrap) -> Option<[f64; 2]> {
    if bootstrap.samples == 0 || values.len() < 2 {
        return None;
    }
    let count = values.len() as u64;
    let means: Vec<f64> = (0..u64::from(bootstrap.samples))
        .map(|sample| {
            let mut rng = Rng::keyed(bootstrap.seed, Purpose::Bootstrap, 0, sample, 0);
            let sum: f64 = (0..count).map(|_| values[rng.below(count) as usize]).sum();
            sum / count as f64
        })
        .collect();
    let outside = (1.0 - bootstrap.confidence) / 2.0;
    Some([quantile(means.clone(), outside), quantile(means, 1.0 - outside)])
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOTSTRAP: Bootstrap = Bootstrap {
        samples: 10_000,
        confidence: 0.95,
        seed: 1,
    };

    #[test]
    fn interval_equals_that_of_scipy_within_the_error_of_the_samples() {
        // scipy 1.17.1: bootstrap((dice,), numpy.mean, n_resamples=1_000_000, method='percentile',
        // rng=numpy.random.default_rng(0)).confidence_interval
        let dice = [0.91, 0.88, 0.93, 0.79, 0.85, 0.62, 0.90, 0.71];
        let found = confidence_interval(&dice, BOOTSTRAP).unwrap_or_default();
        assert!(
            [0.74875, 0.88875]
                .iter()
                .zip(found)
                .all(|(e, f)| (e - f).abs() < 2e-3),
            "{found:?}"
        );
    }

    #[test]
    fn seed_decides_and_more_confidence_is_wider() {
        let values = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
        let of = |bootstrap| confidence_interval(&values, bootstrap);
        assert_eq!(of(BOOTSTRAP), of(BOOTSTRAP));
        assert_ne!(of(BOOTSTRAP), of(Bootstrap { seed: 2, ..BOOTSTRAP }));
        let [narrow, wide] = [0.5, 0.99].map(|confidence| {
            let [low, high] = of(Bootstrap {
                confidence,
                ..BOOTSTRAP
            })
            .unwrap_or_default();
            high - low
        });
        assert!(narrow < wide);
        assert_eq!(
            of(Bootstrap {
                samples: 0,
                ..BOOTSTRAP
            }),
            None
        );
        assert_eq!(confidence_interval(&[1.0], BOOTSTRAP), None);
        assert_eq!(confidence_interval(&[3.0; 5], BOOTSTRAP), Some([3.0, 3.0]));
    }
}
