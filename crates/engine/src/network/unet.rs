//! The network itself.

use std::collections::BTreeMap;

use ndarray::ArrayD;
use tch::{Device, Kind, Tensor};

use super::gradients::Gradients;
use super::init;
use super::layout::{Block, Layout, Parameter};
use super::ops::Ops;
use super::ranks::RankGradients;
use crate::shim::record::NetworkScope;
use crate::{shim, tensor, Architecture, Error, Kernels, Result};

/// A network's parameters by name, in the order of nnU-Net v1's `state_dict`.
pub type State = Vec<(String, ArrayD<f32>)>;

/// `InstanceNorm`'s epsilon and `LeakyReLU`'s negative slope in nnU-Net v1.
const EPS: f64 = 1e-5;
const SLOPE: f64 = 1e-2;

/// Outputs of a forward pass, finest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heads {
    /// All: one per decoder stage.
    All,
    /// Only this many of the finest; the others are not computed.
    Finest(usize),
}

/// The parameters in the precision of a forward pass: convolution weights cast to its kind, like autocast
/// does.
pub struct Weights {
    pub(super) tensors: Vec<Tensor>,
    pub(super) kind: Kind,
    /// Made when first needed.
    pub(super) buffers: Option<Gradients>,
}

/// nnU-Net v1's `Generic_UNet` (Isensee et al. 2021) as `nnUNetTrainerV2.initialize_network` builds it:
/// instance normalisation, leaky ReLU, strided convolutions down, transposed convolutions up, deep
/// supervision.
pub struct GenericUNet {
    architecture: Architecture,
    layout: Layout,
    parameters: Vec<Tensor>,
    device: Device,
    kernels: Kernels,
}

impl GenericUNet {
    /// A network with initial weights drawn from `seed` (He et al. 2015), on `device`.
    ///
    /// # Errors
    /// [`Error::Recipe`] for an invalid architecture; [`Error::OutOfMemory`].
    pub fn new(architecture: Architecture, seed: u64, device: Device) -> Result<Self> {
        architecture.validate()?;
        let layout = Layout::new(&architecture);
        let mut network = Self {
            architecture,
            layout,
            parameters: Vec::new(),
            device,
            kernels: Kernels::of(device),
        };
        for (index, parameter) in network.layout.parameters.iter().enumerate() {
            let values = Tensor::f_from_slice(&init::values(parameter, index, seed, 0))?;
            let values = values.f_reshape(&parameter.shape)?.f_to_device(device)?;
            network.parameters.push(values.f_set_requires_grad(true)?);
        }
        Ok(network)
    }

    /// A network with the given parameters.
    ///
    /// # Errors
    /// As [`new`](Self::new) and [`load_state`](Self::load_state).
    pub fn from_state(architecture: Architecture, state: &State, device: Device) -> Result<Self> {
        let mut network = Self::new(architecture, 0, device)?;
        network.load_state(state)?;
        Ok(network)
    }

    /// The same network with other kernels.
    #[must_use]
    pub fn with_kernels(self, kernels: Kernels) -> Self {
        Self { kernels, ..self }
    }

    /// Excludes the encoder (`conv_blocks_context`, with the bottleneck) from training: its parameters have no gradients,
    /// so they do not change. [`Weights`] made before do not know of this.
    ///
    /// # Errors
    /// Any error of libtorch.
    pub fn freeze_encoder(&mut self) -> Result<()> {
        for (parameter, tensor) in self.layout.parameters.iter().zip(&mut self.parameters) {
            if parameter.is_encoder() {
                *tensor = tensor.f_set_requires_grad(false)?;
            }
        }
        Ok(())
    }

    /// Draws new initial values for the trained convolutions, as `network.apply(InitWeights_He(1e-2))` does: their
    /// weights, and biases of 0. Normalisation keeps its parameters. Another `attempt` gives other values.
    ///
    /// # Errors
    /// Any error of libtorch.
    pub fn reinitialise(&mut self, seed: u64, attempt: u64) -> Result<()> {
        tch::no_grad(|| {
            for (index, parameter) in self.layout.parameters.iter().enumerate() {
                if parameter.is_norm() || !self.parameters[index].requires_grad() {
                    continue;
                }
                let values = Tensor::f_from_slice(&init::values(parameter, index, seed, attempt))?;
                self.parameters[index].f_copy_(&values.f_reshape(&parameter.shape)?)?;
            }
            Ok(())
        })
    }

    /// The architecture of this network.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Device of the parameters.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Parameters in the order of nnU-Net v1's `state_dict`. The optimiser uses the same indices.
    pub fn parameters(&self) -> &[Tensor] {
        &self.parameters
    }

