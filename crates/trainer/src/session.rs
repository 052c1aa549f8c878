//! Network, loss and optimiser of a run.

use loader::Batch;
use tch::{Kind, Tensor};

use super::evaluation::OnlineEvaluation;
use super::input::{Input, Intake};
use super::present::PresentClasses;
use super::ranks::Ranks;
use super::setup::Setup;
use crate::Result;
use engine::checkpoint::{Checkpoint, OptimizerState};
use engine::loss::{deep_supervision_weights, Loss};
use engine::network::{GenericUNet, Gradients, Heads, RankGradients, Weights};
use engine::optimizer::{DeviceLossScale, LossScale, Sgd};
use engine::{tensor, Compute, Kernels, Readback};
use recipe::Recipe;
use settings::TrainOptions;

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

/// A validation batch whose results may not have reached the host yet.
pub(crate) struct Validated(Readback);

impl Validated {
    /// Waits for the results: the loss, and the counts for [`OnlineEvaluation::add`].
    pub fn finish(self) -> Result<(f64, Vec<f64>)> {
        let mut values = self.0.finish()?;
        let counts = values.split_off(1.min(values.len()));
        let loss = values.first().copied();
        let loss = loss.ok_or_else(|| engine::Error::network("a validation batch has a loss"))?;
        Ok((loss, counts))
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
    intake: Intake,
    loss: Loss,
    present: PresentClasses,
    kernels: Kernels,
    /// Sums the gradients of several ranks.
    ranks: Option<RankGradients>,
}

impl Session {
    /// A session with a new network.
    pub fn new(setup: &Setup, options: &TrainOptions, ranks: &Ranks) -> Result<Self> {
        let (architecture, batch_dice) = (setup.architecture.clone(), setup.batch_dice);
        let (recipe, sources) = (&setup.data.recipe, setup.target_sources()?);
        let seed = options.data.seed;
        let mut network = GenericUNet::new(architecture, seed, setup.compute.device)?;
        if options.freeze_encoder {
            network.freeze_encoder()?;
        }
        let (classes, device) = (network.architecture().classes, network.device());
        let mut session = Self::with(network, recipe, batch_dice, &setup.compute, &sources)?;
        session.present = PresentClasses::new(&setup.data.present, classes, device)?;
        if let Some(group) = ranks.group() {
            let outputs = session.loss.outputs();
            session.ranks = Some(RankGradients::new(
                &session.network,
                &session.weights,
                outputs,
                group,
            )?);
            session.loss.share(group, setup.data.plan.batch_size);
        }
        Ok(session)
    }

    fn with(
        network: GenericUNet,
        recipe: &Recipe,
        batch_dice: bool,
        compute: &Compute,
        sources: &[Vec<Vec<u32>>],
    ) -> Result<Self> {
        let (kind, kernels) = (compute.kind, compute.kernels);
        let network = network.with_kernels(kernels);
        let loss = loss(&network, recipe, batch_dice)?;
        let like = network.parameters().first();
        let like = like.ok_or_else(|| engine::Error::network("a network without parameters"))?;
        let intake = Intake::new(like, loss.outputs(), sources)?;
        let mut session = Self {
            optimizer: Sgd::new(network.parameters().len()),
            loss: loss.with_kernels(kernels),
            loss_scale: (kind == Kind::Half).then(LossScale::default),
            device_loss_scale: None,
            weights: network.weights(kind)?,
            present: PresentClasses::default(),
            network,
            kernels,
            intake,
            ranks: None,
        };
        session.place_loss_scale()?;
        Ok(session)
    }

