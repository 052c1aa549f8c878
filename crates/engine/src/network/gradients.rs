//! Gradients of all parameters in one tensor.

use tch::{Device, Kind, Tensor};

use crate::Result;

/// Gradients of a network: float32, one per parameter, undefined for one that the loss does not depend on.
pub struct Gradients {
    tensors: Vec<Tensor>,
    /// What `tensors` are parts of, with zeros elsewhere.
    all: Tensor,
}

impl Gradients {
    /// Zeros of the shapes of `parameters`, as parts of one tensor.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn zeros(parameters: &[Tensor]) -> Result<Self> {
        // Starts at multiples of 64 bytes, as for tensors of their own.
        let length = |tensor: &Tensor| (tensor.numel().div_ceil(16) * 16) as i64;
        let device = parameters.first().map_or(Device::Cpu, Tensor::device);
        let all = Tensor::f_zeros([parameters.iter().map(length).sum()], (Kind::Float, device))?;
        let mut start = 0;
        let mut part = |parameter: &Tensor| -> Result<Tensor> {
            let part = all.f_narrow(0, start, parameter.numel() as i64)?;
            start += length(parameter);
            Ok(part.f_view(parameter.size().as_slice())?)
        };
        let tensors = parameters.iter().map(&mut part).collect::<Result<_>>()?;
        Ok(Self { tensors, all })
    }

    /// Only those that `keep` accepts by index; the others are undefined.
    pub(crate) fn only(&self, keep: impl Fn(usize) -> bool) -> Self {
        let tensors = self.tensors.iter().enumerate().map(|(index, tensor)| {
            if keep(index) {
                tensor.shallow_clone()
            } else {
                Tensor::new()
            }
        });
        Self {
            tensors: tensors.collect(),
            all: self.all.shallow_clone(),
        }
    }

    /// One tensor with the values of all gradients, and zeros.
    pub fn all(&self) -> &Tensor {
        &self.all
    }
}

impl std::ops::Deref for Gradients {
    type Target = [Tensor];

    fn deref(&self) -> &[Tensor] {
        &self.tensors
    }
}
