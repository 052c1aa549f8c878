//! Cubic B-spline coefficients.
//!
//! The samples `s` of an axis become the coefficients `c` with `(c[k-1] + 4 c[k] + c[k+1]) / 6 = s[k]`, by
//! one causal and one anticausal recursion with the pole `sqrt(3) - 2` (M. Unser, A. Aldroubi and M. Eden,
//! "B-spline signal processing", IEEE Transactions on Signal Processing, 1993). Cost: 4 operations per voxel
//! and axis.

mod columns;
mod lanes;
mod recursion;

use ndarray::{ArrayViewMut3, Axis};
use rayon::prelude::*;
use run::{Cancel, Cancelled};

use crate::Real;
use recursion::Recursion;
pub use recursion::{Boundary, POLE};

/// Replaces the samples of a `(z, y, x)` block by their cubic B-spline coefficients, in place, along the axes
/// where `axes` is true. A 2D block has one plane. With [`Boundary::Mirror`] this equals
/// `scipy.ndimage.spline_filter(order=3, mode='mirror')`. An axis of one voxel is unchanged.
///
/// Additional memory: 64 voxels of an axis per thread if the block is C-contiguous, otherwise a copy of it.
///
/// # Errors
/// [`Cancelled`] within the work of a few rows or of 64 columns. The block is then incomplete.
pub fn prefilter<T: Real>(
    mut block: ArrayViewMut3<'_, T>,
    axes: [bool; 3],
    boundary: Boundary,
    cancel: &Cancel,
) -> Result<(), Cancelled> {
    if !block.is_standard_layout() {
        let mut copy = block.as_standard_layout().into_owned();
        prefilter(copy.view_mut(), axes, boundary, cancel)?;
        block.assign(&copy);
        return Ok(());
    }
    let (nz, ny, nx) = block.dim();
    if block.is_empty() {
        return Ok(());
    }
    if axes[2] && nx > 1 {
        let recursion = Recursion::new(nx, boundary);
        if let Some(rows) = block.as_slice_mut() {
            rows.par_chunks_mut(lanes::LANES * nx).try_for_each(|rows| {
                cancel.check()?;
                lanes::filter(rows, &recursion, nx);
                Ok(())
            })?;
        }
    }
    // Along y each plane is a matrix of columns, along z each slab of one y.
    for (axis, across, steps) in [(1, 0, ny), (0, 1, nz)] {
        if axes[axis] && steps > 1 {
            let recursion = Recursion::new(steps, boundary);
            let mut matrices: Vec<_> = block.axis_iter_mut(Axis(across)).collect();
            let blocks: Vec<_> = matrices
                .iter_mut()
                .flat_map(|m| m.axis_chunks_iter_mut(Axis(1), columns::WIDTH))
                .collect();
            blocks.into_par_iter().try_for_each(|block| {
                cancel.check()?;
                columns::filter(block, &recursion);
                Ok(())
            })?;
        }
    }
    Ok(())
}
