//! Element types of weightmaps.

use half::f16;
use ndarray::parallel::prelude::*;
use ndarray::{Array3, Zip};
use run::{Cancel, Cancelled};
use volume::Element;

/// Element type of a weightmap: `half::f16`, `f32` or `f64`.
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

    /// Converts squared distances to weights, in the same memory if the types are equal.
    #[doc(hidden)]
    fn finish(
        distance: Array3<f32>,
        index: &Array3<u8>,
        weight: impl Fn(f32, u8) -> f64 + Sync,
        cancel: &Cancel,
    ) -> Result<Array3<Self>, Cancelled> {
        let mut weights = Array3::from_elem(distance.dim(), Self::round(0.0));
        Zip::from(weights.rows_mut())
            .and(distance.rows())
            .and(index.rows())
            .into_par_iter()
            .try_for_each(|(weights, distance, index)| {
                cancel.check()?;
                Zip::from(weights)
                    .and(distance)
                    .and(index)
                    .for_each(|out, &d2, &index| *out = Self::round(weight(d2, index)));
                Ok(())
            })?;
        Ok(weights)
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
        cancel: &Cancel,
    ) -> Result<Array3<Self>, Cancelled> {
        Zip::from(distance.rows_mut())
            .and(index.rows())
            .into_par_iter()
            .try_for_each(|(distance, index)| {
                cancel.check()?;
                Zip::from(distance)
                    .and(index)
                    .for_each(|d2, &index| *d2 = weight(*d2, index) as f32);
                Ok(())
            })?;
        Ok(distance)
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
