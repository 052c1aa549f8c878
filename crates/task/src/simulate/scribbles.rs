//! Scribbles: thin lines inside the regions of each class, the background included.
//!
//! Scribbles of dense labels are usually simulated by skeletons (Valvano, Leo, Tsaftaris: "Learning to
//! segment from scribbles using multi-scale adversarial attention gates", IEEE TMI 2021; Luo et al., MICCAI
//! 2022), after the scribbles that people drew for ScribbleSup (Lin et al., CVPR 2016). Here a line is a
//! random walk that prefers its direction and the middle of the region, so it resembles a skeleton, has a
//! bounded length, and differs between seeds.

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Axis};
use random::Rng;

use super::classes::Classes;

/// Steps to the eight neighbours, in the order of their angle.
const STEPS: [(isize, isize); 8] = [
    (0, 1),
    (1, 1),
    (1, 0),
    (1, -1),
    (0, -1),
    (-1, -1),
    (-1, 0),
    (-1, 1),
];
/// Preference of a step by its angle to the step before, in eighths of a turn.
const TURNS: [f64; 5] = [8.0, 4.0, 0.5, 0.05, 0.0];
/// Starts that are compared; the one deepest in the region is taken.
const STARTS: usize = 8;
/// Shortest limit of the length of a scribble.
const SHORTEST: f64 = 8.0;

/// Scribbles in slices across `axes`, until the share of the voxels of each class is annotated, at least one.
/// In each slice, a scribble has at most `max(8, 2 √area)` voxels, where the area is that of the class.
pub(super) fn annotate(
    labels: ArrayView3<'_, i16>,
    classes: &Classes,
    axes: &[usize],
    share: f64,
    rng: &mut Rng,
) -> Array3<bool> {
    let mut mask = Array3::from_elem(labels.dim(), false);
    for (class, &wanted) in classes.wanted(share).iter().enumerate() {
        let mut done = 0;
        for (i, &axis) in axes.iter().enumerate() {
            let part = wanted * (i as u64 + 1) / axes.len() as u64;
            done += annotate_class(labels, &mut mask, classes.values[class], axis, part - done, rng);
        }
    }
    mask
}

/// Annotates `wanted` more voxels of a class. Returns their number, which is smaller only if the class has no
/// other voxels.
fn annotate_class(
    labels: ArrayView3<'_, i16>,
    mask: &mut Array3<bool>,
    value: i16,
    axis: usize,
    wanted: u64,
    rng: &mut Rng,
) -> u64 {
    let mut left = wanted;
    while left > 0 {
        let before = left;
        let mut order: Vec<usize> = (0..labels.len_of(Axis(axis))).collect();
        shuffle(&mut order, rng);
        let holds = |&slice: &usize| labels.index_axis(Axis(axis), slice).iter().any(|&v| v == value);
        order.retain(holds);
        let slices = order.len() as u64;
        for (i, slice) in order.into_iter().enumerate() {
            if left == 0 {
                break;
            }
            let mut drawn = mask.index_axis_mut(Axis(axis), slice);
            let mut plane = Plane::new(labels.index_axis(Axis(axis), slice), drawn.view(), value);
            // One scribble a slice, more where the slices that are left would not suffice.
            let quota = left.div_ceil(slices - i as u64).max(plane.longest()).min(left);
            let mut free = quota;
            while free > 0 {
                let line = plane.scribble(free.min(plane.longest()), rng);
                if line.is_empty() {
                    break;
                }
                free -= line.len() as u64;
                line.into_iter().for_each(|at| drawn[at] = true);
            }
            left -= quota - free;
        }
        if left == before {
            break;
        }
    }
    wanted - left
}

/// Pixels of a class in a slice that no scribble covers yet.
struct Plane {
    /// Distance to the nearest pixel of another label, in steps to neighbours; 0 for other pixels and for
    /// those of a scribble.
    depth: Array2<u16>,
    /// Free pixels; those that a scribble has covered are removed when they are met.
    free: Vec<(usize, usize)>,
    area: usize,
}

