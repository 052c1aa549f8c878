//! Bindings to the C++ shim, which adds operations that `tch` lacks. C++ exceptions become messages.

use std::ffi::{c_char, CStr};
use std::rc::Rc;

use tch::Tensor;

use group::{Group, RawGroup};

use crate::{Error, Result};

pub(crate) mod composed;
pub(crate) mod device;
pub(crate) mod group;
pub(crate) mod record;

/// libtorch's `at::Tensor`, opaque.
#[repr(C)]
struct RawTensor {
    _private: [u8; 0],
}

/// Mirrors `LossOptions` of `shim.h`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawLossOptions {
    pub cross_entropy: f64,
    pub dice: f64,
    pub smooth: f64,
    pub ignore: f64,
    pub has_ignore: i32,
    pub batch_dice: i32,
    pub log_dice: i32,
    pub ignored_is_background: i32,
    pub weight_dice: i32,
}

/// Mirrors `SgdOptions` of `kernels.h`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct SgdOptions {
    pub learning_rate: f64,
    pub momentum: f64,
    pub weight_decay: f64,
    /// Factor applied to the gradients.
    pub scale: f64,
}

unsafe extern "C" {
    fn engine_free(message: *mut c_char);
    fn engine_norm_leaky(
        x: *const RawTensor,
        weight: *const RawTensor,
        bias: *const RawTensor,
        eps: f64,
        slope: f64,
        result: *mut *mut RawTensor,
    ) -> *mut c_char;
    fn engine_channels_last(x: *const RawTensor, result: *mut *mut RawTensor) -> *mut c_char;
    fn engine_dice_cross_entropy(
        logits: *const RawTensor,
        target: *const RawTensor,
        weight: *const RawTensor,
        class_weight: *const RawTensor,
        dice_weight: *const RawTensor,
        options: *const RawLossOptions,
        group: *const RawGroup,
        images: f64,
        result: *mut *mut RawTensor,
    ) -> *mut c_char;
    fn engine_norm(tensors: *const *const RawTensor, count: usize, result: *mut f64) -> *mut c_char;
    fn engine_sgd_step(
        parameters: *const *const RawTensor,
        gradients: *const *const RawTensor,
        momenta: *mut *mut RawTensor,
        count: usize,
        options: *const SgdOptions,
    ) -> *mut c_char;
}

/// The kernels that this processor can run: 2 for AVX-512, 1 for AVX2, 0 for any processor. `dispatch.cpp` asks once.
#[cfg(target_arch = "x86_64")]
#[unsafe(no_mangle)]
extern "C" fn engine_instruction_set() -> i32 {
    use std::arch::is_x86_feature_detected as has;
    if has!("avx512f") && has!("avx512bw") && has!("avx512vl") && has!("avx512dq") {
        return 2;
    }
    i32::from(has!("avx2") && has!("f16c"))
}

fn raw(tensor: &Tensor) -> *const RawTensor {
    tensor.as_ptr().cast()
}

fn raw_optional(tensor: Option<&Tensor>) -> *const RawTensor {
    tensor.map_or(std::ptr::null(), raw)
}

/// Converts a message of the shim into an error.
fn check(message: *mut c_char) -> Result<()> {
    if message.is_null() {
        return Ok(());
    }
    // SAFETY: a non-null message is a string that the shim allocated with strdup; the caller owns it.
    let text = unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned();
    // SAFETY: it is freed once, by its own allocator.
    unsafe { engine_free(message) };
    Err(Error::torch(&text))
}

/// Calls a shim function that makes a tensor.
fn tensor(run: impl FnOnce(*mut *mut RawTensor) -> *mut c_char) -> Result<Tensor> {
    let mut result = std::ptr::null_mut();
    check(run(&raw mut result))?;
    // SAFETY: without a message the shim stored a tensor made with `new`. `Tensor` now owns it and deletes
    // it.
    Ok(unsafe { Tensor::from_ptr(result.cast()) })
}

