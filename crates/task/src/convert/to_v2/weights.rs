//! The parameters of a network of nnU-Net v1, as those of v2's `PlainConvUNet`.
//!
//! v1's transposed convolutions and segmentation heads have no bias; v2's have one of 0 then. In a stage of v2's decoder,
//! kernels are those of the encoder's stage with the same resolution; v1's are those of the next coarser one. A smaller
//! kernel is surrounded by zeros, which gives the same result.

use std::path::Path;

use dataset::{Plans, StagePlan};
use pickle::torch::{Tensor, TensorType};
use pickle::{Dict, Value};

use crate::Error;

/// The shape of a network, from the plans and from a checkpoint.
#[derive(Debug, PartialEq)]
pub(super) struct Network {
    /// Channels of each stage, finest first.
    pub features: Vec<usize>,
    /// Kernel of each stage.
    pub kernels: Vec<Vec<usize>>,
    /// Stride of each stage.
    pub strides: Vec<Vec<usize>>,
    /// Convolutions of each stage of encoder and decoder.
    pub convolutions: usize,
}

/// The parameters of a checkpoint.
pub(super) struct Checkpoint<'a> {
    pub path: &'a Path,
    pub state: &'a Dict,
}

impl Network {
    /// The network of a checkpoint.
    pub fn new(plans: &Plans, stage: &StagePlan, checkpoint: &Checkpoint<'_>) -> Result<Self, Error> {
        let depth = stage.pool_op_kernel_sizes.len();
        let axes = stage.patch_size.len();
        let sizes = stage.pool_op_kernel_sizes.iter().chain(&stage.conv_kernel_sizes);
        if stage.conv_kernel_sizes.len() != depth + 1
            || depth == 0
            || sizes.into_iter().any(|s| s.len() != axes)
        {
            return Err(checkpoint.wrong(format!(
                "the plans have poolings {:?} and kernels {:?} for a patch of {axes} axes",
                stage.pool_op_kernel_sizes, stage.conv_kernel_sizes
            )));
        }
        let larger = |d: usize, axis: usize| {
            let next = stage
                .conv_kernel_sizes
                .get(d + 1)
                .map_or(1, |kernel| kernel[axis]);
            stage.conv_kernel_sizes[d][axis].max(next)
        };
        let kernels = (0..=depth).map(|d| match d == depth {
            true => stage.conv_kernel_sizes[d].clone(),
            false => (0..axes).map(|axis| larger(d, axis)).collect(),
        });
        let first = std::iter::once(vec![1; axes]);
        let convolutions = plans.conv_per_stage.max(1);
        let features = (0..=depth).map(|d| {
            let name = format!(
                "{}.conv.weight",
                encoder(d, convolutions - 1, depth, convolutions)
            );
            Ok::<_, Error>(
                checkpoint
                    .tensor(&name)?
                    .shape
                    .first()
                    .copied()
                    .unwrap_or_default(),
            )
        });
        Ok(Self {
            features: features.collect::<Result<_, _>>()?,
            kernels: kernels.collect(),
            strides: first.chain(stage.pool_op_kernel_sizes.iter().cloned()).collect(),
            convolutions,
        })
    }

    /// The `network_weights` of v2's checkpoint, with the second names that v2's modules have.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for a parameter that is missing, is not of `nnUNetTrainerV2`'s network, or is not float32.
    pub fn weights(&self, checkpoint: &Checkpoint<'_>) -> Result<Dict, Error> {
        let depth = self.features.len() - 1;
        let mut used = 0;
        let mut encoded = Vec::new();
        for d in 0..=depth {
            for i in 0..self.convolutions {
                let from = encoder(d, i, depth, self.convolutions);
                let block = self.block(checkpoint, &from, &self.kernels[d])?;
                encoded.push((format!("stages.{d}.0.convs.{i}"), block));
                used += 4;
            }
        }
        let mut out = Dict::ordered();
        for (name, block) in &encoded {
            set_block(&mut out, &format!("encoder.{name}"), block);
        }
        for (name, block) in &encoded {
            set_block(&mut out, &format!("decoder.encoder.{name}"), block);
        }
        for u in 0..depth {
            for i in 0..self.convolutions {
                let name = match i + 1 < self.convolutions {
                    true => format!("0.blocks.{i}"),
                    false => "1.blocks.0".to_owned(),
                };
                let from = format!("conv_blocks_localization.{u}.{name}");
                let block = self.block(checkpoint, &from, &self.kernels[depth - 1 - u])?;
                set_block(&mut out, &format!("decoder.stages.{u}.convs.{i}"), &block);
                used += 4;
            }
        }
        for (from, to, outputs) in [("tu", "transpconvs", 1), ("seg_outputs", "seg_layers", 0)] {
            for u in 0..depth {
                let weight = checkpoint.tensor(&format!("{from}.{u}.weight"))?;
                let count = weight.shape.get(outputs).copied().unwrap_or_default();
                let name = format!("{from}.{u}.bias");
                let bias = match checkpoint.state.get(&name) {
                    Some(_) => {
                        used += 1;
                        checkpoint.tensor(&name)?.clone()
                    }
                    None => Tensor::from_f32(vec![count], &vec![0.0; count])?,
                };
                out.set(format!("decoder.{to}.{u}.weight"), Value::Tensor(weight.clone()));
                out.set(format!("decoder.{to}.{u}.bias"), Value::Tensor(bias));
                used += 1;
            }
        }
        if used != checkpoint.state.len() {
            return Err(checkpoint.wrong(format!(
                "it has {} parameters, {used} of which are of the network of nnUNetTrainerV2; PlainConvUNet has no place for \
                 the others",
                checkpoint.state.len()
            )));
        }
        Ok(out)
    }

