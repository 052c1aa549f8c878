//! Multiplicative brightness and contrast (batchgenerators' `augment_brightness_multiplicative`,
//! `augment_contrast`).

use random::Rng;
use serde::{Deserialize, Serialize};

use super::statistics::{affine, statistics};

/// Options of a transform with one factor per channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FactorOptions {
    /// Probability per sample.
    pub probability: f64,
    /// Range of the factor.
    pub range: [f64; 2],
}

/// Draws a factor below 1 with probability one half if `range` allows it, else between 1 and the end of the
/// range. Reduction and increase are thus equally likely for any range.
pub fn draw_about_one(rng: &mut Rng, range: [f64; 2]) -> f64 {
    if rng.chance(0.5) && range[0] < 1.0 {
        rng.uniform(range[0], 1.0)
    } else {
        rng.uniform(range[0].max(1.0), range[1])
    }
}

/// Multiplies a channel by `factor`.
pub fn apply_brightness(values: &mut [f32], factor: f64) {
    affine(values, factor as f32, 0.0, f32::NEG_INFINITY, f32::INFINITY);
}

/// Scales a channel about its mean by `factor` and clips it to its original range.
pub fn apply_contrast(values: &mut [f32], factor: f64) {
    let s = statistics(values);
    let offset = f64::from(s.mean) * (1.0 - factor);
    affine(values, factor as f32, offset as f32, s.min, s.max);
}
