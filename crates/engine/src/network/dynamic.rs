//! nnU-Net v2's networks, for prediction.

use std::collections::BTreeMap;

use ndarray::ArrayD;
use tch::{Device, Kind, Tensor};
use v2::architecture::Activation;
use v2::Architecture;

use super::ops::{leaky, Ops};
use super::unet::Weights;
use crate::{tensor, Error, Kernels, Result};

mod graph;

use graph::{Block, ConvBlock, Graph, Normalisation, ResidualBlock, Source};

/// `PlainConvUNet` or `ResidualEncoderUNet` of `dynamic_network_architectures` 0.4.4, without dropout and without the heads
/// of deep supervision.
pub struct DynamicUNet {
    architecture: Architecture,
    graph: Graph,
    parameters: Vec<Tensor>,
    device: Device,
    kernels: Kernels,
    pub(super) channels: i64,
    pub(super) outputs: i64,
}

impl DynamicUNet {
    /// A network for images of `channels` channels that gives `outputs` logits, with parameters of `state` by their names in
    /// [`v2::CheckpointFile`].
    ///
    /// # Errors
    /// [`Error::Network`] if a parameter is missing or unknown, or its shape differs; [`Error::OutOfMemory`].
    pub fn from_state(
        architecture: Architecture,
        channels: usize,
        outputs: usize,
        state: &BTreeMap<String, ArrayD<f32>>,
        device: Device,
    ) -> Result<Self> {
        let (channels, outputs) = (channels as i64, outputs as i64);
        let graph = Graph::new(&architecture, channels, outputs);
        let mut parameters = Vec::with_capacity(graph.parameters.len());
        for parameter in &graph.parameters {
            let values = match parameter.source {
                Source::Constant(value) => {
                    let options = (Kind::Float, device);
                    parameters.push(Tensor::f_full(parameter.shape.as_slice(), value, options)?);
                    continue;
                }
                Source::State => state.get(&parameter.name).ok_or_else(|| {
                    Error::network(format!(
                        "the checkpoint has no parameter {}, which the network of these plans has",
                        parameter.name
                    ))
                })?,
            };
            let shape: Vec<i64> = values.shape().iter().map(|&n| n as i64).collect();
            if shape != parameter.shape {
                return Err(Error::network(format!(
                    "parameter {} has shape {shape:?}; expected {:?} from plans.json and dataset.json; is it the checkpoint of \
                     another model or configuration?",
                    parameter.name, parameter.shape
                )));
            }
            parameters.push(tensor::from_array(&values.view())?.f_to_device(device)?);
        }
        if let Some(name) = state.keys().find(|name| !graph.knows(name)) {
            return Err(Error::network(format!(
                "the checkpoint has parameter {name}, which is not in the network of these plans"
            )));
        }
        Ok(Self {
            architecture,
            graph,
            parameters,
            device,
            kernels: Kernels::of(device),
            channels,
            outputs,
        })
    }

    /// Names and shapes of the parameters that [`from_state`](Self::from_state) needs.
    #[must_use]
    pub fn parameters_of(
        architecture: &Architecture,
        channels: usize,
        outputs: usize,
    ) -> Vec<(String, Vec<usize>)> {
        let graph = Graph::new(architecture, channels as i64, outputs as i64);
        let needed = graph
            .parameters
            .into_iter()
            .filter(|p| matches!(p.source, Source::State));
        needed
            .map(|p| (p.name, p.shape.into_iter().map(|n| n as usize).collect()))
            .collect()
    }

    /// The same network with other kernels.
    #[must_use]
    pub fn with_kernels(self, kernels: Kernels) -> Self {
        Self { kernels, ..self }
    }

    /// The architecture of this network.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Device of the parameters.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The parameters for forward passes in `kind` (float32, bfloat16, float16). Those of normalisations stay float32.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn weights(&self, kind: Kind) -> Result<Weights> {
        let cast = |(tensor, parameter): (&Tensor, &graph::Parameter)| {
            Ok(match parameter.norm {
                true => tensor.shallow_clone(),
                false => tensor.f_to_kind(kind)?,
            })
        };
        let tensors = self.parameters.iter().zip(&self.graph.parameters).map(cast);
        Ok(Weights {
            tensors: tensors.collect::<Result<_>>()?,
            kind,
            buffers: None,
        })
    }

    /// Float32 logits (b, output, \[z,\] y, x) of an input (b, channel, \[z,\] y, x).
    ///
    /// # Errors
    /// [`Error::OutOfMemory`], or [`Error::Torch`] for an input that is not divisible by the strides.
    pub fn forward(&self, input: &Tensor, weights: &Weights) -> Result<Tensor> {
        let pass = Pass {
            ops: Ops {
                device: self.device,
                kernels: self.kernels,
            },
            activation: self.architecture.activation,
            tensors: &weights.tensors,
        };
        let mut x = pass.ops.input(input, weights.kind)?;
        if let Some(stem) = &self.graph.stem {
            x = pass.convolution(&x, stem)?;
        }
        let mut skips = Vec::with_capacity(self.graph.encoder.len());
        for stage in &self.graph.encoder {
            x = pass.stage(x, stage)?;
            skips.push(x.shallow_clone());
        }
        skips.pop();
        for stage in &self.graph.decoder {
            let up = &stage.up;
            x = pass
                .ops
                .transposed(&x, pass.at(up.weight), up.bias.map(|b| pass.at(b)), &up.stride)?;
            let skip = skips
                .pop()
                .ok_or_else(|| Error::network("no skip connection left"))?;
            x = Tensor::f_cat(&[x, skip], 1)?;
            x = pass.stage(x, &stage.blocks)?;
        }
        Ok(pass.apply(&x, &self.graph.head)?.f_to_kind(Kind::Float)?)
    }
}

