//! Counter-based random numbers, keyed by purpose.
//!
//! Every (seed, purpose, epoch, iteration, sample) has its own Philox stream. Draws therefore do not depend
//! on thread count, timing or a resume.

use crate::box_muller::{box_muller, unit};
use crate::philox::philox;
use crate::split_mix;

/// Purpose of a random stream. Streams of different purposes never overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Cases of a training batch.
    TrainingCase = 1,
    /// Position of a training patch in its case.
    TrainingPatch = 2,
    /// Augmentation of a training sample.
    TrainingTransform = 3,
    /// Cases of a validation batch.
    ValidationCase = 4,
    /// Position of a validation patch in its case.
    ValidationPatch = 5,
    /// Voxels of a simulated sparse annotation.
    SparseAnnotation = 6,
    /// Cases of a bootstrap sample.
    Bootstrap = 7,
}

/// Random stream of one key. Clones continue independently from the same position.
#[derive(Clone, Debug)]
pub struct Rng {
    key: [u32; 2],
    counter: [u32; 4],
    block: [u32; 4],
    used: usize,
}

impl Rng {
    /// The stream of one sample. The low halves of `epoch`, `iteration` and `sample` are counter words, so
    /// streams of one seed and purpose never overlap. Their high halves enter the key.
    pub fn keyed(seed: u64, purpose: Purpose, epoch: u64, iteration: u64, sample: u64) -> Self {
        let words = [purpose as u64, epoch >> 32, iteration >> 32, sample >> 32];
        let key = split_mix::key(seed, &words);
        Self {
            key: [key as u32, (key >> 32) as u32],
            counter: [0, sample as u32, iteration as u32, epoch as u32],
            block: [0; 4],
            used: 4,
        }
    }

    /// Next 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.used == 4 {
            self.block = philox(self.counter, self.key);
            self.counter[0] = self.counter[0].wrapping_add(1);
            self.used = 0;
        }
        let value = self.block[self.used];
        self.used += 1;
        value
    }

    /// Next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let low = u64::from(self.next_u32());
        low | (u64::from(self.next_u32()) << 32)
    }

    /// Uniform in [0, 1) with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        unit(self.next_u64())
    }

    /// Uniform in [low, high); `low` when both are equal.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True with probability `p`. Always consumes one draw, so later draws do not depend on `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Uniform in 0..n without bias (Lemire 2019); 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        let threshold = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }

    /// One element drawn uniformly; `None` for an empty slice.
    pub fn choice<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() {
            return None;
        }
        items.get(self.below(items.len() as u64) as usize)
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        box_muller(self.unit(), self.unit())
    }
}

/// A source of uniform integers: the interface of [`Rng`] for sampling. Tests script it.
pub trait Draw {
    /// A uniform number in `0..n`; `n` is at least 1.
    fn below(&mut self, n: u64) -> u64;
}

impl Draw for Rng {
    fn below(&mut self, n: u64) -> u64 {
        Rng::below(self, n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of a seed are the same in every version, because checkpoints continue with them.
    #[test]
    fn a_stream_equals_the_pinned_values() {
        let mut rng = Rng::keyed(12345, Purpose::TrainingTransform, 3, 1 << 40, 1);
        assert_eq!(rng.next_u64(), 0xabb9_4835_5b0d_78af);
        assert_eq!(rng.normal().to_bits(), 0xbfee_7cdb_d5ae_a845);
        assert_eq!(rng.unit().to_bits(), 0x3fe9_09cc_78b8_8512);
    }

    #[test]
    fn streams_depend_on_every_part_of_the_key() {
        let first = |mut rng: Rng| rng.next_u64();
        let mut seen = std::collections::BTreeSet::new();
        let wide = 1u64 << 32;
        for seed in [0, 1, wide] {
            for purpose in [
                Purpose::TrainingCase,
                Purpose::TrainingPatch,
                Purpose::TrainingTransform,
            ] {
                for epoch in [0, 1, wide] {
                    for iteration in [0, 1, wide] {
                        for sample in [0, 1, wide] {
                            seen.insert(first(Rng::keyed(seed, purpose, epoch, iteration, sample)));
                        }
                    }
                }
            }
        }
        assert_eq!(seen.len(), 3usize.pow(5));
    }

    #[test]
    fn uniform_normal_and_below_have_the_expected_moments() {
        let mut rng = Rng::keyed(7, Purpose::TrainingPatch, 0, 0, 0);
        let n = 200_000;
        let moments = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / n as f64;
            (
                mean,
                values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64,
            )
        };
        let (mean, variance) = moments(&(0..n).map(|_| rng.uniform(-1.0, 3.0)).collect::<Vec<_>>());
        assert!(
            (mean - 1.0).abs() < 0.015 && (variance - 16.0 / 12.0).abs() < 0.02,
            "{mean} {variance}"
        );
        let (mean, variance) = moments(&(0..n).map(|_| rng.normal()).collect::<Vec<_>>());
        assert!(
            mean.abs() < 0.012 && (variance - 1.0).abs() < 0.02,
            "{mean} {variance}"
        );
        let mut counts = [0u32; 7];
        for _ in 0..n {
            counts[rng.below(7) as usize] += 1;
        }
        let expected = n as f64 / 7.0;
        let chi2: f64 = counts
            .iter()
            .map(|&c| (f64::from(c) - expected).powi(2) / expected)
            .sum();
        assert!(chi2 < 25.0, "{counts:?}");
    }

    #[test]
    fn degenerate_ranges() {
        let mut rng = Rng::keyed(7, Purpose::ValidationPatch, 0, 0, 0);
        assert_eq!(rng.uniform(0.25, 0.25), 0.25);
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.below(1), 0);
        assert_eq!(rng.choice::<u8>(&[]), None);
        assert!(!rng.chance(0.0) && rng.chance(1.0));
    }
}
