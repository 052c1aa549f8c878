//! SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).

use crate::box_muller::{box_muller, unit};

/// The increment: 2^64 over the golden ratio.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The finaliser: every input bit affects the whole word.
fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// A key that depends on every bit of `seed` and `words`, and on their order.
pub(crate) fn key(seed: u64, words: &[u64]) -> u64 {
    words.iter().fold(mix(seed.wrapping_add(GOLDEN)), |key, &word| {
        mix(key.wrapping_add(GOLDEN) ^ word)
    })
}

/// Standard normal numbers by position, independent of the order of access.
#[derive(Clone, Copy, Debug)]
pub struct Normals {
    key: u64,
}

impl Normals {
    /// The numbers of a seed and a list of words, such as a parameter's index.
    pub fn keyed(seed: u64, words: &[u64]) -> Self {
        Self {
            key: key(seed, words),
        }
    }

    /// Number `i`.
    pub fn at(self, i: u64) -> f64 {
        let word = |k: u64| mix(self.key.wrapping_add(k.wrapping_mul(GOLDEN)));
        box_muller(unit(word(2 * i)), unit(word(2 * i + 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First outputs of the reference `splitmix64.c` (Vigna) for the state 1234567.
    #[test]
    fn split_mix_known_answers() {
        let word = |k: u64| mix(1_234_567_u64.wrapping_add(k.wrapping_mul(GOLDEN)));
        assert_eq!(
            [1, 2, 3, 4, 5].map(word),
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
    }

    /// The initial weights of a seed are the same in every version.
    #[test]
    fn normals_equal_the_pinned_values() {
        let bits = |seed, words: &[u64], i| Normals::keyed(seed, words).at(i).to_bits();
        assert_eq!(bits(7, &[0, 3], 0), 0x3ff7_04d2_a8a6_8570);
        assert_eq!(bits(12345, &[1, 20], 999), 0x3ff7_3d27_0352_f6e2);
    }

    #[test]
    fn normals_have_standard_moments_and_depend_on_every_word() {
        let n = 200_000;
        let moments = |normals: Normals| {
            let values: Vec<f64> = (0..n).map(|i| normals.at(i)).collect();
            let mean = values.iter().sum::<f64>() / n as f64;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
            (mean, variance)
        };
        let (mean, variance) = moments(Normals::keyed(7, &[0, 3]));
        assert!(
            mean.abs() < 0.012 && (variance - 1.0).abs() < 0.02,
            "{mean} {variance}"
        );
        let first = |seed, words: &[u64]| Normals::keyed(seed, words).at(0).to_bits();
        let mut seen = std::collections::BTreeSet::new();
        for (seed, words) in [(7, [0, 3]), (8, [0, 3]), (7, [1, 3]), (7, [0, 4]), (7, [3, 0])] {
            assert!(seen.insert(first(seed, &words)), "{seed} {words:?}");
        }
    }
}
