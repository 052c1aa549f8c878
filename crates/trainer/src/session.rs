//! Network, loss and optimiser of a run.

use loader::Batch;
use tch::{Device, Kind, Tensor};

use super::evaluation::OnlineEvaluation;
use super::setup::Setup;
use crate::{Error, Result};
use engine::checkpoint::{Checkpoint, OptimizerState};
use engine::loss::{deep_supervision_weights, Loss};
use engine::network::{GenericUNet, Heads, Weights};
use engine::optimizer::{DeviceLossScale, LossScale, Sgd};
use engine::Architecture;
use engine::{tensor, Compute, Kernels, Readback, Upload, Uploads};
use recipe::Recipe;

/// Results of one training iteration.
#[derive(Debug)]
pub(crate) struct Step {
    pub loss: f64,
    /// Norm of the gradients before clipping; may be non-finite.
    pub norm: f64,
}

/// A training iteration whose results may not have reached the host yet.
pub(crate) enum Launched {
    Finished(Step),
    Running(Readback),
}

/// A batch on its way to the device.
pub(crate) struct Input {
    /// Image, targets, weights.
    tensors: Upload,
    /// Number of targets, and of weights if there are any.
    scales: usize,
    /// Whether any voxel is annotated.
    pub annotated: bool,
}

/// A batch on the device.
struct Arrived {
    data: Tensor,
    targets: Vec<Tensor>,
    weights: Option<Vec<Tensor>>,
}

impl Input {
    fn arrive(self) -> Result<Arrived> {
        let mut tensors = self.tensors.finish()?.into_iter();
        let data = tensors
            .next()
            .ok_or_else(|| engine::Error::network("a batch without an image"))?;
        let targets = tensors.by_ref().take(self.scales).collect();
        let weights: Vec<Tensor> = tensors.collect();
        Ok(Arrived {
            data,
            targets,
            weights: Some(weights).filter(|w| !w.is_empty()),
        })
    }
}

/// The mutable state of a run.
pub(crate) struct Session {
    pub network: GenericUNet,
    pub optimizer: Sgd,
    pub loss_scale: Option<LossScale>,
    /// The loss scale that a device's steps use, ahead of `loss_scale` by the running step.
    device_loss_scale: Option<DeviceLossScale>,
    weights: Weights,
    uploads: Uploads,
    loss: Loss,
    kernels: Kernels,
    classes: i64,
    ignore: Option<i16>,
}

impl Session {
    /// A session with a new network.
    pub fn new(setup: &Setup, seed: u64) -> Result<Self> {
        let (architecture, batch_dice) = (setup.architecture.clone(), setup.batch_dice);
        Self::with(architecture, &setup.recipe, batch_dice, &setup.compute, seed)
    }

    fn with(
        architecture: Architecture,
        recipe: &Recipe,
        batch_dice: bool,
        compute: &Compute,
        seed: u64,
    ) -> Result<Self> {
        let (device, kind, kernels) = (compute.device, compute.kind, compute.kernels);
        let scales = deep_supervision_weights(architecture.pools.len());
        let classes = architecture.classes;
        let network = GenericUNet::new(architecture, seed, device)?.with_kernels(kernels);
        let loss = Loss::new(&recipe.loss, recipe.ignore_label, batch_dice, scales, device)?;
        let like = network.parameters().first();
        let mut session = Self {
            optimizer: Sgd::new(network.parameters().len()),
            loss: loss.with_kernels(kernels),
            loss_scale: (kind == Kind::Half).then(LossScale::default),
            device_loss_scale: None,
            weights: network.weights(kind)?,
            uploads: Uploads::new(
                like.ok_or_else(|| engine::Error::network("a network without parameters"))?,
            )?,
            classes,
            ignore: recipe.ignore_label,
            network,
            kernels,
        };
        session.place_loss_scale()?;
        Ok(session)
    }

