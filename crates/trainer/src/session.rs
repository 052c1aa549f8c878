//! Network, loss and optimiser of a run.

use loader::Batch;
use tch::{Device, Kind, Tensor};

use super::evaluation::OnlineEvaluation;
use super::setup::Setup;
use crate::{Error, Result};
use engine::checkpoint::{Checkpoint, OptimizerState};
use engine::loss::{deep_supervision_weights, Loss};
use engine::network::{GenericUNet, Heads};
use engine::optimizer::{LossScale, Sgd};
use engine::tensor;

/// Results of one training iteration.
pub(crate) struct Step {
    pub loss: f64,
    /// Norm of the gradients before clipping; may be non-finite.
    pub norm: f64,
}

/// A batch on the device.
pub(crate) struct Input {
    data: Tensor,
    targets: Vec<Tensor>,
    weights: Option<Vec<Tensor>>,
    /// Whether any voxel is annotated.
    pub annotated: bool,
}

/// The mutable state of a run.
pub(crate) struct Session {
    pub network: GenericUNet,
    pub optimizer: Sgd,
    pub loss_scale: Option<LossScale>,
    loss: Loss,
    kind: Kind,
    classes: i64,
    ignore: Option<i16>,
}

impl Session {
    /// A session with a new network.
    pub fn new(setup: &Setup, seed: u64) -> Result<Self> {
        let (device, kind) = (setup.compute.device, setup.compute.kind);
        let network = GenericUNet::new(setup.architecture.clone(), seed, device)?;
        let scales = deep_supervision_weights(setup.architecture.pools.len());
        let recipe = &setup.recipe;
        Ok(Self {
            optimizer: Sgd::new(network.parameters().len()),
            loss: Loss::new(
                &recipe.loss,
                recipe.ignore_label,
                setup.batch_dice,
                scales,
                device,
            )?,
            loss_scale: (kind == Kind::Half).then(LossScale::default),
            classes: setup.architecture.classes,
            ignore: recipe.ignore_label,
            network,
            kind,
        })
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
        Ok(())
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

    /// Checks a batch's labels and copies it to the device.
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
        let used = self.loss.outputs();
        let all = |tensors: &[loader::Tensor]| tensors.iter().take(used).map(|t| self.place(t)).collect();
        Ok(Input {
            data: self.place(&batch.data)?,
            targets: all(&batch.targets)?,
            weights: batch.weights.as_deref().map(all).transpose()?,
            annotated,
        })
    }

    /// Copies values to the device. For CUDA they are in page-locked memory, and the copy continues after
    /// this call. The batch may be recycled once a dependent result was read, as `train` and `validate` do
    /// with the loss.
    fn place(&self, values: &loader::Tensor) -> Result<Tensor> {
        let shape: Vec<i64> = values.shape().iter().map(|&n| n as i64).collect();
        let device = self.network.device();
        if device == Device::Cpu {
            return Ok(Tensor::f_from_slice(values.as_slice())?.f_reshape(&shape)?);
        }
        let mut strides = vec![1; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis] * shape[axis];
        }
        let data = values.as_slice().as_ptr().cast();
        // SAFETY: `data` points to as many float32 in C order as the shape requires. They outlive this
        // borrowed view, which is only read. libtorch's allocator of page-locked memory keeps a freed block
        // until its copies have finished. So an error before the loss was read, which drops the batch, does
        // not invalidate the copy.
        let view = unsafe { Tensor::f_from_blob(data, &shape, &strides, Kind::Float, Device::Cpu) }?;
        Ok(view.f_to_device_(device, Kind::Float, device.is_cuda(), true)?)
    }

    /// Runs one training iteration. If the loss or the gradients are not finite, nothing changes except the
    /// loss scale of a float16 run, which decreases.
    pub fn train(&mut self, input: &Input, learning_rate: f64) -> Result<Step> {
        let weights = self.network.weights(self.kind)?;
        let outputs = self
            .network
            .forward(&input.data, &weights, Heads::Finest(self.loss.outputs()))?;
        let loss = self
            .loss
            .evaluate(&outputs, &input.targets, input.weights.as_deref())?;
        let value = loss.f_detach()?.f_double_value(&[])?;
        if !value.is_finite() {
            return Ok(Step {
                loss: value,
                norm: f64::NAN,
            });
        }
        drop(outputs);
        let scale = self.loss_scale.map_or(1.0, |s| s.scale);
        let root = if self.loss_scale.is_some() {
            loss.f_mul_scalar(scale)?
        } else {
            loss
        };
        let parameters = self.network.parameters();
        let mut gradients = Tensor::f_run_backward(&[root], parameters, false, false)?;
        if let Some(loss_scale) = &mut self.loss_scale {
            for gradient in gradients.iter_mut().filter(|g| g.defined()) {
                let _ = gradient.f_mul_scalar_(1.0 / scale)?;
            }
            let norm = self.optimizer.step(parameters, &gradients, learning_rate)?;
            loss_scale.update(norm.is_finite());
            return Ok(Step { loss: value, norm });
        }
        let norm = self.optimizer.step(parameters, &gradients, learning_rate)?;
        Ok(Step { loss: value, norm })
    }

    /// Returns the loss of a validation batch and adds its finest output to `evaluation`.
    pub fn validate(&self, input: &Input, evaluation: &mut OnlineEvaluation) -> Result<f64> {
        tch::no_grad(|| {
            let weights = self.network.weights(self.kind)?;
            let outputs = self
                .network
                .forward(&input.data, &weights, Heads::Finest(self.loss.outputs()))?;
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