/// A forward pass.
struct Pass<'a> {
    ops: Ops,
    activation: Activation,
    tensors: &'a [Tensor],
}

impl Pass<'_> {
    fn at(&self, index: usize) -> &Tensor {
        &self.tensors[index]
    }

    fn stage(&self, mut x: Tensor, blocks: &[Block]) -> Result<Tensor> {
        for block in blocks {
            x = match block {
                Block::Convolution(block) => self.convolution(&x, block)?,
                Block::Residual(block) => self.residual(&x, block)?,
            };
        }
        Ok(x)
    }

    fn apply(&self, x: &Tensor, conv: &graph::Conv) -> Result<Tensor> {
        let bias = conv.bias.map(|index| self.at(index));
        self.ops
            .convolution(x, self.at(conv.weight), bias, &conv.stride, &conv.padding)
    }

    fn convolution(&self, x: &Tensor, block: &ConvBlock) -> Result<Tensor> {
        let x = self.apply(x, &block.conv)?;
        let activation = if block.activated {
            self.activation
        } else {
            Activation::Identity
        };
        match (&block.norm, block.activation_first) {
            (None, _) => activate(x, activation),
            (Some(norm), true) => self.normalise(activate(x, activation)?, norm, Activation::Identity),
            (Some(norm), false) => self.normalise(x, norm, activation),
        }
    }

    /// Normalises and then activates.
    fn normalise(&self, x: Tensor, norm: &Normalisation, activation: Activation) -> Result<Tensor> {
        let (weight, bias) = (self.at(norm.weight), self.at(norm.bias));
        let Some((mean, variance)) = norm.running else {
            if let Activation::LeakyRelu { slope } = activation {
                return self.ops.norm_leaky(x, weight, bias, norm.eps, slope);
            }
            return activate(self.ops.norm_leaky(x, weight, bias, norm.eps, 1.0)?, activation);
        };
        let (mean, variance) = (Some(self.at(mean)), Some(self.at(variance)));
        let x = x.f_batch_norm(
            Some(weight),
            Some(bias),
            mean,
            variance,
            false,
            0.1,
            norm.eps,
            true,
        )?;
        activate(x, activation)
    }

    fn residual(&self, x: &Tensor, block: &ResidualBlock) -> Result<Tensor> {
        let mut out = x.shallow_clone();
        for step in &block.path {
            out = self.convolution(&out, step)?;
        }
        let mut residual = x.shallow_clone();
        if let Some(stride) = &block.pool {
            residual = pool(&residual, stride)?;
        }
        if let Some(projection) = &block.projection {
            residual = self.convolution(&residual, projection)?;
        }
        activate(out.f_add_(&residual)?, self.activation)
    }
}

/// Mean pooling whose window is its stride, which divides the size. libtorch's own `avg_pool3d` has no bfloat16 on the CPU.
fn pool(x: &Tensor, stride: &[i64]) -> Result<Tensor> {
    let size = x.size();
    let mut windows = size[..2].to_vec();
    for (length, stride) in size[2..].iter().zip(stride) {
        windows.extend([length / stride, *stride]);
    }
    let axes: Vec<i64> = (0..stride.len() as i64).map(|axis| 2 * axis + 3).collect();
    Ok(x.f_view(windows.as_slice())?
        .f_mean_dim(axes.as_slice(), false, x.kind())?)
}

/// Applies an activation in place.
fn activate(mut x: Tensor, activation: Activation) -> Result<Tensor> {
    Ok(match activation {
        Activation::Identity => x,
        Activation::LeakyRelu { slope } => leaky(&mut x, slope)?,
        // `tch` gives no alpha to libtorch's operator: x where it is positive, else alpha * (exp(x) - 1).
        Activation::Elu { alpha } => {
            let negative = x.f_clamp_max(0.0)?.f_expm1_()?.f_mul_scalar_(alpha)?;
            x.f_relu_()?.f_add_(&negative)?
        }
        Activation::Gelu { tanh } => x.f_gelu_(if tanh { "tanh" } else { "none" })?,
        Activation::Silu => x.f_silu_()?,
        Activation::Mish => x.f_mish_()?,
    })
}

#[cfg(test)]
mod tests;
