//! Public functions: choice of the working type, and both sweeps over a volume.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};

use ndarray::{Array, ArrayView, ArrayView3, ArrayViewMut, ArrayViewMut2, Axis, Dimension, Ix2, Ix3};
use rayon::prelude::*;
use run::{Cancel, Cancelled};

use crate::grid::Grid;
use crate::lane::{Lane, CHUNK};
use crate::{columns, simd, sweep, Error, Voxel};

/// Spacings whose squares, times the squared length of any axis, are normal float32 numbers.
const SPACINGS: RangeInclusive<f64> = 1e-12..=1e12;

/// Returns the squared distance of every voxel to the nearest zero voxel.
///
/// `mask` has 1 to 3 axes and any memory layout. `spacing` has one value per axis, from 1e-12 to 1e12, in the
/// mask's axis order; mm give mm². Zero voxels get 0. If `bound` (a distance, not squared) is given, a voxel
/// farther than it from every zero voxel gets infinity, and the transform is faster. Without any zero voxel
/// every result is infinite.
///
/// Runs on the current rayon pool.
///
/// # Errors
/// [`Error`] for a wrong rank, spacing or bound. Every mask content is valid.
///
/// ```
/// let mask = ndarray::array![[1u8, 1, 1], [0, 1, 1]];
/// let distance = edt::squared_distance(mask.view(), &[1.0, 1.0], None)?;
/// assert_eq!(distance, ndarray::array![[1.0, 2.0, 5.0], [0.0, 1.0, 4.0]]);
/// # Ok::<(), edt::Error>(())
/// ```
pub fn squared_distance<T: Voxel, D: Dimension>(
    mask: ArrayView<'_, T, D>,
    spacing: &[f64],
    bound: Option<f32>,
) -> Result<Array<f32, D>, Error> {
    let mut out = Array::zeros(mask.raw_dim());
    run::prefer_large_pages(out.as_slice_mut().unwrap_or_default());
    squared_distance_into(mask, spacing, bound, out.view_mut(), &Cancel::new())?;
    Ok(out)
}

/// Writes [`squared_distance`] into `out`, which has the mask's shape and C order. Its previous content is
/// ignored.
///
/// # Errors
/// As [`squared_distance`]; [`Error::Cancelled`] after `cancel` is set, within the work of one slice or of 64
/// columns. `out` is then incomplete.
pub fn squared_distance_into<T: Voxel, D: Dimension>(
    mask: ArrayView<'_, T, D>,
    spacing: &[f64],
    bound: Option<f32>,
    mut out: ArrayViewMut<'_, f32, D>,
    cancel: &Cancel,
) -> Result<(), Error> {
    check(&mask, spacing, bound, &out)?;
    let shape = mask.shape().to_vec();
    // Two axes become (z, x): the last sweep then works on columns, the first on independent rows.
    let (volume, s) = match *shape.as_slice() {
        [x] => ([1, 1, x], [spacing[0], spacing[0], spacing[0]]),
        [y, x] => ([y, 1, x], [spacing[0], spacing[1], spacing[1]]),
        [1, y, x] => ([y, 1, x], [spacing[1], spacing[2], spacing[2]]),
        [z, y, x] => ([z, y, x], [spacing[0], spacing[1], spacing[2]]),
        _ => return Err(Error::Rank { found: shape.len() }),
    };
    if volume.contains(&0) {
        return Ok(());
    }
    let layout = |_| Error::Layout { shape: shape.clone() };
    let flat = out
        .as_slice_mut()
        .ok_or_else(|| Error::Layout { shape: shape.clone() })?;
    let out = ArrayViewMut2::from_shape((volume[0], volume[1] * volume[2]), flat).map_err(layout)?;
    // Only axes of length one move: a view of any layout keeps its strides.
    let mask = mask.into_dyn();
    let mask = match mask.ndim() {
        1 => mask.insert_axis(Axis(0)).insert_axis(Axis(0)),
        2 => mask.insert_axis(Axis(1)),
        _ if volume[1] == 1 && shape[0] == 1 => mask.permuted_axes(vec![1, 0, 2]),
        _ => mask,
    };
    let mask = mask
        .into_dimensionality::<Ix3>()
        .map_err(|_| Error::Rank { found: shape.len() })?;
    Ok(transform(mask, s, bound, out, cancel)?)
}

fn check<T, D: Dimension>(
    mask: &ArrayView<'_, T, D>,
    spacing: &[f64],
    bound: Option<f32>,
    out: &ArrayViewMut<'_, f32, D>,
) -> Result<(), Error> {
    if mask.ndim() == 0 || mask.ndim() > 3 {
        return Err(Error::Rank { found: mask.ndim() });
    }
    if spacing.len() != mask.ndim() {
        return Err(Error::SpacingCount {
            found: spacing.len(),
            expected: mask.ndim(),
        });
    }
    check_numbers(spacing, bound)?;
    if out.shape() != mask.shape() {
        return Err(Error::Shape {
            found: out.shape().to_vec(),
            expected: mask.shape().to_vec(),
        });
    }
    Ok(())
}

