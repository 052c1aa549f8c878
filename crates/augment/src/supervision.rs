//! Targets at the scales of deep supervision, with mirroring (`downsample_seg_for_ds_transform2`).

use crate::grid::{nearest_sources, resized, source_position};

/// Position of each output of one axis between two inputs.
type Pairs = Vec<(u32, u32, f32)>;

/// Sampling of one scale from the patch.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    /// Size (z, y, x).
    pub size: [usize; 3],
    /// Nearest input per axis; the higher one of two.
    nearest: [Vec<u32>; 3],
    /// The two neighbouring inputs and the weight of the second, per axis.
    linear: [Pairs; 3],
}

impl Scale {
    /// The scale of a patch of `patch` at `factors` per axis. Sizes are rounded half to even.
    pub(crate) fn new(patch: [usize; 3], factors: [f64; 3]) -> Self {
        let size: [usize; 3] = std::array::from_fn(|a| resized(patch[a], factors[a]));
        let nearest = std::array::from_fn(|a| {
            let mut sources = Vec::new();
            nearest_sources(patch[a], size[a], &mut sources);
            sources
        });
        let linear = std::array::from_fn(|a| {
            (0..size[a])
                .map(|i| {
                    let last = (patch[a] - 1) as f64;
                    let position = source_position(i, patch[a], size[a]).clamp(0.0, last);
                    let low = position.floor();
                    (low as u32, (low + 1.0).min(last) as u32, (position - low) as f32)
                })
                .collect()
        });
        Self {
            size,
            nearest,
            linear,
        }
    }

    /// The input of each output, per axis.
    pub(crate) fn sources(&self) -> &[Vec<u32>; 3] {
        &self.nearest
    }

    /// Labels of `seg` (z, y, x) of `patch`, mirrored along the axes of `flip`, with `map` applied to each.
    pub(crate) fn labels(
        &self,
        seg: &[i16],
        patch: [usize; 3],
        flip: [bool; 3],
        map: impl Fn(i16) -> f32,
        out: &mut [f32],
    ) {
        let at = |axis: usize, i: usize| mirrored(self.nearest[axis][i], patch[axis], flip[axis]);
        for (line, out) in out.chunks_exact_mut(self.size[2]).enumerate() {
            let (z, y) = (line / self.size[1], line % self.size[1]);
            let row = &seg[(at(0, z) * patch[1] + at(1, y)) * patch[2]..][..patch[2]];
            if self.size[2] != patch[2] {
                for (x, o) in out.iter_mut().enumerate() {
                    *o = map(row[at(2, x)]);
                }
            } else if flip[2] {
                for (o, &label) in out.iter_mut().zip(row.iter().rev()) {
                    *o = map(label);
                }
            } else {
                for (o, &label) in out.iter_mut().zip(row) {
                    *o = map(label);
                }
            }
        }
    }

    /// Voxel weights, like [`Scale::labels`] but with linear interpolation. Non-negative input stays
    /// non-negative.
    pub(crate) fn weights(&self, map: &[f32], patch: [usize; 3], flip: [bool; 3], out: &mut [f32]) {
        let pair = |axis: usize, i: usize| {
            let (low, high, t) = self.linear[axis][i];
            (
                mirrored(low, patch[axis], flip[axis]),
                mirrored(high, patch[axis], flip[axis]),
                t,
            )
        };
        let between = |a: f32, b: f32, t: f32| a + (b - a) * t;
        for (line, out) in out.chunks_exact_mut(self.size[2]).enumerate() {
            let (z0, z1, tz) = pair(0, line / self.size[1]);
            let (y0, y1, ty) = pair(1, line % self.size[1]);
            let row = |z: usize, y: usize| &map[(z * patch[1] + y) * patch[2]..][..patch[2]];
            let (a, b, c, d) = (row(z0, y0), row(z0, y1), row(z1, y0), row(z1, y1));
            for (x, o) in out.iter_mut().enumerate() {
                let (x0, x1, tx) = pair(2, x);
                let near = between(between(a[x0], a[x1], tx), between(b[x0], b[x1], tx), ty);
                let far = between(between(c[x0], c[x1], tx), between(d[x0], d[x1], tx), ty);
                *o = between(near, far, tz).max(0.0);
            }
        }
    }
}

fn mirrored(i: u32, n: usize, flip: bool) -> usize {
    if flip {
        n - 1 - i as usize
    } else {
        i as usize
    }
}
