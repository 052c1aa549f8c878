//! First sweep over one slice (y, x): counts voxels along y, then takes the minimum of parabolas along x. The
//! slice stays in the cache.

use ndarray::{ArrayView1, ArrayView2};

use crate::grid::Grid;
use crate::lane::Lane;
use crate::row::Row;
use crate::simd::Kernel;
use crate::Voxel;

/// Buffers of one thread for [`Sweep`]: a few rows.
pub(crate) struct Scratch<L, T> {
    row: Row<L>,
    line: Vec<L>,
    count: Vec<L>,
    mask: Vec<T>,
}

impl<L: Lane, T: Voxel> Scratch<L, T> {
    pub(crate) fn new<const W: usize>(grid: &Grid<L>) -> Self {
        let n = grid.shape[2];
        let (line, count) = (vec![L::FAR; n], vec![L::FAR; n]);
        Self {
            row: Row::new::<W>(&grid.x),
            line,
            count,
            mask: Vec::new(),
        }
    }
}

/// The first sweep over one slice.
pub(crate) struct Sweep<'a, L, T, const W: usize> {
    pub(crate) grid: &'a Grid<L>,
    pub(crate) scratch: &'a mut Scratch<L, T>,
    pub(crate) mask: ArrayView2<'a, T>,
    pub(crate) slice: &'a mut [f32],
}

impl<L: Lane, T: Voxel, const W: usize> Kernel for Sweep<'_, L, T, W> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self {
            grid,
            scratch,
            mask,
            slice,
        } = self;
        let [_, rows, n] = grid.shape;
        let Scratch {
            row,
            line,
            count,
            mask: buffer,
        } = scratch;
        // Number of voxels to the nearest site at smaller y.
        count.fill(L::FAR);
        for y in 0..rows {
            step(count, contiguous(mask.row(y), buffer));
            L::store(slice, y * n, count);
        }
        // Number of voxels to the nearest site at larger y. It restarts from 0 where the stored count is 0.
        count.fill(L::FAR);
        for y in (0..rows).rev() {
            L::load(slice, y * n, line);
            for ((count, &before), value) in count.iter_mut().zip(&*line).zip(row.values()) {
                *count = count.next().lesser(before);
                *value = count.square(grid.y2);
            }
            row.run::<W>(&grid.x, line);
            grid.clamp(line);
            L::store(slice, y * n, line);
        }
    }
}

#[inline(always)]
fn step<L: Lane, T: Voxel>(count: &mut [L], mask: &[T]) {
    for (count, &voxel) in count.iter_mut().zip(mask) {
        *count = if voxel.is_zero() { L::ZERO } else { count.next() };
    }
}

/// Returns the row as a slice. A strided row is copied to `buffer`.
#[inline(always)]
fn contiguous<'a, T: Copy>(row: ArrayView1<'a, T>, buffer: &'a mut Vec<T>) -> &'a [T] {
    match row.to_slice() {
        Some(slice) => slice,
        None => {
            buffer.clear();
            buffer.extend(row.iter().copied());
            buffer
        }
    }
}
