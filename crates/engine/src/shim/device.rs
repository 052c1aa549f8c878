//! Copies between host and device that continue in the background, and settings of a GPU's arithmetic.

use std::ffi::c_char;

use tch::{Kind, Tensor};

use super::{check, raw, raw_all, tensor, RawTensor};
use crate::Result;

/// The shim's `std::shared_ptr<Mark>`, opaque.
#[repr(C)]
struct RawMark {
    _private: [u8; 0],
}

/// The shim's `Uploads`, opaque.
#[repr(C)]
struct RawUploads {
    _private: [u8; 0],
}

/// Mirrors `MathOptions` of `device.h`.
#[repr(C)]
struct MathOptions {
    tf32: i32,
    deterministic: i32,
}

unsafe extern "C" {
    fn engine_uploads_new(like: *const RawTensor, result: *mut *mut RawUploads) -> *mut c_char;
    fn engine_uploads_free(uploads: *mut RawUploads);
    fn engine_uploads_start(
        uploads: *const RawUploads,
        host: *const *const RawTensor,
        count: usize,
        device: *mut *mut RawTensor,
        mark: *mut *mut RawMark,
    ) -> *mut c_char;
    fn engine_wait_on_device(
        mark: *const RawMark,
        tensors: *const *const RawTensor,
        count: usize,
    ) -> *mut c_char;
    fn engine_read_later(
        tensor: *const RawTensor,
        host: *mut *mut RawTensor,
        mark: *mut *mut RawMark,
    ) -> *mut c_char;
    fn engine_wait_on_host(mark: *const RawMark) -> *mut c_char;
    fn engine_mark_free(mark: *mut RawMark);
    fn engine_set_math(options: *const MathOptions) -> *mut c_char;
}

/// A point in the work of a stream.
struct Mark(*mut RawMark);

impl Mark {
    /// Takes a mark that the shim stored; null is none.
    fn take(pointer: *mut RawMark) -> Option<Self> {
        (!pointer.is_null()).then_some(Self(pointer))
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        // SAFETY: made with `new` by the shim, owned by this value, and freed once.
        unsafe { engine_mark_free(self.0) }
    }
}

/// Copies batches to a device: for CUDA on a stream of its own, beside the running step.
pub struct Uploads(*mut RawUploads);

/// Tensors on their way to the device.
pub struct Upload {
    tensors: Vec<Tensor>,
    mark: Option<Mark>,
}

impl Uploads {
    /// Copies to the device of `like`.
    ///
    /// # Errors
    /// Any error of libtorch.
    pub fn new(like: &Tensor) -> Result<Self> {
        let mut result = std::ptr::null_mut();
        // SAFETY: `like` is a live tensor; without a message the shim stored an object that this value owns.
        check(unsafe { engine_uploads_new(raw(like), &raw mut result) })?;
        Ok(Self(result))
    }

    /// Starts the copies of CPU tensors. For CUDA the memory of `host` must stay unchanged until a result
    /// that depends on the copies was read; page-locked memory is copied without waiting.
    ///
    /// # Errors
    /// [`crate::Error::OutOfMemory`].
    pub fn start(&self, host: &[Tensor]) -> Result<Upload> {
        let pointers = raw_all(host);
        let mut copies = vec![std::ptr::null_mut(); host.len()];
        let mut mark = std::ptr::null_mut();
        // SAFETY: the pointers are to live tensors and to room for as many results; `self` owns the object.
        check(unsafe {
            engine_uploads_start(
                self.0,
                pointers.as_ptr(),
                pointers.len(),
                copies.as_mut_ptr(),
                &raw mut mark,
            )
        })?;
        Ok(Upload {
            // SAFETY: without a message the shim stored a tensor made with `new` at every place.
            tensors: copies
                .into_iter()
                .map(|p| unsafe { Tensor::from_ptr(p.cast()) })
                .collect(),
            mark: Mark::take(mark),
        })
    }
}

impl Drop for Uploads {
    fn drop(&mut self) {
        // SAFETY: made with `new` by the shim, owned by this value, and freed once.
        unsafe { engine_uploads_free(self.0) }
    }
}

impl Upload {
    /// The tensors. Work launched after this call starts after the copies.
    ///
    /// # Errors
    /// Any error of libtorch.
    pub fn finish(self) -> Result<Vec<Tensor>> {
        if let Some(mark) = &self.mark {
            let pointers = raw_all(&self.tensors);
            // SAFETY: the mark and the tensors are alive.
            check(unsafe { engine_wait_on_device(mark.0, pointers.as_ptr(), pointers.len()) })?;
        }
        Ok(self.tensors)
    }
}

/// Values on their way from the device to the host.
pub struct Readback {
    host: Tensor,
    mark: Option<Mark>,
}

impl Readback {
    /// Starts to copy scalars of one device, after the work that makes them.
    ///
    /// # Errors
    /// Any error of libtorch.
    pub fn start(scalars: &[&Tensor]) -> Result<Self> {
        Self::of(&tch::no_grad(|| Tensor::f_stack(scalars, 0))?)
    }

    /// Starts to copy a vector of a device, after the work that makes it.
    ///
    /// # Errors
    /// Any error of libtorch.
    pub fn of(values: &Tensor) -> Result<Self> {
        let mut mark = std::ptr::null_mut();
        // SAFETY: `values` is alive; the shim stores a tensor made with `new` and a mark or null.
        let host = tensor(|host| unsafe { engine_read_later(raw(values), host, &raw mut mark) })?;
        Ok(Self {
            host,
            mark: Mark::take(mark),
        })
    }

    /// Waits for the values.
    ///
    /// # Errors
    /// Errors of the device's work before.
    pub fn finish(self) -> Result<Vec<f64>> {
        if let Some(mark) = &self.mark {
            // SAFETY: the mark is alive.
            check(unsafe { engine_wait_on_host(mark.0) })?;
        }
        Ok(Vec::try_from(&self.host.f_to_kind(Kind::Double)?)?)
    }
}

/// Sets, for the whole process, whether float32 convolutions of a GPU may use TensorFloat-32, and whether
/// every run uses the same algorithms.
///
/// # Errors
/// Any error of libtorch.
pub fn set_math(tf32: bool, deterministic: bool) -> Result<()> {
    let options = MathOptions {
        tf32: i32::from(tf32),
        deterministic: i32::from(deterministic),
    };
    // SAFETY: the options outlive the call.
    check(unsafe { engine_set_math(&raw const options) })
}
