//! Input voxels and weights of each output voxel along one axis.

use crate::bspline::POLE;
use crate::{Order, Real};

/// Positions of output voxels on the input axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grid {
    /// Voxels are cells: `(i + 0.5) * n_in / n_out - 0.5`.
    Cells,
    /// The first and last voxels of both grids coincide: `i * (n_in - 1) / (n_out - 1)`. A single output
    /// voxel is the first input voxel.
    Corners,
}

impl Grid {
    /// Returns the positions of the output voxels, computed with the reference's floating-point operations,
    /// which decide ties.
    fn positions(self, n_in: usize, n_out: usize) -> impl Iterator<Item = f64> {
        let (step, shift) = match self {
            Self::Cells => (n_in as f64 / n_out as f64, 0.5),
            Self::Corners if n_out == 1 => (1.0, 0.0),
            Self::Corners => ((n_in - 1) as f64 / (n_out - 1) as f64, 0.0),
        };
        (0..n_out).map(move |i| (i as f64 + shift) * step - shift)
    }
}

/// Taps of one axis: output voxel `i` is the sum over `k < count` of `weights[i][k] * input[start[i] + k]`.
#[derive(Clone, Debug)]
pub(crate) struct Taps<T> {
    pub(crate) size_in: usize,
    /// 1 to 4. With 1 every weight is 1.
    pub(crate) count: usize,
    pub(crate) start: Vec<usize>,
    pub(crate) weights: Vec<[T; 4]>,
    /// Whether the output equals the input.
    pub(crate) identity: bool,
}

impl<T: Real> Taps<T> {
    /// Returns the taps of `n_out` output voxels on `n_in` input voxels. Cubic taps apply to B-spline
    /// coefficients with [`crate::bspline::Boundary::Edge`]. An axis of unchanged size is copied, for any
    /// order.
    pub(crate) fn new(n_in: usize, n_out: usize, order: Order, grid: Grid) -> Self {
        let identity = n_in == n_out;
        let order = if identity || n_in == 1 {
            Order::Nearest
        } else {
            order
        };
        let last = (n_in - 1) as f64;
        let taps = grid.positions(n_in, n_out).map(|position| match order {
            Order::Nearest => (
                (position.clamp(0.0, last) + 0.5).floor() as usize,
                [1.0, 0.0, 0.0, 0.0],
            ),
            Order::Linear => linear(position.clamp(0.0, last), n_in),
            Order::Cubic => cubic(position, n_in),
        });
        let (start, weights) = taps.map(|(start, weights)| (start, weights.map(T::of))).unzip();
        let count = match order {
            Order::Nearest => 1,
            Order::Linear => 2,
            Order::Cubic => n_in.min(4),
        };
        Self {
            size_in: n_in,
            count,
            start,
            weights,
            identity,
        }
    }

    /// Number of output voxels.
    pub(crate) fn size_out(&self) -> usize {
        self.start.len()
    }
}

/// The voxels on both sides of each output voxel along one axis, for label interpolation.
///
/// Labels are decided at exactly one half, so that rounding must equal the reference's. Past the border both
/// sides are the edge voxel, and their weights are added, with a sum that can differ from one.
pub(crate) struct Pairs {
    pub(crate) size_in: usize,
    /// 1 or 2. With 1 (nearest) only the first voxel is used, with weight 1.
    pub(crate) count: usize,
    pub(crate) voxels: Vec<[usize; 2]>,
    pub(crate) weights: Vec<[f64; 2]>,
}

impl Pairs {
    /// Returns pairs of order 1 for linear order, otherwise (or if the size is unchanged) of order 0.
    pub(crate) fn new(n_in: usize, n_out: usize, order: Order, grid: Grid) -> Self {
        let linear = order == Order::Linear && n_in != n_out;
        let last = (n_in - 1) as f64;
        let pairs = grid.positions(n_in, n_out).map(|position| {
            let below = if linear {
                position.floor()
            } else {
                (position + 0.5).floor()
            };
            let first = if linear { 1.0 - (position - below) } else { 1.0 };
            let voxels = [below, below + 1.0].map(|voxel| voxel.clamp(0.0, last) as usize);
            (voxels, [first, 1.0 - first])
        });
        let (voxels, weights) = pairs.unzip();
        Self {
            size_in: n_in,
            count: if linear { 2 } else { 1 },
            voxels,
            weights,
        }
    }
}

fn linear(position: f64, n: usize) -> (usize, [f64; 4]) {
    let below = position.floor();
    let first = 1.0 - (position - below);
    let second = 1.0 - first;
    let below = below as usize;
    if below + 1 < n {
        (below, [first, second, 0.0, 0.0])
    } else {
        (n - 2, [second, first, 0.0, 0.0])
    }
}

/// Returns the weights of four consecutive coefficients inside `0..n`. Past the border the edge value `s` is
/// constant. The coefficients there are `s + POLE^d * (c[edge] - s)` at distance `d`, and `s` follows from
/// the two outermost ones. The outer taps therefore add to the weights of these two.
fn cubic(position: f64, n: usize) -> (usize, [f64; 4]) {
    let below = position.floor();
    let (x, y) = (position - below, 1.0 - (position - below));
    let inner = |t: f64| (t * t * (t - 2.0) * 3.0 + 4.0) / 6.0;
    let mut taps = [y * y * y / 6.0, inner(x), inner(y), 0.0];
    taps[3] = 1.0 - taps[0] - taps[1] - taps[2];
    let (first, n) = (below as isize - 1, n as isize);
    let start = first.clamp(0, (n - 4).max(0));
    let mut weights = [0.0; 4];
    for (k, tap) in (first..).zip(taps) {
        let edge = k.clamp(0, n - 1);
        let (distance, inward) = (k.abs_diff(edge), if k < 0 { edge + 1 } else { edge - 1 });
        if distance == 0 {
            weights[(edge - start) as usize] += tap;
        } else {
            let decay = POLE.powi(distance as i32);
            weights[(edge - start) as usize] += tap * ((1.0 - decay) * (4.0 + POLE) / (5.0 + POLE) + decay);
            weights[(inward - start) as usize] += tap * (1.0 - decay) / (5.0 + POLE);
        }
    }
    (start as usize, weights)
}