impl Plane {
    fn new(labels: ArrayView2<'_, i16>, drawn: ArrayView2<'_, bool>, value: i16) -> Self {
        let mut depth = depth_of(labels, value);
        let area = depth.iter().filter(|&&d| d > 0).count();
        depth.zip_mut_with(&drawn, |d, &drawn| {
            if drawn {
                *d = 0;
            }
        });
        let free = depth.indexed_iter().filter(|(_, &d)| d > 0).map(|(at, _)| at);
        Self {
            free: free.collect(),
            depth,
            area,
        }
    }

    /// Limit of the length of a scribble.
    fn longest(&self) -> u64 {
        (2.0 * (self.area as f64).sqrt()).max(SHORTEST) as u64
    }

    /// Draws a scribble of at most `length` pixels. Empty if no pixel is free.
    fn scribble(&mut self, length: u64, rng: &mut Rng) -> Vec<(usize, usize)> {
        let mut line = Vec::new();
        let mut at = self.start(rng);
        let mut direction = None;
        while let Some(pixel) = at {
            self.depth[pixel] = 0;
            line.push(pixel);
            if line.len() as u64 >= length {
                break;
            }
            let step = self.step(pixel, direction, rng);
            at = step.map(|step| moved(pixel, STEPS[step]));
            direction = step;
        }
        line
    }

    /// The deepest of a few free pixels.
    fn start(&mut self, rng: &mut Rng) -> Option<(usize, usize)> {
        let mut best: Option<(usize, usize)> = None;
        let mut tries = 0;
        while tries < STARTS && !self.free.is_empty() {
            let index = rng.below(self.free.len() as u64) as usize;
            let pixel = self.free[index];
            if self.depth[pixel] == 0 {
                self.free.swap_remove(index);
                continue;
            }
            tries += 1;
            if best.is_none_or(|best| self.depth[pixel] > self.depth[best]) {
                best = Some(pixel);
            }
        }
        best
    }

    /// Draws the index of the next step. The preference for depth is quadratic.
    fn step(&self, (row, column): (usize, usize), direction: Option<usize>, rng: &mut Rng) -> Option<usize> {
        let weight = |step: usize| {
            let at = moved((row, column), STEPS[step]);
            let depth = f64::from(self.depth.get(at).copied().unwrap_or(0));
            let turn = direction.map_or(1.0, |before| {
                let apart = step.abs_diff(before);
                TURNS[apart.min(STEPS.len() - apart)]
            });
            depth * depth * turn
        };
        let weights: [f64; STEPS.len()] = std::array::from_fn(weight);
        let total: f64 = weights.iter().sum();
        if total <= 0.0 {
            return None;
        }
        let mut draw = rng.unit() * total;
        let drawn = weights.iter().position(|w| {
            draw -= w;
            draw < 0.0
        });
        drawn.or_else(|| weights.iter().rposition(|&w| w > 0.0))
    }
}

/// The neighbour of a pixel; outside of every array beyond the first row or column.
fn moved((row, column): (usize, usize), (down, right): (isize, isize)) -> (usize, usize) {
    let to = |from: usize, by: isize| from.checked_add_signed(by).unwrap_or(usize::MAX);
    (to(row, down), to(column, right))
}

/// Chessboard distance of the pixels of a label to the nearest pixel of another one, by two passes (Rosenfeld
/// and Pfaltz 1968). The edge of the slice is no border.
fn depth_of(labels: ArrayView2<'_, i16>, value: i16) -> Array2<u16> {
    let mut depth = labels.mapv(|v| if v == value { u16::MAX - 1 } else { 0 });
    let (rows, columns) = depth.dim();
    let mut pass = |pixels: &mut dyn Iterator<Item = (usize, usize)>, steps: &[usize]| {
        for pixel in pixels {
            let near = steps
                .iter()
                .filter_map(|&step| depth.get(moved(pixel, STEPS[step])).copied());
            let least = near.min().unwrap_or(u16::MAX - 1);
            depth[pixel] = depth[pixel].min(least.saturating_add(1));
        }
    };
    let all = || (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)));
    pass(&mut all(), &[4, 5, 6, 7]);
    pass(
        &mut (0..rows * columns).rev().map(|i| (i / columns, i % columns)),
        &[0, 1, 2, 3],
    );
    depth
}

/// Fisher and Yates's shuffle.
fn shuffle(values: &mut [usize], rng: &mut Rng) {
    for end in (1..values.len()).rev() {
        values.swap(end, rng.below(end as u64 + 1) as usize);
    }
}