    /// Copies the loss scale to the device.
    fn place_loss_scale(&mut self) -> Result<()> {
        let place = |scale| DeviceLossScale::new(scale, self.network.device());
        self.device_loss_scale = self.loss_scale.map(place).transpose()?;
        Ok(())
    }

    /// Loads a checkpoint.
    pub fn load(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.network.load_state(&checkpoint.state)?;
        if let Some(saved) = &checkpoint.optimizer {
            let device = self.network.device();
            let place = |m: &Option<ndarray::ArrayD<f32>>| -> Result<Option<Tensor>> {
                let Some(array) = m else { return Ok(None) };
                Ok(Some(tensor::from_array(&array.view())?.f_to_device(device)?))
            };
            let momenta = saved.momenta.iter().map(place).collect::<Result<_>>()?;
            self.optimizer.load_momenta(momenta, self.network.parameters())?;
            self.optimizer.momentum = saved.momentum;
        }
        if let (Some(scale), Some(saved)) = (&mut self.loss_scale, checkpoint.loss_scale) {
            *scale = saved;
        }
        self.place_loss_scale()
    }

    /// State of the optimiser, for a checkpoint.
    pub fn optimizer_state(&self, learning_rate: f64) -> Result<OptimizerState> {
        let copy = |m: &Option<Tensor>| m.as_ref().map(tensor::to_array).transpose();
        let momenta = self
            .optimizer
            .momenta()
            .iter()
            .map(copy)
            .collect::<engine::Result<_>>()?;
        Ok(OptimizerState {
            learning_rate,
            momentum: self.optimizer.momentum,
            momenta,
        })
    }

    /// Checks a batch's labels and starts to copy it to the device. For CUDA the batch may be recycled once the
    /// results of the iteration that uses it were read: it is in page-locked memory, which is copied while the
    /// iteration before runs.
    pub fn take(&self, batch: &Batch) -> Result<Input> {
        let mut annotated = false;
        for (scale, target) in batch.targets.iter().enumerate() {
            let labels = target.as_slice();
            let valid = |&label: &f32| label >= 0.0 && label < self.classes as f32 && label.fract() == 0.0;
            let ignored = |label: &f32| self.ignore.is_some_and(|ignore| *label == f32::from(ignore));
            if let Some(label) = labels.iter().find(|label| !valid(label) && !ignored(label)) {
                return Err(Error::Label {
                    problem: format!("label {label} in a patch of {}", batch.cases.join(", ")),
                    highest: self.classes - 1,
                    ignored: self
                        .ignore
                        .map_or_else(String::new, |label| format!(" or {label} (ignored)")),
                });
            }
            annotated |= scale == 0 && labels.iter().any(|label| !ignored(label));
        }
        let scales = self.loss.outputs();
        let targets = batch.targets.iter().take(scales);
        let weights = batch.weights.iter().flatten().take(scales);
        let all = std::iter::once(&batch.data).chain(targets).chain(weights);
        let host = all.map(|t| self.host(t)).collect::<Result<Vec<_>>>()?;
        Ok(Input {
            tensors: self.uploads.start(&host)?,
            scales,
            annotated,
        })
    }

