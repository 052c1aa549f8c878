//! Copies tensors out of their storages.

use std::sync::Arc;

use crate::array::byte_count;
use crate::limits::Budget;
use crate::node::TensorNode;
use crate::tensor::Tensor;
use crate::Error;

/// Copies a strided view out of its storage. A tensor that covers its whole storage shares it instead.
pub(crate) fn gather(
    node: &TensorNode,
    storage: &Arc<Vec<u8>>,
    budget: &mut Budget,
) -> Result<Tensor, Error> {
    let size = node.dtype.item_size();
    let outside = || {
        let what = format!(
            "tensor of shape {:?}, stride {:?} and offset {} exceeds its storage of {} elements",
            node.shape,
            node.stride,
            node.offset,
            storage.len() / size
        );
        Error::malformed(0, what)
    };
    let bytes = byte_count(&node.shape, size).ok_or_else(outside)?;
    let (dtype, shape) = (node.dtype, node.shape.clone());
    if bytes == 0 {
        return Ok(Tensor {
            dtype,
            shape,
            data: Arc::new(Vec::new()),
        });
    }
    let last = node
        .shape
        .iter()
        .zip(&node.stride)
        .try_fold(node.offset, |sum, (&n, &s)| {
            sum.checked_add(s.checked_mul(n as u64 - 1)?)
        });
    let fits = last.and_then(|l| l.checked_add(1)?.checked_mul(size as u64));
    if fits.is_none_or(|end| end > storage.len() as u64) {
        return Err(outside());
    }
    if is_contiguous(&node.shape, &node.stride) {
        let start = node.offset as usize * size;
        if bytes == storage.len() {
            return Ok(Tensor {
                dtype,
                shape,
                data: Arc::clone(storage),
            });
        }
        budget.bytes(bytes as u64)?;
        return Ok(Tensor {
            dtype,
            shape,
            data: Arc::new(storage[start..start + bytes].to_vec()),
        });
    }
    budget.bytes(bytes as u64)?;
    let mut data = Vec::with_capacity(bytes);
    let mut index = vec![0usize; shape.len()];
    for _ in 0..bytes / size {
        let at = index
            .iter()
            .zip(&node.stride)
            .map(|(&i, &s)| i * s as usize)
            .sum::<usize>();
        let start = (node.offset as usize + at) * size;
        data.extend_from_slice(&storage[start..start + size]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    Ok(Tensor {
        dtype,
        shape,
        data: Arc::new(data),
    })
}

/// Whether the strides are those of C order. The stride of an axis of length 1 is ignored.
fn is_contiguous(shape: &[usize], stride: &[u64]) -> bool {
    let mut step = 1u64;
    shape.iter().zip(stride).rev().all(|(&n, &s)| {
        let fits = n == 1 || s == step;
        step = step.saturating_mul(n as u64);
        fits
    })
}
