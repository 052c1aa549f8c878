//! Resampling of segmentations.

use ndarray::{Array3, ArrayView3};
use run::Cancel;

use crate::data::Resampling;
use crate::label::{resize_labels, Rule};
use crate::taps::Grid;
use crate::{Error, Order};

/// Resizes a `(z, y, x)` segmentation as batchgenerators' `resize_segmentation`. Every label's mask is
/// resized. A voxel gets the largest label whose mask is at least one half, or 0 if there is none. -1 is a
/// label like any other.
///
/// If `unlabelled` is given (-1 for voxels without annotation), that label wins ties and gets the voxels that
/// no label wins. Resizing then never turns unlabelled voxels into background, or into a class without a
/// majority.
///
/// # Errors
/// [`Error::EmptyShape`].
pub fn resize_segmentation(
    labels: ArrayView3<'_, i16>,
    shape: [usize; 3],
    order: Order,
    unlabelled: Option<i16>,
) -> Result<Array3<i16>, Error> {
    let to = Resampling {
        shape,
        separate_axis: None,
        order,
        order_z: Order::Nearest,
    };
    resample_segmentation(labels, &to, unlabelled, &Cancel::new())
}

/// Resamples a `(z, y, x)` segmentation, as nnU-Net's `resample_data_or_seg(is_seg=True)`. Without a separate
/// axis this is [`resize_segmentation`]. With a separate axis, slices are first resized in that way. Along
/// the axis, the nearest slice is used (order 0), or a label needs more than half of the weight (orders 1 and
/// 3).
///
/// # Errors
/// [`Error::EmptyShape`], [`Error::Axis`]; [`Error::Cancelled`] within the work of a few rows.
pub fn resample_segmentation(
    labels: ArrayView3<'_, i16>,
    to: &Resampling,
    unlabelled: Option<i16>,
    cancel: &Cancel,
) -> Result<Array3<i16>, Error> {
    let found: [usize; 3] = labels.dim().into();
    let method = to.method(found, Grid::Cells)?;
    if to.shape == found {
        return Ok(labels.as_standard_layout().into_owned());
    }
    let (forward, back) = to.permutation();
    let labels = labels.permuted_axes(forward);
    let labels = labels.as_standard_layout();
    let values = labels.as_slice().unwrap_or_default();
    let [in_plane, copied] = [(to.order, Grid::Cells), (Order::Nearest, Grid::Cells)];
    let loose = Rule {
        strict: false,
        unlabelled,
    };
    let resized = match method.separate {
        None => resize_labels(
            values,
            method.shape_in,
            method.shape_out,
            [in_plane; 3],
            loose,
            cancel,
        )?,
        Some((order, grid)) if method.staged() => {
            let between = [method.shape_in[0], method.shape_out[1], method.shape_out[2]];
            let slices = resize_labels(
                values,
                method.shape_in,
                between,
                [copied, in_plane, in_plane],
                loose,
                cancel,
            )?;
            let strict = Rule {
                strict: true,
                unlabelled,
            };
            resize_labels(
                &slices,
                between,
                method.shape_out,
                [(order, grid), copied, copied],
                strict,
                cancel,
            )?
        }
        Some(_) => resize_labels(
            values,
            method.shape_in,
            method.shape_out,
            [copied, in_plane, in_plane],
            loose,
            cancel,
        )?,
    };
    let shape = method.shape_out;
    let resized = Array3::from_shape_vec(shape, resized).map_err(|_| Error::EmptyShape {
        found: found.to_vec(),
        expected: shape.to_vec(),
    })?;
    Ok(resized.permuted_axes(back).as_standard_layout().into_owned())
}