/// Instance normalisation and leaky ReLU of (b, c, \[z,\] y, x) float32 or bfloat16 on the CPU, channels
/// last. Differentiable. Consumes `x`; without gradients the result reuses its memory.
pub(crate) fn norm_leaky(x: Tensor, weight: &Tensor, bias: &Tensor, eps: f64, slope: f64) -> Result<Tensor> {
    // SAFETY: the pointers are to live tensors. The shim only reads them and takes its own references.
    tensor(|result| unsafe { engine_norm_leaky(raw(&x), raw(weight), raw(bias), eps, slope, result) })
}

/// The same tensor in the channels-last memory format.
pub(crate) fn channels_last(x: &Tensor) -> Result<Tensor> {
    // SAFETY: as in `norm_leaky`.
    tensor(|result| unsafe { engine_channels_last(raw(x), result) })
}

/// Loss of one scale on the CPU, a scalar; see [`crate::loss`].
pub(crate) fn dice_cross_entropy(
    logits: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    class_weight: Option<&Tensor>,
    dice_weight: Option<&Tensor>,
    options: &RawLossOptions,
    part: Option<&BatchPart>,
) -> Result<Tensor> {
    let (weight, class_weight) = (raw_optional(weight), raw_optional(class_weight));
    let dice_weight = raw_optional(dice_weight);
    let (group, images) = raw_part(part);
    // SAFETY: as in `norm_leaky`; null marks an absent tensor or group, and the options outlive the call.
    tensor(|result| unsafe {
        engine_dice_cross_entropy(
            raw(logits),
            raw(target),
            weight,
            class_weight,
            dice_weight,
            options,
            group,
            images,
            result,
        )
    })
}

/// Part of a batch that the ranks of a training share.
pub(crate) struct BatchPart {
    pub group: Rc<Group>,
    /// Images of the whole batch.
    pub images: usize,
}

/// The arguments of the shim for a part; null for a whole batch.
fn raw_part(part: Option<&BatchPart>) -> (*const RawGroup, f64) {
    part.map_or((std::ptr::null(), 0.0), |part| {
        (part.group.raw(), part.images as f64)
    })
}

/// Null for undefined tensors.
fn raw_all(tensors: &[Tensor]) -> Vec<*const RawTensor> {
    tensors
        .iter()
        .map(|t| raw_optional(t.defined().then_some(t)))
        .collect()
}

/// Euclidean norm over all defined tensors, float32 on the CPU.
pub(crate) fn norm(tensors: &[Tensor]) -> Result<f64> {
    let (pointers, mut result) = (raw_all(tensors), 0.0);
    // SAFETY: as in `norm_leaky`, for each of the `len` pointers.
    check(unsafe { engine_norm(pointers.as_ptr(), pointers.len(), &raw mut result) })?;
    Ok(result)
}

/// One step of SGD with Nesterov momentum on float32 parameters on the CPU that have a gradient. The three
/// slices have equal lengths. Missing momenta start as the gradient.
pub(crate) fn sgd_step(
    parameters: &[Tensor],
    gradients: &[Tensor],
    momenta: &mut [Option<Tensor>],
    options: SgdOptions,
) -> Result<()> {
    let (parameters, gradients) = (raw_all(parameters), raw_all(gradients));
    let count = parameters.len().min(gradients.len()).min(momenta.len());
    let before = momenta.iter().map(|m| raw_optional(m.as_ref()).cast_mut());
    let mut pointers: Vec<*mut RawTensor> = before.collect();
    // SAFETY: as in `norm_leaky`. The shim replaces only null momenta, by tensors that this function then
    // owns. It writes to parameters and momenta, which nobody else accesses meanwhile: the caller holds the
    // momenta mutably, and parameters change only here and where the network is loaded, which borrows the
    // network mutably.
    let message = unsafe {
        engine_sgd_step(
            parameters.as_ptr(),
            gradients.as_ptr(),
            pointers.as_mut_ptr(),
            count,
            &raw const options,
        )
    };
    for (momentum, pointer) in momenta
        .iter_mut()
        .zip(pointers)
        .filter(|(m, p)| m.is_none() && !p.is_null())
    {
        // SAFETY: a new pointer in place of null is a tensor made with `new`; this function owns it.
        *momentum = Some(unsafe { Tensor::from_ptr(pointer.cast()) });
    }
    check(message)
}