    /// Values of a batch as a tensor in host memory: a copy, or for CUDA a view.
    fn host(&self, values: &loader::Tensor) -> Result<Tensor> {
        let shape: Vec<i64> = values.shape().iter().map(|&n| n as i64).collect();
        if !self.network.device().is_cuda() {
            return Ok(Tensor::f_from_slice(values.as_slice())?.f_reshape(&shape)?);
        }
        let mut strides = vec![1; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis] * shape[axis];
        }
        let data = values.as_slice().as_ptr().cast();
        // SAFETY: `data` points to as many float32 in C order as the shape requires. The view is only read, by
        // copies to the device that the caller starts at once. The batch outlives them: the run loop recycles
        // it after it read the iteration's results. On an error before, the batch is dropped, and libtorch's
        // allocator of page-locked memory keeps a freed block until its copies have finished.
        Ok(unsafe { Tensor::f_from_blob(data, &shape, &strides, Kind::Float, Device::Cpu) }?)
    }

    /// Whether [`train`](Self::train) returns before its results are known.
    pub fn is_asynchronous(&self) -> bool {
        self.kernels == Kernels::Composed
    }

    /// Starts one training iteration; [`settle`](Self::settle) returns its results. If the loss or the gradients
    /// are not finite, nothing changes except the loss scale of a float16 run, which decreases.
    ///
    /// With composed kernels no value of the device is read, so that a GPU has the next iteration's work before
    /// it has finished this one's.
    pub fn train(&mut self, input: Input, learning_rate: f64) -> Result<Launched> {
        let input = input.arrive()?;
        self.network.update(&self.weights)?;
        let outputs = self
            .network
            .forward(&input.data, &self.weights, Heads::Finest(self.loss.outputs()))?;
        let loss = self
            .loss
            .evaluate(&outputs, &input.targets, input.weights.as_deref())?;
        drop(outputs);
        match self.kernels {
            Kernels::Fused => Ok(Launched::Finished(self.step(&loss, learning_rate)?)),
            Kernels::Composed => Ok(Launched::Running(self.launch(&loss, learning_rate)?)),
        }
    }

    /// The backward pass and the optimiser's step on the CPU.
    fn step(&mut self, loss: &Tensor, learning_rate: f64) -> Result<Step> {
        let value = loss.f_detach()?.f_double_value(&[])?;
        if !value.is_finite() {
            return Ok(Step {
                loss: value,
                norm: f64::NAN,
            });
        }
        let gradients = self.network.gradients(loss, &mut self.weights)?;
        let parameters = self.network.parameters();
        let norm = self.optimizer.step(parameters, &gradients, learning_rate)?;
        Ok(Step { loss: value, norm })
    }

    /// The same on any device, without waiting for it.
    fn launch(&mut self, loss: &Tensor, learning_rate: f64) -> Result<Readback> {
        let loss_scale = self.device_loss_scale.as_ref();
        let scaled = loss_scale.map(|s| loss.f_mul(&s.scale)).transpose()?;
        let root = scaled.as_ref().unwrap_or(loss);
        let gradients = self.network.gradients(root, &mut self.weights)?;
        let (parameters, loss) = (self.network.parameters(), loss.f_detach()?);
        let norm = self
            .optimizer
            .launch(parameters, &gradients, learning_rate, &loss, loss_scale)?;
        Ok(Readback::start(&[&loss, &norm])?)
    }

    /// Waits for the results of an iteration. Iterations are settled in their order.
    pub fn settle(&mut self, launched: Launched) -> Result<Step> {
        let values = match launched {
            Launched::Finished(step) => return Ok(step),
            Launched::Running(readback) => readback.finish()?,
        };
        let [loss, norm] = values[..] else {
            return Err(engine::Error::network("an iteration has a loss and a norm").into());
        };
        if let Some(scale) = &mut self.loss_scale {
            scale.update(loss.is_finite() && norm.is_finite());
        }
        Ok(Step { loss, norm })
    }

    /// Returns the loss of a validation batch and adds its finest output to `evaluation`.
    pub fn validate(&self, input: Input, evaluation: &mut OnlineEvaluation) -> Result<f64> {
        let input = input.arrive()?;
        tch::no_grad(|| {
            self.network.update(&self.weights)?;
            let outputs =
                self.network
                    .forward(&input.data, &self.weights, Heads::Finest(self.loss.outputs()))?;
            let (Some(logits), Some(target)) = (outputs.first(), input.targets.first()) else {
                return Err(engine::Error::network("no output to validate").into());
            };
            evaluation.add(logits, target)?;
            let loss = self
                .loss
                .evaluate(&outputs, &input.targets, input.weights.as_deref())?;
            Ok(loss.f_double_value(&[])?)
        })
    }
}

#[cfg(test)]
mod tests;
