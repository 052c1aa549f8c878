//! Coordinate transform from output voxels to the loaded patch.

use std::ops::Range;

use super::elastic::Displacement;
use super::params::SpatialParams;
use crate::simd::kernel;

/// The coordinate transform of one sample in nnU-Net v1's order: displacement, rotation, scaling, centre.
#[derive(Clone, Debug)]
pub(crate) struct Map {
    /// Matrix for centred row vectors: `vector * matrix`.
    matrix: [[f64; 3]; 3],
    scale: [f64; 3],
    center: [f64; 3],
    patch: [usize; 3],
    /// Size of the loaded patch.
    full: [usize; 3],
}

/// Coordinates of a segment of one output row: per axis the lower neighbour and the fraction towards the
/// upper one. At the last voxel of the loaded patch, the lower neighbour is the last but one, with fraction
/// 1.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    /// Lower neighbour in the loaded patch per axis, clamped to it.
    pub whole: [Vec<i32>; 3],
    /// Fraction in [0, 1], per axis.
    pub fraction: [Vec<f64>; 3],
    /// 1 if the voxel is inside the loaded patch, including its border.
    pub inside: Vec<u8>,
    /// Outputs from the first one inside to after the last one inside, counted from the start of the segment.
    pub first: usize,
    /// See `first`.
    pub end: usize,
    /// Whether some outputs between `first` and `end` are outside, which displacement can cause.
    pub holes: bool,
    mesh: Vec<f64>,
    displaced: [Vec<f64>; 3],
}

impl Map {
    /// The map of `params` for a patch around `center` of a loaded patch of size `full`. With `planar`,
    /// slices keep their position and are rotated by the first angle.
    pub(crate) fn new(
        params: &SpatialParams,
        planar: bool,
        patch: [usize; 3],
        full: [usize; 3],
        center: [f64; 3],
    ) -> Self {
        let [x, y, z] = params.rotation.unwrap_or([0.0; 3]);
        let (y, z) = if planar { (0.0, 0.0) } else { (y, z) };
        let mut scale = params.scale.unwrap_or([1.0; 3]);
        let mut center = center;
        if planar {
            scale[0] = 1.0;
            center[0] = (patch[0] as f64 - 1.0) / 2.0;
        }
        Self {
            matrix: rotation(x, y, z),
            scale,
            center,
            patch,
            full,
        }
    }

    /// Coordinate along `axis` of output `i`, if it depends only on that axis.
    pub(crate) fn straight(&self, axis: usize, i: usize) -> f64 {
        self.centred(axis, i) * self.scale[axis] + self.center[axis]
    }

    fn centred(&self, axis: usize, i: usize) -> f64 {
        i as f64 - (self.patch[axis] as f64 - 1.0) / 2.0
    }

    /// Computes the coordinates of outputs `x` of row (z, y).
    pub(crate) fn row(
        &self,
        z: usize,
        y: usize,
        x: Range<usize>,
        field: Option<&Displacement>,
        row: &mut Row,
    ) {
        let width = x.len();
        let Row {
            whole,
            fraction,
            inside,
            mesh,
            displaced,
            ..
        } = row;
        mesh.clear();
        mesh.extend(x.clone().map(|x| self.centred(2, x)));
        inside.clear();
        inside.resize(width, 1);
        let (cz, cy) = (self.centred(0, z), self.centred(1, y));
        if let Some(field) = field {
            field.displace(z, y, x, [cz, cy], mesh, displaced);
        }
        for axis in 0..3 {
            whole[axis].resize(width, 0);
            fraction[axis].resize(width, 0.0);
            let (whole, fraction) = (&mut whole[axis], &mut fraction[axis]);
            let column: [f64; 3] = std::array::from_fn(|from| self.matrix[from][axis]);
            let place = [self.scale[axis], self.center[axis]];
            let n = self.full[axis];
            if field.is_some() {
                turn(displaced, column, place, n, whole, fraction, inside);
            } else {
                let constant = cz * column[0] + cy * column[1];
                line(mesh, [constant, column[2]], place, n, whole, fraction, inside);
            }
        }
        row.first = inside.iter().position(|&v| v == 1).unwrap_or(width);
        row.end = inside
            .iter()
            .rposition(|&v| v == 1)
            .map_or(row.first, |last| last + 1);
        row.holes = inside[row.first..row.end].contains(&0);
    }

