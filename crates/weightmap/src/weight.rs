//! Element types of maps.

use half::f16;
use ndarray::{Array3, Zip};
use volume::Element;

/// An element type of maps: `half::f16`, `f32` or `f64`.
pub trait Weight: Element {
    /// Bits of the significand.
    #[doc(hidden)]
    const BITS: i32;
    /// The largest finite weight.
    #[doc(hidden)]
    const LARGEST: f64;

    /// Rounds a weight.
    #[doc(hidden)]
    fn round(weight: f64) -> Self;

    /// Turns squared distances into weights, in their own memory where the types agree.
    #[doc(hidden)]
    fn finish(
        distance: Array3<f32>,
        index: &Array3<u8>,
        weight: impl Fn(f32, u8) -> f64 + Sync,
    ) -> Array3<Self> {
        Zip::from(&distance)
            .and(index)
            .par_map_collect(|&d2, &index| Self::round(weight(d2, index)))
    }
}

impl Weight for f16 {
    const BITS: i32 = 11;
    const LARGEST: f64 = 65504.0;

    fn round(weight: f64) -> Self {
        Self::from_f64(weight)
    }
}

impl Weight for f32 {
    const BITS: i32 = 24;
    const LARGEST: f64 = f32::MAX as f64;

    #[inline(always)]
    fn round(weight: f64) -> Self {
        weight as Self
    }

    fn finish(
        mut distance: Array3<f32>,
        index: &Array3<u8>,
        weight: impl Fn(f32, u8) -> f64 + Sync,
    ) -> Array3<Self> {
        Zip::from(&mut distance)
            .and(index)
            .par_for_each(|d2, &index| *d2 = weight(*d2, index) as f32);
        distance
    }
}

impl Weight for f64 {
    const BITS: i32 = 53;
    const LARGEST: f64 = f64::MAX;

    #[inline(always)]
    fn round(weight: f64) -> Self {
        weight
    }
}
