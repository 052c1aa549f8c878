//! Starting weights, drawn by key: the same on every machine and number of threads.

use rayon::prelude::*;

use super::layout::{Parameter, Role};

/// Negative slope that nnU-Net v1 gives `InitWeights_He`.
const SLOPE: f64 = 1e-2;

/// Standard deviation of He's initialisation (He et al. 2015) as `kaiming_normal_(a=1e-2)` computes it: the fan-in is
/// `shape[1] * kernel`, which for a transposed convolution counts the output channels.
pub(super) fn deviation(shape: &[i64]) -> f64 {
    let fan_in: i64 = shape[1..].iter().product();
    (2.0 / (1.0 + SLOPE * SLOPE) / fan_in as f64).sqrt()
}

/// SplitMix64's finaliser (Steele, Lea, Flood 2014): spreads every bit of a counter over the whole word.
fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Standard normal number `i` of a stream (Box and Muller 1958).
fn normal(key: u64, i: u64) -> f64 {
    let unit = |k: u64| (mix(key.wrapping_add(k.wrapping_mul(GOLDEN))) >> 11) as f64 / (1u64 << 53) as f64;
    // 1 - unit lies in (0, 1]: its logarithm is finite.
    (-2.0 * (1.0 - unit(2 * i)).ln()).sqrt() * (std::f64::consts::TAU * unit(2 * i + 1)).cos()
}

/// Starting values of the parameter at `index`; `attempt` counts how often the network was started anew.
pub(super) fn values(parameter: &Parameter, index: usize, seed: u64, attempt: u64) -> Vec<f32> {
    let length = parameter.shape.iter().product::<i64>() as usize;
    match parameter.role {
        Role::NormWeight => vec![1.0; length],
        Role::Bias => vec![0.0; length],
        Role::Convolution => {
            let deviation = deviation(&parameter.shape);
            let key = [attempt, index as u64]
                .iter()
                .fold(mix(seed.wrapping_add(GOLDEN)), |key, &word| {
                    mix(key.wrapping_add(GOLDEN) ^ word)
                });
            (0..length as u64)
                .into_par_iter()
                .map(|i| (normal(key, i) * deviation) as f32)
                .collect()
        }
    }
}