    /// Smallest and largest coordinates per axis inside the loaded patch, over a box of outputs; `None` if
    /// the whole box is outside. `reach` is the largest displacement.
    pub(crate) fn bounds(&self, outputs: &[Range<usize>; 3], reach: f64) -> Option<[[f64; 2]; 3]> {
        let middle: [f64; 3] = std::array::from_fn(|axis| {
            let range = &outputs[axis];
            (self.centred(axis, range.start) + self.centred(axis, range.end - 1)) / 2.0
        });
        let half: [f64; 3] = std::array::from_fn(|axis| (outputs[axis].len() as f64 - 1.0) / 2.0 + reach);
        let mut bounds = [[0.0; 2]; 3];
        for axis in 0..3 {
            let turned: f64 = (0..3).map(|from| middle[from] * self.matrix[from][axis]).sum();
            let spread: f64 = (0..3)
                .map(|from| (half[from] * self.matrix[from][axis]).abs())
                .sum();
            let center = turned * self.scale[axis] + self.center[axis];
            // Rows are computed in another order, so this adds a margin for rounding.
            let spread = spread * self.scale[axis] + 1e-6;
            let low = (center - spread).max(0.0);
            let high = (center + spread).min((self.full[axis] - 1) as f64);
            if low > high {
                return None;
            }
            bounds[axis] = [low, high];
        }
        Some(bounds)
    }
}

/// Rx * Ry * Rz with x, y, z the first, second and third array axis.
fn rotation(x: f64, y: f64, z: f64) -> [[f64; 3]; 3] {
    let about_x = [[1.0, 0.0, 0.0], [0.0, x.cos(), -x.sin()], [0.0, x.sin(), x.cos()]];
    let about_y = [[y.cos(), 0.0, y.sin()], [0.0, 1.0, 0.0], [-y.sin(), 0.0, y.cos()]];
    let about_z = [[z.cos(), -z.sin(), 0.0], [z.sin(), z.cos(), 0.0], [0.0, 0.0, 1.0]];
    let product = |a: [[f64; 3]; 3], b: [[f64; 3]; 3]| -> [[f64; 3]; 3] {
        std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
    };
    product(product(about_x, about_y), about_z)
}

/// Splits a coordinate along an axis of `n` voxels.
#[inline(always)]
fn settle(at: f64, n: usize, whole: &mut i32, fraction: &mut f64, inside: &mut u8) {
    let last = (n - 1) as f64;
    *inside &= u8::from(at >= 0.0) & u8::from(at <= last);
    // Comparisons instead of `clamp`, so that NaN becomes 0.
    let at = if at > 0.0 { at } else { 0.0 };
    let at = if at < last { at } else { last };
    let lower = at.floor();
    let limit = if last > 1.0 { last - 1.0 } else { 0.0 };
    let lower = if lower < limit { lower } else { limit };
    // SAFETY: `lower` is between 0 and the number of voxels along one axis.
    *whole = unsafe { lower.to_int_unchecked::<i32>() };
    *fraction = at - lower;
}

kernel! {
    /// Coordinates of a row of an affine map, in the operation order of the reference's NumPy code.
    fn line(
        mesh: &[f64],
        turn: [f64; 2],
        place: [f64; 2],
        n: usize,
        whole: &mut [i32],
        fraction: &mut [f64],
        inside: &mut [u8],
    ) {
        let count = mesh.len();
        let (whole, fraction, inside) = (&mut whole[..count], &mut fraction[..count], &mut inside[..count]);
        for i in 0..count {
            let at = (turn[0] + mesh[i] * turn[1]) * place[0] + place[1];
            settle(at, n, &mut whole[i], &mut fraction[i], &mut inside[i]);
        }
    }
}

kernel! {
    /// Like [`line`], for displaced coordinates.
    fn turn(
        from: &[Vec<f64>; 3],
        column: [f64; 3],
        place: [f64; 2],
        n: usize,
        whole: &mut [i32],
        fraction: &mut [f64],
        inside: &mut [u8],
    ) {
        let count = whole.len();
        let (a, b, c) = (&from[0][..count], &from[1][..count], &from[2][..count]);
        for i in 0..count {
            let at = (a[i] * column[0] + b[i] * column[1] + c[i] * column[2]) * place[0] + place[1];
            settle(at, n, &mut whole[i], &mut fraction[i], &mut inside[i]);
        }
    }
}
