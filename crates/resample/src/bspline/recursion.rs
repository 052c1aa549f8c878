//! Coefficients of the two recursions.

use crate::Real;

/// Pole of the cubic B-spline's inverse filter, `sqrt(3) - 2`.
pub const POLE: f64 = -0.267_949_192_431_122_7;

/// Filter of samples extended by their edge value, `a a a | a b c d | d d d`: the limit of scipy's mode
/// `nearest`, which pads by 12 edge values.
pub(super) struct Recursion<T> {
    pub(super) pole: T,
    /// Factor of the samples that makes the filter's gain one: 6.
    pub(super) gain: T,
    /// Weight of the first sample in the first causal value.
    pub(super) head: T,
    /// Weights of the last sample and the last causal value in the last coefficient.
    pub(super) tail: [T; 2],
}

impl<T: Real> Recursion<T> {
    pub(super) fn new() -> Self {
        let gain = (1.0 - POLE) * (1.0 - 1.0 / POLE);
        // Both follow from the geometric series over the constant extension.
        let last_causal = -POLE / (1.0 - POLE * POLE);
        let constant = -POLE * gain / (1.0 - POLE);
        let last_sample = constant * (1.0 / (1.0 - POLE) - 1.0 / (1.0 - POLE * POLE));
        Self {
            pole: T::of(POLE),
            gain: T::of(gain),
            head: T::of(gain / (1.0 - POLE)),
            tail: [last_sample, last_causal].map(T::of),
        }
    }
}
