//! Gamma correction (batchgenerators' `augment_gamma`, `per_channel=True`).

use serde::{Deserialize, Serialize};

use super::statistics::{affine, statistics};
use crate::math::power;
use crate::simd::kernel;

/// Avoids a division by 0 on a constant image.
const RANGE_EPSILON: f32 = 1e-7;
/// Avoids a division by 0 when the standard deviation of a constant image is restored.
const SD_EPSILON: f32 = 1e-8;

/// Variant of gamma correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GammaForm {
    /// Whether the image is negated before and after.
    pub invert: bool,
    /// Whether mean and standard deviation are restored afterwards.
    pub retain_stats: bool,
}

/// Normalises a channel to [0, 1] by its range, raises it to the power `gamma`, and scales it back.
pub fn apply(values: &mut [f32], gamma: f64, form: GammaForm) {
    let before = statistics(values);
    let range = before.max - before.min + RANGE_EPSILON;
    // The minimum of the negated image is the negated maximum; the range is the same.
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
    // Mean and standard deviation after scaling follow from those of the power, so one pass is enough.
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