    /// Gives the loss other weights of the classes.
    pub fn weigh_classes(&mut self, setup: &Setup, weights: &[f64], ranks: &Ranks) -> Result<()> {
        let mut recipe = setup.data.recipe.clone();
        recipe.loss.set_class_weights(weights);
        self.loss = loss(&self.network, &recipe, setup.batch_dice)?.with_kernels(self.kernels);
        if let Some(group) = ranks.group() {
            self.loss.share(group, setup.data.plan.batch_size);
        }
        Ok(())
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

    /// Bits that tell the parameters of two ranks apart.
    pub fn fingerprint(&self) -> Result<Vec<u64>> {
        let sum = |tensor: &Tensor| Ok(tensor.f_sum(Kind::Double)?.f_double_value(&[])?.to_bits());
        self.network.parameters().iter().map(sum).collect()
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

    /// Starts to copy a batch to the device; see [`Intake::take`].
    pub fn take(&self, batch: &Batch) -> Result<Input> {
        Ok(Input {
            present: self.present.of(&batch.cases)?,
            ..self.intake.take(batch)?
        })
    }

    /// Whether [`train`](Self::train) returns before its results are known.
    pub fn is_asynchronous(&self) -> bool {
        self.kernels == Kernels::Composed
    }

    /// The work whose results are read now: what has just started, or for a device what started before, so that it has work
    /// while it is waited for. `running` keeps the other.
    pub fn due<T>(&self, running: &mut Option<T>, started: T) -> Option<T> {
        let before = running.replace(started);
        match self.is_asynchronous() {
            true => before,
            false => running.take(),
        }
    }

    /// Starts one training iteration; [`settle`](Self::settle) returns its results. If the loss or the
    /// gradients are not finite, nothing changes except the loss scale of a float16 run, which decreases.
    ///
    /// With composed kernels no value of the device is read, so that a GPU has the next iteration's work
    /// before it has finished this one's.
    pub fn train(&mut self, input: Input, learning_rate: f64) -> Result<Launched> {
        let input = self.intake.arrive(input)?;
        self.network.update(&self.weights)?;
        let outputs = self
            .network
            .forward(&input.data, &self.weights, Heads::Finest(self.loss.outputs()))?;
        let outputs = input.merged(outputs)?;
        let loss = self
            .loss
            .evaluate(&outputs, &input.targets, input.weights.as_deref())?;
        drop(outputs);
        match self.kernels {
            Kernels::Fused => Ok(Launched::Finished(self.step(&loss, learning_rate)?)),
            Kernels::Composed => Ok(Launched::Running(self.launch(&loss, learning_rate)?)),
        }
    }

    /// Gradients of the whole batch.
    fn gradients(&mut self, root: &Tensor) -> Result<Gradients> {
        let (network, weights) = (&self.network, &mut self.weights);
        Ok(match &self.ranks {
            Some(ranks) => network.summed_gradients(root, weights, ranks)?,
            None => network.gradients(root, weights)?,
        })
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
        let gradients = self.gradients(loss)?;
        let parameters = self.network.parameters();
        let norm = self.optimizer.step(parameters, &gradients, learning_rate)?;
        Ok(Step { loss: value, norm })
    }

    /// The same on any device, without waiting for it.
    fn launch(&mut self, loss: &Tensor, learning_rate: f64) -> Result<Readback> {
        let scaled = match &self.device_loss_scale {
            Some(loss_scale) => Some(loss.f_mul(&loss_scale.scale)?),
            None => None,
        };
        let gradients = self.gradients(scaled.as_ref().unwrap_or(loss))?;
        let loss_scale = self.device_loss_scale.as_ref();
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

    /// Starts a validation batch: its loss, and the counts of its finest output. [`Validated::finish`] returns them. With
    /// composed kernels no value of the device is read, as in [`train`](Self::train).
    pub fn validate(&self, input: Input, evaluation: &OnlineEvaluation) -> Result<Validated> {
        let input = self.intake.arrive(input)?;
        tch::no_grad(|| {
            self.network.update(&self.weights)?;
            let outputs =
                self.network
                    .forward(&input.data, &self.weights, Heads::Finest(self.loss.outputs()))?;
            let outputs = input.merged(outputs)?;
            let (Some(logits), Some(target)) = (outputs.first(), input.targets.first()) else {
                return Err(engine::Error::network("no output to validate").into());
            };
            let weights = input.weights.as_ref().and_then(|scales| scales.first());
            let counts = evaluation.count(logits, target, weights)?;
            let loss = self
                .loss
                .evaluate(&outputs, &input.targets, input.weights.as_deref())?;
            let loss = loss.f_to_kind(Kind::Double)?.f_view([1])?;
            Ok(Validated(Readback::of(&Tensor::f_cat(&[loss, counts], 0)?)?))
        })
    }
}

/// The loss of a recipe for the outputs of a network.
fn loss(network: &GenericUNet, recipe: &Recipe, batch_dice: bool) -> Result<Loss> {
    let scales = deep_supervision_weights(network.architecture().pools.len());
    let (ignored, device) = (recipe.ignore_label, network.device());
    Ok(Loss::new(&recipe.loss, ignored, batch_dice, scales, device)?)
}

#[cfg(test)]
mod tests;
