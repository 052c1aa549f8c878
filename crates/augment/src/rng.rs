//! Counter-based random numbers, keyed by what they are for.
//!
//! Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011). Every
//! (seed, purpose, epoch, iteration, sample) has its own stream, so neither thread count nor timing nor a resume can
//! change what is drawn.

use crate::math::{log2, sin_cos_turns};
use crate::simd::kernel;

/// What a stream of random numbers is for. Streams of different purposes never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Which cases make a training batch.
    TrainingCase = 1,
    /// Where a training patch lies in its case.
    TrainingPatch = 2,
    /// The augmentation of a training sample.
    TrainingTransform = 3,
    /// Which cases make a validation batch.
    ValidationCase = 4,
    /// Where a validation patch lies in its case.
    ValidationPatch = 5,
}

/// Stream of random numbers of one key. Clones continue independently from the same place.
#[derive(Clone, Debug)]
pub struct Rng {
    key: [u32; 2],
    counter: [u32; 4],
    block: [u32; 4],
    used: usize,
}

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// The Philox4x32-10 bijection.
#[inline(always)]
pub(crate) fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let a = u64::from(MULTIPLIERS[0]) * u64::from(counter[0]);
        let b = u64::from(MULTIPLIERS[1]) * u64::from(counter[2]);
        counter = [
            (b >> 32) as u32 ^ counter[1] ^ key[0],
            b as u32,
            (a >> 32) as u32 ^ counter[3] ^ key[1],
            a as u32,
        ];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

/// SplitMix64's finaliser: spreads every input bit over the whole word.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

impl Rng {
    /// The stream of one sample. The low halves of `epoch`, `iteration` and `sample` are counter words, so streams of
    /// one seed and purpose never overlap; their high halves enter the key.
    pub fn keyed(seed: u64, purpose: Purpose, epoch: u64, iteration: u64, sample: u64) -> Self {
        let golden = 0x9E37_79B9_7F4A_7C15_u64;
        let mut key = mix(seed.wrapping_add(golden));
        for word in [purpose as u64, epoch >> 32, iteration >> 32, sample >> 32] {
            key = mix(key.wrapping_add(golden) ^ word);
        }
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
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in [low, high); `low` when both are equal.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True with probability `p`. Always consumes one draw, so that what follows does not depend on `p`.
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

    /// One element drawn uniformly; `None` from an empty slice.
    pub fn choice<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() {
            return None;
        }
        items.get(self.below(items.len() as u64) as usize)
    }

    /// Standard normal (Box and Muller 1958, the cosine half).
    pub fn normal(&mut self) -> f64 {
        // 1 - unit() lies in (0, 1]: its logarithm is finite.
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// A field of standard normal numbers, addressed by position: what stands where does not depend on who asks first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    key: [u32; 2],
    stream: u32,
}

/// Blocks of four numbers that [`Field::normal`] makes at once.
const LANES: usize = 8;

impl Field {
    /// Numbers in a block, the unit of addresses.
    pub(crate) const BLOCK: usize = 4 * LANES;

    /// Field `stream` of `key`; the key is drawn from a sample's stream.
    pub(crate) fn new(key: [u32; 2], stream: u32) -> Self {
        Self { key, stream }
    }

    /// Uniform numbers in [0, 1) from block `block` on, into `out`.
    pub(crate) fn uniform(self, block: u64, out: &mut [f32]) {
        for (i, out) in out.chunks_mut(4).enumerate() {
            let counter = block * LANES as u64 + i as u64;
            let words = philox([counter as u32, (counter >> 32) as u32, self.stream, 1], self.key);
            for (o, word) in out.iter_mut().zip(words) {
                *o = (word >> 8) as f32 * (1.0 / 16_777_216.0);
            }
        }
    }

    /// Standard normal numbers from block `block` on, into `out`.
    pub(crate) fn normal(self, block: u64, out: &mut [f32]) {
        normal_field(self.key, self.stream, block, out);
    }
}

kernel! {
    fn normal_field(key: [u32; 2], stream: u32, block: u64, out: &mut [f32]) {
        for (i, out) in out.chunks_mut(4 * LANES).enumerate() {
            let first = (block + i as u64) * LANES as u64;
            let mut bits = [[0_u32; LANES]; 4];
            for lane in 0..LANES {
                let counter = first + lane as u64;
                let words = philox([counter as u32, (counter >> 32) as u32, stream, 0], key);
                for word in 0..4 {
                    bits[word][lane] = words[word];
                }
            }
            let mut normals = [[0.0_f32; LANES]; 4];
            for pair in [0, 2] {
                for lane in 0..LANES {
                    // 24 bits each: the radius takes (0, 1], the angle [0, 1).
                    let radius = ((bits[pair][lane] >> 8) + 1) as i32 as f32 * (1.0 / 16_777_216.0);
                    let angle = (bits[pair + 1][lane] >> 8) as i32 as f32 * (1.0 / 16_777_216.0);
                    let radius = (-2.0 * std::f32::consts::LN_2 * log2(radius)).sqrt();
                    let (sin, cos) = sin_cos_turns(angle);
                    normals[pair][lane] = radius * cos;
                    normals[pair + 1][lane] = radius * sin;
                }
            }
            for (o, n) in out.iter_mut().zip(normals.as_flattened()) {
                *o = *n;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_standard_normal_and_addressed_by_position() {
        let field = Field::new([3, 4], 1);
        let mut whole = vec![0.0; 1 << 20];
        field.normal(0, &mut whole);
        let mut part = vec![0.0; 320];
        field.normal(7, &mut part);
        assert_eq!(part, whole[7 * 32..7 * 32 + 320]);
        let portable = crate::simd::portably(|| {
            let mut values = vec![0.0; 320];
            field.normal(7, &mut values);
            values
        });
        assert_eq!(part, portable);
        let n = whole.len() as f64;
        let moment = |k: i32| whole.iter().map(|&v| f64::from(v).powi(k)).sum::<f64>() / n;
        // Standard errors of the first four moments over 2^20 draws, times five.
        for (k, expected, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
            let tolerance = 5.0 * f64::sqrt(variance / n);
            assert!(
                (moment(k) - expected).abs() < tolerance,
                "moment {k}: {}",
                moment(k)
            );
        }
        let neighbours = whole.windows(2).map(|w| f64::from(w[0] * w[1])).sum::<f64>() / n;
        assert!(neighbours.abs() < 5.0 / n.sqrt());
        let mut other = vec![0.0; 320];
        Field::new([3, 4], 2).normal(7, &mut other);
        assert_ne!(part, other);
    }

    /// Known answers of the Random123 distribution (kat_vectors, philox4x32-10).
    #[test]
    fn philox_known_answers() {
        assert_eq!(
            philox([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn streams_differ_in_every_part_of_the_key() {
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
    fn uniform_normal_and_below_have_their_moments() {
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