/// Rejects invalid spacings and bounds, and spacings whose squared distances exceed float32.
pub(crate) fn check_numbers(spacing: &[f64], bound: Option<f32>) -> Result<(), Error> {
    if let Some(axis) = spacing.iter().position(|s| !SPACINGS.contains(s)) {
        return Err(Error::Spacing {
            axis,
            found: spacing[axis],
        });
    }
    match bound {
        Some(found) if found.is_nan() || found < 0.0 => Err(Error::Bound { found }),
        _ => Ok(()),
    }
}

fn transform<T: Voxel>(
    mask: ArrayView3<'_, T>,
    s: [f64; 3],
    bound: Option<f32>,
    mut out: ArrayViewMut2<'_, f32>,
    cancel: &Cancel,
) -> Result<(), Cancelled> {
    let (z, y, x) = mask.dim();
    let shape = [z, y, x];
    let bound2 = bound
        .filter(|b| b.is_finite())
        .map(|b| f64::from(b) * f64::from(b));
    let used: Vec<f64> = (0..3)
        .filter(|&axis| shape[axis] > 1)
        .map(|axis| s[axis])
        .collect();
    let unit = used.first().copied().unwrap_or(1.0);
    if used.iter().all(|&s| s == unit) {
        let scale = unit * unit;
        // The largest count whose rounded result does not exceed the bound.
        let kept = |count: f64| bound2.is_none_or(|bound2| f64::from((count * scale) as f32) <= bound2);
        let fits = |count: f64| count < f64::from(u16::FAR);
        let cap = bound2.map(|bound2| {
            let guess = (bound2 / scale).floor() + 2.0;
            (0..4)
                .map(|less| guess - f64::from(less))
                .find(|&count| kept(count))
                .unwrap_or(0.0)
        });
        let diagonal: f64 = shape.iter().map(|&n| (n as f64 - 1.0).powi(2)).sum();
        let cap16 = cap.filter(|&cap| fits(cap)).map(|cap| cap as u16);
        let grid = Grid::<u16>::new(shape, [1.0; 3], cap16);
        let far = sweeps::<u16, T, 64>(
            &grid,
            mask,
            scale,
            out.view_mut(),
            cap16.is_none() && !fits(diagonal),
            cancel,
        )?;
        if !far {
            return Ok(());
        }
        let grid = Grid::<f32>::new(shape, [1.0; 3], cap.map(|cap| cap as f32));
        return sweeps::<f32, T, 32>(&grid, mask, scale, out, false, cancel).map(drop);
    }
    let squares = s.map(|s| (s * s) as f32);
    let cap = bound2.map(|bound2| {
        let cap = bound2 as f32;
        if f64::from(cap) > bound2 {
            cap.next_down()
        } else {
            cap
        }
    });
    let grid = Grid::<f32>::new(shape, squares, cap);
    sweeps::<f32, T, 32>(&grid, mask, 1.0, out, false, cancel).map(drop)
}

/// Runs both sweeps. With `give_up` it stops at the first value that remains [`Lane::FAR`], and returns true.
fn sweeps<L: Lane, T: Voxel, const W: usize>(
    grid: &Grid<L>,
    mask: ArrayView3<'_, T>,
    scale: f64,
    mut out: ArrayViewMut2<'_, f32>,
    give_up: bool,
    cancel: &Cancel,
) -> Result<bool, Cancelled> {
    out.outer_iter_mut()
        .into_par_iter()
        .zip(mask.outer_iter())
        .try_for_each_init(
            || sweep::Scratch::new::<W>(grid),
            |scratch, (slice, mask)| {
                cancel.check()?;
                if let Some(slice) = slice.into_slice() {
                    simd::dispatch(sweep::Sweep::<L, T, W> {
                        grid,
                        scratch,
                        mask,
                        slice,
                    });
                }
                Ok(())
            },
        )?;
    let far = AtomicBool::new(false);
    out.axis_chunks_iter_mut(Axis(1), CHUNK)
        .into_par_iter()
        .try_for_each_init(
            || columns::Scratch::new::<W>(grid.shape[0]),
            |scratch, chunk: ArrayViewMut<'_, f32, Ix2>| {
                cancel.check()?;
                if give_up && far.load(Ordering::Relaxed) {
                    return Ok(());
                }
                if simd::dispatch(columns::Columns::<L, W> {
                    grid,
                    scratch,
                    scale,
                    chunk,
                }) && give_up
                {
                    far.store(true, Ordering::Relaxed);
                }
                Ok(())
            },
        )?;
    Ok(far.into_inner())
}
