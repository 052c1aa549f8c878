//! Loss and optimiser from libtorch's operators, without reading a value of the device.

use std::ffi::c_char;

use tch::Tensor;

use super::group::RawGroup;
use super::{check, raw, raw_all, raw_optional, raw_part, tensor, BatchPart, RawLossOptions, RawTensor};
use crate::network::Gradients;
use crate::Result;

/// Mirrors `DeviceSgdOptions` of `kernels.h`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeviceSgdOptions {
    pub learning_rate: f64,
    pub momentum: f64,
    pub weight_decay: f64,
    /// Greatest norm of the gradients.
    pub clip: f64,
    /// Factor of the loss scale after `interval` steps.
    pub growth: f64,
    /// Factor of the loss scale after a step that is not finite.
    pub backoff: f64,
    pub interval: i64,
}

/// Mirrors `LossTerms` of `shim.h`.
pub(crate) struct LossTerms<'a> {
    pub label: &'a Tensor,
    pub classes: &'a Tensor,
    pub weight: Option<&'a Tensor>,
    pub mask: Option<&'a Tensor>,
    pub class_weight: Option<&'a Tensor>,
    pub share: &'a Tensor,
    pub gate: Option<&'a Tensor>,
    pub zero: &'a Tensor,
    pub eps: &'a Tensor,
    pub smooth: &'a Tensor,
    pub smooth_eps: &'a Tensor,
    pub cross_entropy: &'a Tensor,
    pub factor: f64,
    pub part: Option<&'a BatchPart>,
}

unsafe extern "C" {
    fn engine_composed_loss(
        logits: *const RawTensor,
        terms: *const *const RawTensor,
        options: *const RawLossOptions,
        factor: f64,
        group: *const RawGroup,
        images: f64,
        result: *mut *mut RawTensor,
    ) -> *mut c_char;
    fn engine_device_sgd_step(
        parameters: *const *const RawTensor,
        gradients: *const *const RawTensor,
        momenta: *mut *mut RawTensor,
        count: usize,
        all_gradients: *const RawTensor,
        options: *const DeviceSgdOptions,
        loss: *const RawTensor,
        loss_scale: *const RawTensor,
        growth_tracker: *const RawTensor,
        norm: *mut *mut RawTensor,
    ) -> *mut c_char;
    fn engine_copy_all(
        to: *const *const RawTensor,
        from: *const *const RawTensor,
        count: usize,
    ) -> *mut c_char;
}

/// Loss of one scale, a differentiable scalar; see [`crate::loss`].
pub(crate) fn loss(logits: &Tensor, terms: &LossTerms<'_>, options: &RawLossOptions) -> Result<Tensor> {
    let pointers = [
        raw(terms.label),
        raw(terms.classes),
        raw_optional(terms.weight),
        raw_optional(terms.mask),
        raw_optional(terms.class_weight),
        raw(terms.share),
        raw_optional(terms.gate),
        raw(terms.zero),
        raw(terms.eps),
        raw(terms.smooth),
        raw(terms.smooth_eps),
        raw(terms.cross_entropy),
    ];
    let (group, images) = raw_part(terms.part);
    // SAFETY: the pointers are to live tensors in the order of `LossTerms`, or null where the shim takes an
    // absent one, as the group may be. The shim takes its own references, and the options outlive the call.
    tensor(|result| unsafe {
        engine_composed_loss(
            raw(logits),
            pointers.as_ptr(),
            options,
            terms.factor,
            group,
            images,
            result,
        )
    })
}

/// Clips, unscales and makes one step of SGD with Nesterov momentum on the parameters that have a gradient,
/// and updates `loss_scale` (scale, growth tracker), all on the device. The slices have equal lengths.
/// Returns the norm of the gradients, a scalar on the device.
pub(crate) fn sgd_step(
    parameters: &[Tensor],
    gradients: &Gradients,
    momenta: &mut [Option<Tensor>],
    options: DeviceSgdOptions,
    loss: &Tensor,
    loss_scale: Option<(&Tensor, &Tensor)>,
) -> Result<Tensor> {
    let all_gradients = raw(gradients.all());
    let (parameters, gradients) = (raw_all(parameters), raw_all(gradients));
    let count = parameters.len().min(gradients.len()).min(momenta.len());
    let before = momenta.iter().map(|m| raw_optional(m.as_ref()).cast_mut());
    let mut pointers: Vec<*mut RawTensor> = before.collect();
    // SAFETY: as in `loss` for each of the `count` pointers. The shim replaces only null momenta, by tensors
    // that this function then owns. It writes to parameters and momenta, which nobody else accesses
    // meanwhile: the caller holds the momenta mutably, and parameters change only here and where the network
    // is loaded, which borrows the network mutably.
    let norm = tensor(|norm| unsafe {
        engine_device_sgd_step(
            parameters.as_ptr(),
            gradients.as_ptr(),
            pointers.as_mut_ptr(),
            count,
            all_gradients,
            &raw const options,
            raw(loss),
            raw_optional(loss_scale.map(|s| s.0)),
            raw_optional(loss_scale.map(|s| s.1)),
            norm,
        )
    });
    for (momentum, pointer) in momenta
        .iter_mut()
        .zip(pointers)
        .filter(|(m, p)| m.is_none() && !p.is_null())
    {
        // SAFETY: a new pointer in place of null is a tensor made with `new`; this function owns it.
        *momentum = Some(unsafe { Tensor::from_ptr(pointer.cast()) });
    }
    norm
}

/// Copies every defined tensor of `from` into the one of `to`, in few operators. Kinds may differ.
pub(crate) fn copy_all(to: &[&Tensor], from: &[&Tensor]) -> Result<()> {
    let pointers = |tensors: &[&Tensor]| -> Vec<*const RawTensor> {
        tensors
            .iter()
            .map(|t| raw_optional(t.defined().then_some(*t)))
            .collect()
    };
    let (to, from) = (pointers(to), pointers(from));
    // SAFETY: as in `loss`; the shim skips null. Nobody else writes to the targets meanwhile, as libtorch's
    // own `copy_` requires.
    check(unsafe { engine_copy_all(to.as_ptr(), from.as_ptr(), to.len().min(from.len())) })
}
