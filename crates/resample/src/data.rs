//! Resampling of images between spacings.

use ndarray::{Array4, ArrayView3, ArrayView4, Axis};
use run::Cancel;

use crate::channel::Method;
use crate::resize::check_shapes;
use crate::spacing::{resampled_shape, separate_axis};
use crate::taps::Grid;
use crate::{Error, Order, SeparateZ};

/// Target of a resampling: nnU-Net's arguments of `resample_data_or_seg`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resampling {
    /// New shape, in the array's axis order.
    pub shape: [usize; 3],
    /// Axis that is resampled after the slices across it, if any.
    pub separate_axis: Option<usize>,
    /// Interpolation order in plane, or of all axes.
    pub order: Order,
    /// Interpolation order along the separate axis (0 in nnU-Net).
    pub order_z: Order,
}

impl Resampling {
    /// Returns nnU-Net's resampling of `shape` voxels between two spacings (mm, in the array's axis order),
    /// with order 0 along the separate axis.
    ///
    /// # Errors
    /// [`Error::Spacing`].
    pub fn between(
        shape: [usize; 3],
        original_spacing: [f64; 3],
        target_spacing: [f64; 3],
        rule: SeparateZ,
        order: Order,
    ) -> Result<Self, Error> {
        let threshold = crate::ANISOTROPY_THRESHOLD;
        Ok(Self {
            shape: resampled_shape(shape, original_spacing, target_spacing)?,
            separate_axis: separate_axis(original_spacing, target_spacing, rule, threshold)?,
            order,
            order_z: Order::Nearest,
        })
    }

    /// Returns the axis order with the separate axis first, and its inverse.
    pub(crate) fn permutation(&self) -> ([usize; 3], [usize; 3]) {
        match self.separate_axis {
            Some(1) => ([1, 0, 2], [1, 0, 2]),
            Some(2) => ([2, 0, 1], [1, 2, 0]),
            _ => ([0, 1, 2], [0, 1, 2]),
        }
    }

    /// Returns the method for volumes of shape `shape_in`, both permuted.
    pub(crate) fn method(&self, shape_in: [usize; 3], grid_z: Grid) -> Result<Method, Error> {
        check_shapes(&shape_in, &self.shape)?;
        if let Some(found @ 3..) = self.separate_axis {
            return Err(Error::Axis { found });
        }
        let (forward, _) = self.permutation();
        Ok(Method {
            shape_in: forward.map(|axis| shape_in[axis]),
            shape_out: forward.map(|axis| self.shape[axis]),
            order: self.order,
            separate: self.separate_axis.map(|_| (self.order_z, grid_z)),
        })
    }
}

/// Resamples a `(channel, z, y, x)` image, as nnU-Net's `resample_data_or_seg(is_seg=False)`. Order 3 is
/// clipped to the range of the channel, or of each slice with a separate axis.
///
/// Memory in addition to the result: one copy of one channel for order 3; one channel of resampled slices
/// with a separate axis of order 1 or 3; one resampled channel with a separate axis other than 0.
///
/// # Errors
/// [`Error::EmptyShape`], [`Error::Axis`]; [`Error::Cancelled`] within the work of a few rows.
pub fn resample_data(
    data: ArrayView4<'_, f32>,
    to: &Resampling,
    cancel: &Cancel,
) -> Result<Array4<f32>, Error> {
    resample_on(data, to, Grid::Cells, cancel)
}

pub(crate) fn resample_on(
    data: ArrayView4<'_, f32>,
    to: &Resampling,
    grid_z: Grid,
    cancel: &Cancel,
) -> Result<Array4<f32>, Error> {
    let (channels, z, y, x) = data.dim();
    let method = to.method([z, y, x], grid_z)?;
    if to.shape == [z, y, x] {
        return Ok(data.as_standard_layout().into_owned());
    }
    let (forward, back) = to.permutation();
    let mut out = Array4::zeros((channels, to.shape[0], to.shape[1], to.shape[2]));
    run::prefer_large_pages(out.as_slice_mut().unwrap_or_default());
    for (volume, mut result) in data.axis_iter(Axis(0)).zip(out.axis_iter_mut(Axis(0))) {
        let channel = method.channel(volume.permuted_axes(forward), cancel)?;
        match result.as_slice_mut() {
            Some(values) if forward == [0, 1, 2] => channel.render(values, method.shape_out, cancel)?,
            _ => {
                let mut values = vec![0.0; method.shape_out.iter().product()];
                channel.render(&mut values, method.shape_out, cancel)?;
                if let Ok(volume) = ArrayView3::from_shape(method.shape_out, &values) {
                    result.assign(&volume.permuted_axes(back));
                }
            }
        }
    }
    Ok(out)
}