    /// Names of the parameters, in the same order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.layout.parameters.iter().map(|p| p.name.as_str())
    }

    /// Copies of all parameters.
    ///
    /// # Errors
    /// Any error of libtorch.
    pub fn state(&self) -> Result<State> {
        self.names()
            .zip(&self.parameters)
            .map(|(n, t)| Ok((n.to_owned(), tensor::to_array(t)?)))
            .collect()
    }

    /// Sets all parameters. Names may have the prefix `module.` of a network trained in parallel.
    ///
    /// # Errors
    /// [`Error::Network`] if a name is missing or unknown, or a shape differs. The network is then unchanged.
    pub fn load_state(&mut self, state: &State) -> Result<()> {
        let mut given: BTreeMap<&str, &ArrayD<f32>> = state
            .iter()
            .map(|(name, values)| (name.strip_prefix("module.").unwrap_or(name), values))
            .collect();
        let mut found = Vec::with_capacity(self.parameters.len());
        for parameter in &self.layout.parameters {
            let values = given
                .remove(parameter.name.as_str())
                .ok_or_else(|| Error::network(format!("the state has no parameter {}", parameter.name)))?;
            let shape: Vec<i64> = values.shape().iter().map(|&n| n as i64).collect();
            if shape != parameter.shape {
                return Err(Error::network(format!(
                    "parameter {} has shape {shape:?}; expected {:?} from the plans",
                    parameter.name, parameter.shape
                )));
            }
            found.push(values);
        }
        if let Some(name) = given.keys().next() {
            return Err(Error::network(format!(
                "the state has parameter {name}, which is not in the network of these plans"
            )));
        }
        tch::no_grad(|| {
            self.parameters
                .iter_mut()
                .zip(found)
                .try_for_each(|(to, from)| Ok(to.f_copy_(&tensor::from_array(&from.view())?)?))
        })
    }

    /// Sets the parameters whose name and shape `state` has, such as those of a network for other classes, channels or
    /// patches. Returns the names of the others.
    ///
    /// # Errors
    /// Any error of libtorch.
    pub fn load_matching(&mut self, state: &State) -> Result<Vec<String>> {
        let given: BTreeMap<&str, &ArrayD<f32>> = state
            .iter()
            .map(|(name, values)| (name.strip_prefix("module.").unwrap_or(name), values))
            .collect();
        let mut others = Vec::new();
        tch::no_grad(|| {
            for (parameter, to) in self.layout.parameters.iter().zip(&mut self.parameters) {
                let fits = |values: &&&ArrayD<f32>| {
                    values
                        .shape()
                        .iter()
                        .map(|&n| n as i64)
                        .eq(parameter.shape.iter().copied())
                };
                match given.get(parameter.name.as_str()).filter(fits) {
                    Some(values) => to.f_copy_(&tensor::from_array(&values.view())?)?,
                    None => others.push(parameter.name.clone()),
                }
            }
            Ok(others)
        })
    }

    /// Whether all parameters are finite. Waits for the device.
    ///
    /// # Errors
    /// Any error of libtorch.
    pub fn is_finite(&self) -> Result<bool> {
        for parameter in &self.parameters {
            if parameter.f_isfinite()?.f_all()?.f_int64_value(&[])? == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The parameters for forward passes in `kind` (float32, bfloat16, float16); valid until the parameters
    /// change, and again after [`update`](Self::update).
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn weights(&self, kind: Kind) -> Result<Weights> {
        let place = |(parameter, tensor): (&Parameter, &Tensor)| {
            // Normalisation computes in float32 for every kind.
            if kind == Kind::Float || parameter.is_norm() {
                return Ok(tensor.shallow_clone());
            }
            let copy = tch::no_grad(|| tensor.f_empty_like()?.f_to_kind(kind))?;
            Ok(copy.f_set_requires_grad(tensor.requires_grad())?)
        };
        let tensors = self.layout.parameters.iter().zip(&self.parameters).map(place);
        let weights = Weights {
            tensors: tensors.collect::<Result<_>>()?,
            kind,
            buffers: None,
        };
        self.update(&weights)?;
        Ok(weights)
    }

    /// Copies changed parameters to `weights`, which are of this network.
    ///
    /// # Errors
    /// Any error of libtorch.
    pub fn update(&self, weights: &Weights) -> Result<()> {
        let copies = weights.tensors.iter().zip(&self.parameters);
        let (to, from): (Vec<_>, Vec<_>) = copies.filter(|(copy, _)| copy.kind() != Kind::Float).unzip();
        shim::composed::copy_all(&to, &from)
    }

    /// Gradients of `root`, a scalar made of outputs of [`forward`](Self::forward) with these weights. Valid
    /// until the next call.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn gradients(&self, root: &Tensor, weights: &mut Weights) -> Result<Gradients> {
        let found = self.own_gradients(root, weights)?;
        self.collect_gradients(&found, weights)
    }

    /// The same, summed over the ranks of a training.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; [`Error::Collective`].
    pub fn summed_gradients(
        &self,
        root: &Tensor,
        weights: &mut Weights,
        ranks: &RankGradients,
    ) -> Result<Gradients> {
        let found = ranks.of(root)?;
        self.collect_gradients(&found, weights)
    }

    /// Gradients of the weights, undefined for those that `root` does not depend on.
    pub(super) fn own_gradients(&self, root: &Tensor, weights: &Weights) -> Result<Vec<Tensor>> {
        let inputs: Vec<_> = weights
            .tensors
            .iter()
            .filter(|tensor| tensor.requires_grad())
            .collect();
        let mut found = Tensor::f_run_backward(&[root], &inputs, false, false)?.into_iter();
        let mut of = |weight: &Tensor| {
            let gradient = if weight.requires_grad() {
                found.next()
            } else {
                None
            };
            gradient.unwrap_or_else(Tensor::new)
        };
        Ok(weights.tensors.iter().map(&mut of).collect())
    }

    /// Copies gradients of the weights together, in float32.
    fn collect_gradients(&self, found: &[Tensor], weights: &mut Weights) -> Result<Gradients> {
        let trained: Vec<_> = weights.tensors.iter().map(Tensor::requires_grad).collect();
        let buffers = match weights.buffers.take() {
            Some(buffers) => buffers,
            None => Gradients::zeros(&self.parameters)?,
        };
        let pairs = buffers.iter().zip(found);
        let (to, from): (Vec<_>, Vec<_>) = pairs.filter(|(_, from)| from.defined()).unzip();
        shim::composed::copy_all(&to, &from)?;
        let gradients =
            buffers.only(|index| found[index].defined() || (trained[index] && self.skips_bias(index)));
        weights.buffers = Some(buffers);
        Ok(gradients)
    }

    /// Whether the forward pass leaves this parameter out: the bias of a convolution before a normalisation,
    /// which subtracts it again. Its gradient is 0 up to rounding, so it only decays. This crate's kernels
    /// for CPUs add it all the same: there, the bits of earlier versions are kept.
    fn skips_bias(&self, index: usize) -> bool {
        self.kernels == Kernels::Composed && self.layout.parameters[index].is_conv_bias()
    }

    /// Returns the logits of an input (b, c, \[z,\] y, x): (b, classes, ...) float32 per head, finest first.
    /// Head i is smaller than the input by the product of the first i poolings.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`], or [`Error::Torch`] for an input that is not divisible by the poolings.
    pub fn forward(&self, input: &Tensor, weights: &Weights, heads: Heads) -> Result<Vec<Tensor>> {
        let _scope = NetworkScope::enter();
        let ops = self.ops();
        let mut x = ops.input(input, weights.kind)?;
        let depth = self.layout.up.len();
        let mut skips = Vec::with_capacity(depth);
        for (d, stage) in self.layout.context.iter().enumerate() {
            for block in stage {
                x = self.block(&x, block, weights)?;
            }
            if d < depth {
                skips.push(x.shallow_clone());
            }
        }
        let first = match heads {
            Heads::All => 0,
            Heads::Finest(count) => depth.saturating_sub(count),
        };
        let mut outputs = Vec::with_capacity(depth - first);
        for u in 0..depth {
            let (index, stride) = &self.layout.up[u];
            x = ops.transposed(&x, &weights.tensors[*index], None, stride)?;
            let skip = skips
                .pop()
                .ok_or_else(|| Error::network("no skip connection left"))?;
            x = Tensor::f_cat(&[x, skip], 1)?;
            for block in &self.layout.localization[u] {
                x = self.block(&x, block, weights)?;
            }
            if u >= first {
                let one = vec![1; stride.len()];
                let zero = vec![0; stride.len()];
                let head = &weights.tensors[self.layout.heads[u]];
                outputs.push(
                    ops.convolution(&x, head, None, &one, &zero)?
                        .f_to_kind(Kind::Float)?,
                );
            }
        }
        outputs.reverse();
        Ok(outputs)
    }

    fn ops(&self) -> Ops {
        Ops {
            device: self.device,
            kernels: self.kernels,
        }
    }

    fn block(&self, x: &Tensor, block: &Block, weights: &Weights) -> Result<Tensor> {
        let [w, b, gamma, beta] = &weights.tensors[block.first..block.first + 4] else {
            return Err(Error::network("a block without its four parameters"));
        };
        let bias = Some(b).filter(|_| !self.skips_bias(block.first + 1));
        let ops = self.ops();
        let x = ops.convolution(x, w, bias, &block.stride, &block.padding)?;
        ops.norm_leaky(x, gamma, beta, EPS, SLOPE)
    }
}
