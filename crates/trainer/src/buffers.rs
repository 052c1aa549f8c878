//! Batch memory with asynchronous copies to a GPU.

use std::sync::Arc;

use loader::{Buffer, BufferSource, HeapBuffers};
use tch::{Device, Kind, Tensor};

/// Memory of batches for a device: page-locked for CUDA, which copies from it asynchronously, else ordinary
/// memory.
pub(crate) fn buffers_for(device: Device) -> Arc<dyn BufferSource> {
    match device {
        Device::Cuda(_) => Arc::new(PinnedBuffers(device)),
        _ => Arc::new(HeapBuffers),
    }
}

struct PinnedBuffers(Device);

impl BufferSource for PinnedBuffers {
    fn allocate(&self, length: usize) -> Result<Box<dyn Buffer>, String> {
        let zeros =
            Tensor::f_zeros([length as i64], (Kind::Float, Device::Cpu)).map_err(|e| e.to_string())?;
        let tensor = zeros.f_pin_memory(self.0).map_err(|e| e.to_string())?;
        Ok(Box::new(Pinned {
            start: tensor.data_ptr().cast(),
            length,
            _tensor: tensor,
        }))
    }
}

/// A tensor with a single owner, accessible as a slice.
struct Pinned {
    start: *mut f32,
    length: usize,
    _tensor: Tensor,
}

// SAFETY: this value owns the only reference to the tensor. Access to its memory follows the borrows of
// `as_slice` and `as_mut_slice`. libtorch may free it on any thread.
unsafe impl Send for Pinned {}
// SAFETY: as for `Send`; shared references only read.
unsafe impl Sync for Pinned {}

impl Buffer for Pinned {
    fn as_slice(&self) -> &[f32] {
        // SAFETY: `start` points to `length` float32 of the contiguous tensor kept alive beside it, all
        // initialised.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }

    fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: as in `as_slice`; the exclusive borrow of this value is one of the memory.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.length) }
    }
}