    /// Convolution and normalisation.
    fn block(&self, checkpoint: &Checkpoint<'_>, name: &str, kernel: &[usize]) -> Result<[Tensor; 4], Error> {
        let tensor = |part: &str| checkpoint.tensor(&format!("{name}.{part}"));
        let weight = tensor("conv.weight")?;
        let padded = padded(weight, kernel).ok_or_else(|| {
            checkpoint.wrong(format!(
                "{name}.conv.weight has the shape {:?}; the plans have the kernel {kernel:?}",
                weight.shape
            ))
        })?;
        Ok([
            padded,
            tensor("conv.bias")?.clone(),
            tensor("instnorm.weight")?.clone(),
            tensor("instnorm.bias")?.clone(),
        ])
    }
}

impl Checkpoint<'_> {
    fn wrong(&self, problem: String) -> Error {
        Error::Checkpoint {
            path: self.path.to_owned(),
            problem,
        }
    }

    fn tensor(&self, name: &str) -> Result<&Tensor, Error> {
        match self.state.get(name) {
            Some(Value::Tensor(tensor)) if tensor.dtype == TensorType::F32 => Ok(tensor),
            Some(Value::Tensor(tensor)) => {
                Err(self.wrong(format!("{name} is {}; expected float32", tensor.dtype.name())))
            }
            Some(other) => Err(self.wrong(format!("{name} is {}; expected a tensor", other.type_name()))),
            None => Err(self.wrong(format!(
                "it has no {name}; only the network of nnUNetTrainerV2, with instance normalisation, can be expressed as \
                 PlainConvUNet"
            ))),
        }
    }
}

/// Name of v1's `i`-th convolution of the encoder's stage `d`.
fn encoder(d: usize, i: usize, depth: usize, convolutions: usize) -> String {
    match (d == depth, i + 1 < convolutions) {
        (false, _) => format!("conv_blocks_context.{d}.blocks.{i}"),
        (true, true) => format!("conv_blocks_context.{d}.0.blocks.{i}"),
        (true, false) => format!("conv_blocks_context.{d}.1.blocks.0"),
    }
}

/// Sets the parameters of a block under both names that v2's modules have for them. The tensors share their data.
fn set_block(out: &mut Dict, name: &str, block: &[Tensor; 4]) {
    let parts = [
        ["conv.weight", "conv.bias", "norm.weight", "norm.bias"],
        [
            "all_modules.0.weight",
            "all_modules.0.bias",
            "all_modules.1.weight",
            "all_modules.1.bias",
        ],
    ];
    for names in parts {
        for (part, tensor) in names.iter().zip(block) {
            out.set(format!("{name}.{part}"), Value::Tensor(tensor.clone()));
        }
    }
}

/// A weight (out, in, kernel) with zeros around a smaller kernel. `None` if it does not fit in the middle.
fn padded(weight: &Tensor, kernel: &[usize]) -> Option<Tensor> {
    let own = weight.shape.get(2..)?;
    if own == kernel {
        return Some(weight.clone());
    }
    let fits = own
        .iter()
        .zip(kernel)
        .all(|(&own, &size)| own <= size && (size - own) % 2 == 0);
    if own.len() != kernel.len() || !fits {
        return None;
    }
    let values = weight.to_f32()?;
    let count: usize = own.iter().product();
    let size: usize = kernel.iter().product();
    let mut out = vec![0.0f32; weight.shape[0] * weight.shape[1] * size];
    for (from, to) in values.chunks(count.max(1)).zip(out.chunks_mut(size.max(1))) {
        for (index, &value) in from.iter().enumerate() {
            let (mut rest, mut place, mut step) = (index, 0, 1);
            for axis in (0..own.len()).rev() {
                let at = rest % own[axis] + (kernel[axis] - own[axis]) / 2;
                place += at * step;
                rest /= own[axis];
                step *= kernel[axis];
            }
            to[place] = value;
        }
    }
    let shape = [&weight.shape[..2], kernel].concat();
    Tensor::from_f32(shape, &out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_kernel_is_in_the_middle_of_zeros() {
        let weight = Tensor::from_f32(vec![2, 1, 1, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let found = padded(&weight, &[3, 3]).unwrap();
        assert_eq!(found.shape, [2, 1, 3, 3]);
        let expected = [
            [0.0; 3],
            [1.0, 2.0, 3.0],
            [0.0; 3],
            [0.0; 3],
            [4.0, 5.0, 6.0],
            [0.0; 3],
        ];
        assert_eq!(found.to_f32().unwrap(), expected.as_flattened());
        assert_eq!(padded(&weight, &[1, 3]).unwrap(), weight);
        assert_eq!(padded(&weight, &[2, 3]), None);
        assert_eq!(padded(&weight, &[3, 1]), None);
    }
}
