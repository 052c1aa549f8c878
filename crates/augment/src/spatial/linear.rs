//! Linear interpolation of voxel weights, and its neighbours, which segmentations also use.

use super::map::Row;
use crate::simd::kernel;

/// Neighbours of outputs `row.first .. row.end` in a window: index of the lower one, and offsets of the upper
/// ones (0 along an axis of one voxel).
#[derive(Clone, Debug, Default)]
pub(crate) struct Neighbours {
    pub base: Vec<u32>,
    pub step: [usize; 3],
}

impl Neighbours {
    /// Computes the neighbours in a window of `size` that begins at `start`.
    pub(crate) fn locate(&mut self, row: &Row, size: [usize; 3], start: [usize; 3]) {
        self.base.clear();
        self.base.resize(row.end - row.first, 0);
        for (axis, stride) in [size[1] * size[2], size[2], 1].into_iter().enumerate() {
            self.step[axis] = if size[axis] < 2 { 0 } else { stride };
            if size[axis] > 1 {
                let whole = &row.whole[axis][row.first..row.end];
                index(
                    whole,
                    start[axis] as i32,
                    size[axis] as i32 - 2,
                    stride as u32,
                    &mut self.base,
                );
            }
        }
    }

    /// Index of the neighbour nearest to output `i`; the higher one of two.
    #[inline(always)]
    pub(crate) fn nearest(&self, row: &Row, i: usize) -> usize {
        let upper = |axis: usize| {
            if row.fraction[axis][row.first + i] >= 0.5 {
                self.step[axis]
            } else {
                0
            }
        };
        self.base[i] as usize + upper(0) + upper(1) + upper(2)
    }

    /// Indices of the eight neighbours of output `i`, x fastest.
    #[inline(always)]
    pub(crate) fn corners(&self, i: usize) -> [usize; 8] {
        let base = self.base[i] as usize;
        std::array::from_fn(|k| {
            base + (k >> 2) * self.step[0] + (k >> 1 & 1) * self.step[1] + (k & 1) * self.step[2]
        })
    }

    /// Largest offset of a neighbour from the base.
    pub(crate) fn span(&self) -> usize {
        self.step.iter().sum()
    }
}

/// Weights of the eight neighbours of output `i`, counted from `row.first`.
#[inline(always)]
pub(crate) fn corner_weights(row: &Row, i: usize) -> [f64; 8] {
    let pair = |axis: usize| {
        // `1 - lower` instead of the fraction: where labels tie at one half, the last bit decides, as in scipy.
        let lower = 1.0 - row.fraction[axis][row.first + i];
        [lower, 1.0 - lower]
    };
    let (z, y, x) = (pair(0), pair(1), pair(2));
    std::array::from_fn(|k| z[k >> 2] * y[k >> 1 & 1] * x[k & 1])
}

kernel! {
    /// Adds `clamp(whole - start, 0, last) * stride` to each base. The clamp is only for memory safety.
    pub(crate) fn index(whole: &[i32], start: i32, last: i32, stride: u32, base: &mut [u32]) {
        for (b, w) in base.iter_mut().zip(whole) {
            *b += (*w - start).min(last).max(0) as u32 * stride;
        }
    }
}

/// Interpolates voxel weights. They stay within the range of their neighbours and are thus never negative.
pub(crate) fn interpolate(values: &[f32], neighbours: &Neighbours, row: &Row, out: &mut [f32]) {
    let [dz, dy, dx] = neighbours.step;
    let span = neighbours.span();
    for (i, out) in out.iter_mut().enumerate() {
        let base = neighbours.base[i] as usize;
        let v = &values[base..=base + span];
        let [tz, ty, tx] = std::array::from_fn(|axis| row.fraction[axis][row.first + i] as f32);
        let between = |a: f32, b: f32, t: f32| a + (b - a) * t;
        let along_x = |at: usize| between(v[at], v[at + dx], tx);
        let along_y = |at: usize| between(along_x(at), along_x(at + dy), ty);
        *out = between(along_y(0), along_y(dz), tz).max(0.0);
    }
}
