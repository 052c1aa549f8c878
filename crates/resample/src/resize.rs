//! `skimage.transform.resize`.

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Axis};
use run::Cancel;

use crate::channel::Method;
use crate::{Error, Order, Real};

/// Resizes a `(z, y, x)` volume as `skimage.transform.resize(volume, shape, order, mode='edge',
/// anti_aliasing=False)`.
///
/// Additional memory: none for orders 0 and 1, one copy of the input for order 3, and for an input that is
/// not C-contiguous. Computes in `f64`, except that order 3 on `f32` computes in `f32`.
///
/// # Errors
/// [`Error::EmptyShape`].
///
/// # Example
/// ```
/// let ramp = ndarray::Array3::from_shape_fn((1, 1, 4), |(_, _, x)| x as f32);
/// let twice = resample::resize(ramp.view(), [1, 1, 8], resample::Order::Linear)?;
/// assert_eq!(twice.as_slice(), Some(&[0.0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.0][..]));
/// # Ok::<(), resample::Error>(())
/// ```
pub fn resize<S: Real>(
    volume: ArrayView3<'_, S>,
    shape: [usize; 3],
    order: Order,
) -> Result<Array3<S>, Error> {
    let method = Method {
        shape_in: volume.dim().into(),
        shape_out: shape,
        order,
        separate: None,
    };
    check_shapes(&method.shape_in, &shape)?;
    let mut out = Array3::from_elem(shape, S::default());
    if let Some(values) = out.as_slice_mut() {
        let never = Cancel::new();
        method.channel(volume, &never)?.render(values, shape, &never)?;
    }
    Ok(out)
}

/// [`resize`] of a `(y, x)` image.
///
/// # Errors
/// [`Error::EmptyShape`].
pub fn resize_2d<S: Real>(
    image: ArrayView2<'_, S>,
    shape: [usize; 2],
    order: Order,
) -> Result<Array2<S>, Error> {
    let volume = resize(image.insert_axis(Axis(0)), [1, shape[0], shape[1]], order)?;
    Ok(volume.index_axis_move(Axis(0), 0))
}

pub(crate) fn check_shapes(found: &[usize], expected: &[usize]) -> Result<(), Error> {
    if found.contains(&0) || expected.contains(&0) {
        return Err(Error::EmptyShape {
            found: found.to_vec(),
            expected: expected.to_vec(),
        });
    }
    Ok(())
}
