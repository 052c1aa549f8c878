//! Filter along the contiguous axis: sixteen rows at once, transposed.

use super::recursion::Recursion;
use crate::simd::{dispatch, Kernel};
use crate::Real;

/// Number of rows filtered together.
pub(super) const LANES: usize = 16;

/// Filters at most [`LANES`] consecutive rows.
pub(super) fn filter<T: Real>(rows: &mut [T], recursion: &Recursion<T>, n: usize) {
    dispatch(Filter { rows, recursion, n });
}

struct Filter<'a, T> {
    rows: &'a mut [T],
    recursion: &'a Recursion<T>,
    n: usize,
}

impl<T: Real> Kernel for Filter<'_, T> {
    #[inline(always)]
    fn run(self) {
        let Self {
            rows,
            recursion:
                &Recursion {
                    pole,
                    gain,
                    ref head,
                    tail,
                },
            n,
        } = self;
        let mut tile = vec![[T::default(); LANES]; n];
        // One cache line of each row at a time.
        for start in (0..n).step_by(LANES) {
            let part = start..(start + LANES).min(n);
            for (lane, row) in rows.chunks_exact(n).enumerate() {
                for (t, &s) in tile[part.clone()].iter_mut().zip(&row[part.clone()]) {
                    t[lane] = s;
                }
            }
        }
        let mut value = [T::default(); LANES];
        for (samples, &weight) in tile.iter().zip(head) {
            for lane in 0..LANES {
                value[lane] = value[lane] + weight * samples[lane];
            }
        }
        tile[0] = value;
        let mut before = value;
        let last = tile[n - 1];
        for t in &mut tile[1..] {
            before = value;
            for lane in 0..LANES {
                value[lane] = gain * t[lane] + pole * value[lane];
            }
            *t = value;
        }
        for lane in 0..LANES {
            value[lane] = tail[0] * last[lane] + tail[1] * value[lane] + tail[2] * before[lane];
        }
        tile[n - 1] = value;
        for t in tile[..n - 1].iter_mut().rev() {
            for lane in 0..LANES {
                value[lane] = pole * (value[lane] - t[lane]);
            }
            *t = value;
        }
        for start in (0..n).step_by(LANES) {
            let part = start..(start + LANES).min(n);
            for (lane, row) in rows.chunks_exact_mut(n).enumerate() {
                for (t, s) in tile[part.clone()].iter().zip(&mut row[part.clone()]) {
                    *s = t[lane];
                }
            }
        }
    }
}
