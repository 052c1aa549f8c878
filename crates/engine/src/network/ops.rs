//! The operators that networks consist of, for both kinds of kernels.

use tch::{Device, Kind, Tensor};

use crate::{shim, Kernels, Result};

/// Operators of a network on a device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ops {
    pub device: Device,
    pub kernels: Kernels,
}

impl Ops {
    /// An input in the kind and memory format of the network.
    pub fn input(self, input: &Tensor, kind: Kind) -> Result<Tensor> {
        let x = input.f_to_kind(kind)?;
        match self.kernels {
            Kernels::Fused => shim::channels_last(&x),
            // libtorch's instance normalisation takes only its default format, so that channels last would cost two
            // copies for each convolution.
            Kernels::Composed => Ok(x),
        }
    }

    /// Instance normalisation and leaky ReLU. Consumes `x`.
    pub fn norm_leaky(
        self,
        x: Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        eps: f64,
        slope: f64,
    ) -> Result<Tensor> {
        if self.kernels == Kernels::Fused {
            return shim::norm_leaky(x, gamma, beta, eps, slope);
        }
        let none = None::<&Tensor>;
        let mut x = x.f_instance_norm(Some(gamma), Some(beta), none, None, true, 0.1, eps, true)?;
        leaky(&mut x, slope)
    }

    /// With a kernel of three on two slices, libtorch 2.11 (oneDNN) leaves parts of the weights' bfloat16
    /// gradient uninitialised on the CPU. Such feature maps are small, so computing them in float32 costs
    /// little.
    fn gradient_needs_float32(self, x: &Tensor, weight: &Tensor, stride: &[i64]) -> bool {
        let two_slices = || x.size()[2] == 2 && weight.size()[2] == 3 && stride[0] == 1;
        self.device == Device::Cpu && x.kind() == Kind::BFloat16 && stride.len() == 3 && two_slices()
    }

    /// Convolution over two or three axes.
    pub fn convolution(
        self,
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        stride: &[i64],
        padding: &[i64],
    ) -> Result<Tensor> {
        if self.gradient_needs_float32(x, weight, stride) {
            let single = |t: &Tensor| t.f_to_kind(Kind::Float);
            let bias = bias.map(single).transpose()?;
            let result = self.convolution(&single(x)?, &single(weight)?, bias.as_ref(), stride, padding)?;
            return Ok(result.f_to_kind(x.kind())?);
        }
        Ok(match stride.len() {
            2 => x.f_conv2d(weight, bias, stride, padding, [1, 1], 1)?,
            _ => x.f_conv3d(weight, bias, stride, padding, [1, 1, 1], 1)?,
        })
    }

    /// Transposed convolution whose kernel is its stride.
    pub fn transposed(
        self,
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        stride: &[i64],
    ) -> Result<Tensor> {
        Ok(match stride.len() {
            2 => x.f_conv_transpose2d(weight, bias, stride, [0, 0], [0, 0], 1, [1, 1])?,
            _ => x.f_conv_transpose3d(weight, bias, stride, [0, 0, 0], [0, 0, 0], 1, [1, 1, 1])?,
        })
    }
}

/// Leaky ReLU in place. A slope of 1 changes nothing.
pub(super) fn leaky(x: &mut Tensor, slope: f64) -> Result<Tensor> {
    // libtorch's default slope; `tch` gives no other one to its operator.
    if slope == 0.01 {
        return Ok(x.f_leaky_relu_()?);
    }
    if slope == 0.0 {
        return Ok(x.f_relu_()?);
    }
    if slope == 1.0 {
        return Ok(x.shallow_clone());
    }
    let slope = Tensor::f_from_slice(&[slope as f32])?
        .f_to_device(x.device())?
        .f_to_kind(x.kind())?;
    Ok(x.f_prelu(&slope)?)
}
