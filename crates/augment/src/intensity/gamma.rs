//! Gamma correction (batchgenerators' `augment_gamma`, `per_channel=True`).

use serde::{Deserialize, Serialize};

use super::statistics::{affine, statistics};
use crate::math::power;
use crate::simd::kernel;

/// Keeps the power's base defined on a constant image.
const RANGE_EPSILON: f32 = 1e-7;
/// Keeps the restored spread defined on a constant image.
const SD_EPSILON: f32 = 1e-8;

/// Which form of gamma correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GammaForm {
    /// Whether the image is negated before and after.
    pub invert: bool,
    /// Whether mean and standard deviation are restored afterwards.
    pub retain_stats: bool,
}

/// Raises a channel, brought to [0, 1] by its own range, to the power `gamma`.
pub fn apply(values: &mut [f32], gamma: f64, form: GammaForm) {
    let before = statistics(values);
    let range = before.max - before.min + RANGE_EPSILON;
    // On the negated image the minimum is the maximum negated; the range is the same.
    let (sign, pivot) = if form.invert {
        (-1.0, before.max)
    } else {
        (1.0, before.min)
    };
    raise(values, pivot, sign / range, gamma as f32);
    if !form.retain_stats {
        affine(values, sign * range, pivot, f32::NEG_INFINITY, f32::INFINITY);
        return;
    }
    // Mean and spread after the power follow from those of the raised base; one pass does all the rest.
    let raised = statistics(values);
    let factor = range / (raised.sd * range + SD_EPSILON) * before.sd * sign;
    affine(
        values,
        factor,
        before.mean - factor * raised.mean,
        f32::NEG_INFINITY,
        f32::INFINITY,
    );
}

kernel! {
    fn raise(values: &mut [f32], pivot: f32, factor: f32, gamma: f32) {
        for v in values {
            let base = (*v - pivot) * factor;
            let base = if base > 0.0 { base } else { 0.0 };
            *v = power(base, gamma);
        }
    }
}
