//! The two recursions' coefficients.

use crate::Real;

/// The pole of the cubic B-spline's inverse filter, `sqrt(3) - 2`.
pub const POLE: f64 = -0.267_949_192_431_122_7;

/// How samples go on beyond the border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// The edge value for ever: `a a a | a b c d | d d d`. The limit of what scipy does for mode `nearest`, which pads by
    /// 12 edge values.
    Edge,
    /// Mirrored at the centre of the edge voxel: `d c b | a b c d | c b a`. scipy's `mirror`, also used for `constant`.
    Mirror,
}

/// Terms of the first causal value; `POLE^40` is below the resolution of `f64`.
const HORIZON: usize = 40;

/// What one axis of a given length needs.
pub(super) struct Recursion<T> {
    pub(super) pole: T,
    /// Scales the samples so that the filter's gain is one: 6.
    pub(super) gain: T,
    /// Weights of the first samples in the first causal value.
    pub(super) head: Vec<T>,
    /// Weights of the last sample, the last causal value and the one before it in the last coefficient.
    pub(super) tail: [T; 3],
}

impl<T: Real> Recursion<T> {
    /// For an axis of `n >= 2` samples.
    pub(super) fn new(n: usize, boundary: Boundary) -> Self {
        let gain = (1.0 - POLE) * (1.0 - 1.0 / POLE);
        let (head, tail) = match boundary {
            // Both follow from summing the geometric series over the constant continuation.
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
