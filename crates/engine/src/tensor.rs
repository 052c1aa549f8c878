//! Conversion between `ndarray` and libtorch.

use ndarray::{ArrayD, ArrayViewD, IxDyn};
use tch::{Device, Kind, Tensor};

use crate::{Error, Result};

/// Copies a float32 array into a CPU tensor of the same shape.
///
/// # Errors
/// [`Error::OutOfMemory`].
pub fn from_array(array: &ArrayViewD<'_, f32>) -> Result<Tensor> {
    let shape: Vec<i64> = array.shape().iter().map(|&n| n as i64).collect();
    let flat = match array.as_slice() {
        Some(values) => Tensor::f_from_slice(values)?,
        None => Tensor::f_from_slice(&array.iter().copied().collect::<Vec<_>>())?,
    };
    Ok(flat.f_reshape(shape)?)
}

/// Copies a tensor of any floating-point kind and device into a float32 array of the same shape.
///
/// # Errors
/// Any error of libtorch.
pub fn to_array(tensor: &Tensor) -> Result<ArrayD<f32>> {
    let plain = tensor
        .f_detach()?
        .f_to_device(Device::Cpu)?
        .f_to_kind(Kind::Float)?
        .f_contiguous()?;
    let mut values = vec![0f32; plain.numel()];
    let count = values.len();
    plain.f_copy_data(&mut values, count)?;
    let shape: Vec<usize> = plain.size().iter().map(|&n| n as usize).collect();
    ArrayD::from_shape_vec(IxDyn(&shape), values).map_err(|e| Error::torch(&e.to_string()))
}
