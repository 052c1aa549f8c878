//! The 95th percentile of surface distances.

use ndarray::{s, Array3, ArrayView3, Axis};
use run::{Cancel, Cancelled};

use crate::mean::quantile;
use crate::Error;

/// Returns the 95th percentile (linear interpolation) of the distances between the surfaces of two masks. It
/// is computed over the distances from each surface voxel of one mask to the surface of the other, in both
/// directions. Masks have shape (z, y, x), voxels have `spacing` (z, y, x) in mm. The result is NaN if either
/// mask is empty.
///
/// A surface voxel has a face neighbour outside the mask or outside the image. The result equals
/// `medpy.metric.hd95` up to float32 rounding of squared distances. Only the box around both masks is
/// processed.
///
/// `known` is false where the reference is unlabelled; both masks are false there. A neighbour that is not known
/// makes no surface: the border of an annotation is not the border of an object. With annotated slices, the
/// surface is therefore the outline within each slice. The result is NaN if either mask has no known surface.
///
/// # Errors
/// [`Error::Distance`] if a spacing is not positive; [`Error::Cancelled`] within the work of one slice.
pub fn hausdorff_95(
    one: ArrayView3<'_, bool>,
    two: ArrayView3<'_, bool>,
    known: Option<ArrayView3<'_, bool>>,
    spacing: [f64; 3],
    cancel: &Cancel,
) -> Result<f64, Error> {
    let Some(bounds) = bounds([one, two], cancel)? else {
        return Ok(f64::NAN);
    };
    // One voxel more on each side: the nearest neighbours of the masks may be unknown.
    let around =
        |axis: usize| bounds[axis].0.saturating_sub(1)..(bounds[axis].1 + 1).min(one.len_of(Axis(axis)));
    let window = s![around(0), around(1), around(2)];
    let known = known.as_ref().map(|known| known.slice(window));
    let one = surface(one.slice(window), known, cancel)?;
    let two = surface(two.slice(window), known, cancel)?;
    if !one.iter().any(|voxel| *voxel) || !two.iter().any(|voxel| *voxel) {
        return Ok(f64::NAN);
    }
    let mut distances = distances(&one, &two, spacing, cancel)?;
    distances.extend(self::distances(&two, &one, spacing, cancel)?);
    Ok(quantile(distances, 0.95))
}

/// Returns the smallest box with every true voxel of both masks, or `None` if either has none.
pub(crate) fn bounds(
    masks: [ArrayView3<'_, bool>; 2],
    cancel: &Cancel,
) -> Result<Option<[(usize, usize); 3]>, Cancelled> {
    let mut bounds = [(usize::MAX, 0); 3];
    for mask in masks {
        let mut any = false;
        for (z, slice) in mask.outer_iter().enumerate() {
            cancel.check()?;
            for ((y, x), _) in slice.indexed_iter().filter(|(_, inside)| **inside) {
                any = true;
                for (bound, at) in bounds.iter_mut().zip([z, y, x]) {
                    *bound = (bound.0.min(at), bound.1.max(at + 1));
                }
            }
        }
        if !any {
            return Ok(None);
        }
    }
    Ok(Some(bounds))
}

/// Returns the voxels of the mask with a known face neighbour outside it, or at the border of the image.
///
/// A voxel of the mask at the border of the window is at the border of the image.
fn surface(
    mask: ArrayView3<'_, bool>,
    known: Option<ArrayView3<'_, bool>>,
    cancel: &Cancel,
) -> Result<Array3<bool>, Cancelled> {
    let (depth, height, width) = mask.dim();
    let within = |at: [usize; 3]| mask[at] || known.is_some_and(|known| !known[at]);
    let mut surface = Array3::from_elem(mask.dim(), false);
    for (z, mut slice) in surface.outer_iter_mut().enumerate() {
        cancel.check()?;
        for ((y, x), voxel) in slice.indexed_iter_mut() {
            let edge = z == 0 || y == 0 || x == 0 || z + 1 == depth || y + 1 == height || x + 1 == width;
            *voxel = mask[[z, y, x]]
                && (edge
                    || !(within([z - 1, y, x])
                        && within([z + 1, y, x])
                        && within([z, y - 1, x])
                        && within([z, y + 1, x])
                        && within([z, y, x - 1])
                        && within([z, y, x + 1])));
        }
    }
    Ok(surface)
}

/// Returns the distance from each voxel of `from` to the nearest voxel of `to`.
fn distances(
    from: &Array3<bool>,
    to: &Array3<bool>,
    spacing: [f64; 3],
    cancel: &Cancel,
) -> Result<Vec<f64>, Error> {
    let mut squared = Array3::zeros(to.dim());
    let outside = to.mapv(|inside| !inside);
    edt::squared_distance_into(outside.view(), &spacing, None, squared.view_mut(), cancel)?;
    Ok(from
        .iter()
        .zip(&squared)
        .filter(|(inside, _)| **inside)
        .map(|(_, d)| f64::from(*d).sqrt())
        .collect())
}
