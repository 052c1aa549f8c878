//! Filter along a strided axis: many columns at once, contiguous in memory.

use ndarray::ArrayViewMut2;

use super::recursion::Recursion;
use crate::simd::{dispatch, Kernel};
use crate::Real;

/// Number of columns filtered together. They fill whole cache lines, and a tile of 512 steps fits the L2
/// cache.
pub(super) const WIDTH: usize = 64;

/// Filters the columns of a `(step, column)` matrix with at most [`WIDTH`] contiguous columns.
pub(super) fn filter<T: Real>(matrix: ArrayViewMut2<'_, T>, recursion: &Recursion<T>) {
    dispatch(Filter { matrix, recursion });
}

struct Filter<'a, 'b, T> {
    matrix: ArrayViewMut2<'a, T>,
    recursion: &'b Recursion<T>,
}

impl<T: Real> Kernel for Filter<'_, '_, T> {
    #[inline(always)]
    fn run(self) {
        let Self {
            mut matrix,
            recursion:
                &Recursion {
                    pole,
                    gain,
                    ref head,
                    tail,
                },
        } = self;
        let (steps, width) = matrix.dim();
        // The causal values stay in a contiguous tile. With a power-of-two stride, the matrix itself would
        // leave the cache before the anticausal pass.
        let mut tile = vec![T::default(); steps * width];
        for (row, &weight) in matrix.rows().into_iter().zip(head) {
            for (t, &s) in tile.iter_mut().zip(row.to_slice().unwrap_or_default()) {
                *t = *t + weight * s;
            }
        }
        for (k, row) in matrix.rows().into_iter().enumerate().skip(1) {
            let (before, now) = tile.split_at_mut(k * width);
            let samples = row.to_slice().unwrap_or_default();
            for ((t, &p), &s) in now.iter_mut().zip(&before[(k - 1) * width..]).zip(samples) {
                *t = gain * s + pole * p;
            }
            if k == steps - 1 {
                for ((t, &p), &s) in now.iter_mut().zip(&before[(k - 1) * width..]).zip(samples) {
                    *t = tail[0] * s + tail[1] * *t + tail[2] * p;
                }
            }
        }
        for (k, mut row) in matrix.rows_mut().into_iter().enumerate().rev() {
            let (now, after) = tile.split_at_mut((k + 1) * width);
            let now = &mut now[k * width..];
            for (t, &n) in now.iter_mut().zip(after.iter()) {
                *t = pole * (n - *t);
            }
            row.as_slice_mut().unwrap_or_default().copy_from_slice(now);
        }
    }
}
