//! Inside of objects: each class eroded by one voxel with its face neighbours.

use edt::{dispatch, Kernel};
use ndarray::parallel::prelude::*;
use ndarray::{Array3, ArrayView1, ArrayView3, ArrayViewMut2, Axis};

use crate::classes::{Classes, UNLABELLED};

/// Options of the erosion.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Erosion {
    /// Axes of the erosion.
    pub(crate) axes: [bool; 3],
    /// Whether an unlabelled neighbour counts as a border.
    pub(crate) unlabelled_is_border: bool,
}

/// Returns 0 inside an object and 1 elsewhere, and whether any inside voxel exists. There is no object
/// outside the volume.
pub(crate) fn outside(index: ArrayView3<'_, u8>, classes: &Classes, erosion: Erosion) -> (Array3<u8>, bool) {
    let mut outside = Array3::zeros(index.dim());
    let any = outside
        .outer_iter_mut()
        .into_par_iter()
        .enumerate()
        .map(|(z, out)| {
            dispatch(Slice {
                index,
                classes,
                erosion,
                z,
                out,
            })
        })
        .reduce(|| false, |a, b| a | b);
    (outside, any)
}

struct Slice<'a> {
    index: ArrayView3<'a, u8>,
    classes: &'a Classes,
    erosion: Erosion,
    z: usize,
    out: ArrayViewMut2<'a, u8>,
}

impl Kernel for Slice<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let Self {
            index,
            classes,
            erosion,
            z,
            mut out,
        } = self;
        let (depth, height, width) = index.dim();
        let slice = index.index_axis(Axis(0), z);
        let mut any = false;
        for y in 0..height {
            let Some(out) = out.row_mut(y).into_slice() else {
                continue;
            };
            let row = slice.row(y);
            let edge = (erosion.axes[0] && (z == 0 || z + 1 == depth))
                || (erosion.axes[1] && (y == 0 || y + 1 == height));
            let Some(center) = row.as_slice() else { continue };
            if edge {
                out.fill(1);
                continue;
            }
            for x in 0..width {
                out[x] = u8::from(!classes.is_object(center[x]));
            }
            let mut wear = |neighbours: ArrayView1<'_, u8>| {
                if let Some(neighbours) = neighbours.as_slice() {
                    erode_by(out, center, neighbours, erosion.unlabelled_is_border);
                }
            };
            if erosion.axes[0] {
                wear(index.index_axis(Axis(0), z - 1).row(y));
                wear(index.index_axis(Axis(0), z + 1).row(y));
            }
            if erosion.axes[1] {
                wear(slice.row(y - 1));
                wear(slice.row(y + 1));
            }
            if erosion.axes[2] {
                erode_by(
                    &mut out[1..],
                    &center[1..],
                    &center[..width - 1],
                    erosion.unlabelled_is_border,
                );
                erode_by(
                    &mut out[..width - 1],
                    &center[..width - 1],
                    &center[1..],
                    erosion.unlabelled_is_border,
                );
                out[0] = 1;
                out[width - 1] = 1;
            }
            any |= out.contains(&0);
        }
        any
    }
}

/// Marks the voxels with a neighbour of another class.
#[inline(always)]
fn erode_by(out: &mut [u8], center: &[u8], neighbours: &[u8], unlabelled_is_border: bool) {
    // No index is 256, so that every unlabelled neighbour counts as different.
    let ignored = if unlabelled_is_border {
        None
    } else {
        Some(UNLABELLED)
    };
    match ignored {
        None => out
            .iter_mut()
            .zip(center.iter().zip(neighbours))
            .for_each(|(out, (c, n))| *out |= u8::from(c != n)),
        Some(ignored) => out
            .iter_mut()
            .zip(center.iter().zip(neighbours))
            .for_each(|(out, (c, n))| *out |= u8::from(c != n) & u8::from(*n != ignored)),
    }
}
