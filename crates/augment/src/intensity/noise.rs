//! Additive Gaussian noise (batchgenerators' `augment_gaussian_noise`).

use random::Rng;
use serde::{Deserialize, Serialize};

use crate::field::Field;
use crate::spline::accumulate;

/// Probability and strength of the noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoiseOptions {
    /// Probability per sample.
    pub probability: f64,
    /// Range of the standard deviation, equal for all channels. (The reference names it variance but uses it
    /// as standard deviation.)
    pub sd: [f64; 2],
}

impl Default for NoiseOptions {
    fn default() -> Self {
        Self {
            probability: 0.1,
            sd: [0.0, 0.1],
        }
    }
}

/// Drawn parameters: standard deviation, and the key of the noise field.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoiseParams {
    /// Standard deviation.
    pub sd: f64,
    /// Key of the field of normal numbers.
    pub key: [u32; 2],
}

/// Draws the noise of one sample; `None` for a sample without noise.
pub fn draw(options: &NoiseOptions, rng: &mut Rng) -> Option<NoiseParams> {
    if !rng.chance(options.probability) {
        return None;
    }
    Some(NoiseParams {
        sd: rng.uniform(options.sd[0], options.sd[1]),
        key: [rng.next_u32(), rng.next_u32()],
    })
}

/// Adds noise to channel `channel` of a sample. Every channel has its own field.
pub fn apply(values: &mut [f32], channel: usize, params: &NoiseParams) {
    let field = Field::new(params.key, channel as u32);
    let mut buffer = [0.0; 32 * Field::BLOCK];
    for (chunk, values) in values.chunks_mut(buffer.len()).enumerate() {
        field.normal(32 * chunk as u64, &mut buffer);
        add(values, &buffer, params.sd);
    }
}

/// Adds `sd * normal` to each value.
pub fn add(values: &mut [f32], normal: &[f32], sd: f64) {
    accumulate(sd as f32, normal, values);
}
