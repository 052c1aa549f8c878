//! Coefficients of the two recursions.

use crate::Real;

/// Pole of the cubic B-spline's inverse filter, `sqrt(3) - 2`.
pub const POLE: f64 = -0.267_949_192_431_122_7;

/// Extension of the samples past the border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// Edge value: `a a a | a b c d | d d d`. The limit of scipy's mode `nearest`, which pads by 12 edge
    /// values.
    Edge,
    /// Mirrored at the centre of the edge voxel: `d c b | a b c d | c b a`. scipy's `mirror`, also used for
    /// `constant`.
    Mirror,
}

/// Number of terms of the first causal value. `POLE^40` is below the resolution of `f64`.
const HORIZON: usize = 40;

/// Filter of an axis of a given length.
pub(super) struct Recursion<T> {
    pub(super) pole: T,
    /// Factor of the samples that makes the filter's gain one: 6.
    pub(super) gain: T,
    /// Weights of the first samples in the first causal value.
    pub(super) head: Vec<T>,
    /// Weights of the last sample, the last causal value and the second last causal value in the last
    /// coefficient.
    pub(super) tail: [T; 3],
}

impl<T: Real> Recursion<T> {
    /// Returns the filter of an axis of `n >= 2` samples.
    pub(super) fn new(n: usize, boundary: Boundary) -> Self {
        let gain = (1.0 - POLE) * (1.0 - 1.0 / POLE);
        let (head, tail) = match boundary {
            // Both follow from the geometric series over the constant extension.
            Boundary::Edge => {
                let last_causal = -POLE / (1.0 - POLE * POLE);
                let constant = -POLE * gain / (1.0 - POLE);
                let last_sample = constant * (1.0 / (1.0 - POLE) - 1.0 / (1.0 - POLE * POLE));
                (vec![gain / (1.0 - POLE)], [last_sample, last_causal, 0.0])
            }
            Boundary::Mirror => {
                let power = |k: usize| POLE.powi(k.min(10_000) as i32);
                let period = 2 * n - 2;
                let weight = |k: usize| match k {
                    0 => 1.0,
                    _ if k == n - 1 => power(k),
                    _ => power(k) + power(period - k),
                };
                let scale = gain / (1.0 - power(period));
                let last = POLE / (POLE * POLE - 1.0);
                (
                    (0..n.min(HORIZON)).map(|k| scale * weight(k)).collect(),
                    [0.0, last, last * POLE],
                )
            }
        };
        Self {
            pole: T::of(POLE),
            gain: T::of(gain),
            head: head.into_iter().map(T::of).collect(),
            tail: tail.map(T::of),
        }
    }
}
