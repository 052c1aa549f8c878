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
pub(crate) use recursion::POLE;

/// Replaces the samples of a `(z, y, x)` volume in C order by their cubic B-spline coefficients, in place, along
/// the axes where `axes` is true. The volume is extended by its edge values. An axis of one voxel is unchanged.
///
/// Additional memory: 64 voxels of an axis per thread.
///
/// # Errors
/// [`Cancelled`] within the work of a few rows or of 64 columns. The volume is then incomplete.
pub(crate) fn prefilter<T: Real>(
    values: &mut [T],
    shape: [usize; 3],
    axes: [bool; 3],
    cancel: &Cancel,
) -> Result<(), Cancelled> {
    if values.is_empty() {
        return Ok(());
    }
    let [nz, ny, nx] = shape;
    let recursion = Recursion::new();
    if axes[2] && nx > 1 {
        values.par_chunks_mut(lanes::LANES * nx).try_for_each(|rows| {
            cancel.check()?;
            lanes::filter(rows, &recursion, nx);
            Ok(())
        })?;
    }
    let Ok(mut block) = ArrayViewMut3::from_shape(shape, values) else {
        return Ok(());
    };
    // Along y each plane is a matrix of columns, along z each slab of one y.
    for (axis, across, steps) in [(1, 0, ny), (0, 1, nz)] {
        if axes[axis] && steps > 1 {
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
