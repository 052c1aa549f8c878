//! Checkpoints in nnU-Net v1's format: `<name>.model` as `torch.save` writes it, and `<name>.model.pkl` with
//! the trainer and its arguments (`NetworkTrainer.save_checkpoint`).

use std::path::Path;

use ndarray::{ArrayD, IxDyn};
use pickle::torch::{read_checkpoint, write_checkpoint, Tensor as Leaf};
use pickle::{Dict, Value};

use crate::network::State;
use crate::optimizer::{LossScale, WEIGHT_DECAY};
use crate::{Error, Result};

/// Key of this package's additional data. nnU-Net v1 ignores it.
const OWN: &str = "nnunet_diag";

/// Curves over the finished epochs (`plot_stuff`). NaN marks an epoch without a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    /// Mean training loss.
    pub train_loss: Vec<f64>,
    /// Mean validation loss.
    pub validation_loss: Vec<f64>,
    /// Mean online Dice over foreground classes.
    pub metric: Vec<f64>,
}

/// Best values of the moving averages (`best_stuff`).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Best {
    /// Epoch whose moving average of the training loss last improved.
    pub epoch: Option<u64>,
    /// Moving average of the training loss in that epoch.
    pub train_loss: Option<f64>,
    /// Best moving average of the metric.
    pub metric: Option<f64>,
}

/// State of the optimiser.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OptimizerState {
    /// Learning rate of the last epoch.
    pub learning_rate: f64,
    /// Momentum.
    pub momentum: f64,
    /// Momentum of every parameter, in the order of the state; `None` before the first step.
    pub momenta: Vec<Option<ArrayD<f32>>>,
}

/// State for a bit-exact continuation in the middle of an epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Position {
    /// Seed of the run.
    pub seed: u64,
    /// Finished training iterations of the current epoch.
    pub iteration: u64,
    /// Sum of their losses, and the number of batches with an annotated voxel.
    pub losses: (f64, u64),
    /// Sum of the finite norms of their gradients, and the number of these.
    pub norms: (f64, u64),
    /// Options of the run as JSON. A change gives a warning.
    pub options: String,
}

/// A checkpoint of one fold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    /// Finished epochs.
    pub epochs: u64,
    /// Parameters by name.
    pub state: State,
    /// `None` in checkpoints for inference only.
    pub optimizer: Option<OptimizerState>,
    /// Curves.
    pub curves: Curves,
    /// Best values.
    pub best: Best,
    /// Scale of the loss of a float16 run.
    pub loss_scale: Option<LossScale>,
    /// `None` in checkpoints written by nnU-Net v1.
    pub position: Option<Position>,
}

impl Checkpoint {
    /// Reads a `.model` file of this package or of nnU-Net v1 (zip or legacy format).
    ///
    /// # Errors
    /// [`Error::Pickle`] if the file cannot be read, [`Error::Checkpoint`] if an entry is missing or invalid.
    pub fn read(path: &Path) -> Result<Self> {
        let value = read_checkpoint(path)?;
        let wrong = |what: &str| Error::checkpoint(path, format!("not a checkpoint of nnU-Net v1: {what}"));
        let entry = |key: &str| value.get(key).ok_or_else(|| wrong(&format!("no entry {key}")));
        let lists = entry("plot_stuff")?.as_items().unwrap_or_default();
        let curve = |i: usize| lists.get(i).and_then(Value::to_f64s).unwrap_or_default();
        let best = value
            .get("best_stuff")
            .and_then(Value::as_items)
            .unwrap_or_default();
        let best_at = |i: usize| best.get(i).and_then(Value::as_f64);
        let dict = entry("state_dict")?
            .as_dict()
            .ok_or_else(|| wrong("state_dict is no dictionary"))?;
        let mut state = State::new();
        for (name, leaf) in dict.iter() {
            let name = name
                .as_str()
                .ok_or_else(|| wrong("state_dict has a key that is no string"))?;
            let array = array(leaf).ok_or_else(|| wrong(&format!("{name} is no tensor of floats")))?;
            state.push((name.to_owned(), array));
        }
        let optimizer = match value.get("optimizer_state_dict") {
            None | Some(Value::None) => None,
            Some(found) => Some(optimizer(found, state.len()).ok_or_else(|| wrong("optimizer_state_dict"))?),
        };
        let curves = Curves {
            train_loss: curve(0),
            validation_loss: curve(1),
            metric: curve(3),
        };
        Ok(Self {
            // Old versions stored one epoch too many at the end. nnU-Net v1 corrects it the same way.
            epochs: curves.train_loss.len() as u64,
            state,
            optimizer,
            best: Best {
                epoch: best_at(0).map(|e| e as u64),
                train_loss: best_at(1),
                metric: best_at(2),
            },
            loss_scale: value.get("amp_grad_scaler").and_then(loss_scale),
            position: value.get(OWN).and_then(position),
            curves,
        })
    }

    /// Writes a `.model` file that nnU-Net v1 can read. Replaces the file atomically.
    ///
    /// # Errors
    /// [`Error::Pickle`] with the path. The existing file is then unchanged.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut state = Dict::ordered();
        for (name, values) in &self.state {
            state.set(name.as_str(), leaf(values)?);
        }
        let best = &self.best;
        let optional = |v: Option<f64>| v.map_or(Value::None, Value::Float);
        let mut root = Dict::new()
            .with("epoch", self.epochs as i64)
            .with("state_dict", state)
            .with(
                "optimizer_state_dict",
                self.optimizer.as_ref().map_or(Ok(Value::None), optimizer_value)?,
            )
            .with("lr_scheduler_state_dict", Value::None)
            .with(
                "plot_stuff",
                Value::tuple([
                    Value::list(self.curves.train_loss.iter().copied()),
                    Value::list(self.curves.validation_loss.iter().copied()),
                    Value::List(Vec::new()),
                    Value::list(self.curves.metric.iter().copied()),
                ]),
            )
            .with(
                "best_stuff",
                Value::tuple([
                    best.epoch.map_or(Value::None, |e| Value::Int(e as i64)),
                    optional(best.train_loss),
                    optional(best.metric),
                ]),
            );
        if let Some(scale) = &self.loss_scale {
            root.set(
                "amp_grad_scaler",
                Dict::new()
                    .with("scale", scale.scale)
                    .with("growth_factor", LossScale::GROWTH)
                    .with("backoff_factor", LossScale::BACKOFF)
                    .with("growth_interval", LossScale::INTERVAL)
                    .with("_growth_tracker", scale.growth_tracker),
            );
        }
        if let Some(p) = &self.position {
            root.set(
                OWN,
                Dict::new()
                    .with("seed", p.seed.to_string())
                    .with("iteration", p.iteration as i64)
                    .with("loss_sum", p.losses.0)
                    .with("loss_count", p.losses.1 as i64)
                    .with("norm_sum", p.norms.0)
                    .with("norm_count", p.norms.1 as i64)
                    .with("options", p.options.as_str()),
            );
        }
        Ok(write_checkpoint(path, &root.into())?)
    }
}

/// Content of the `.model.pkl` file of a checkpoint; `init` are the positional arguments of
/// `nnUNetTrainerV2.__init__`.
#[derive(Clone, Debug)]
pub struct Info {
    /// `plans_file, fold, output_folder, dataset_directory, batch_dice, stage, unpack_data, deterministic,
    /// fp16`.
    pub init: Value,
    /// Name of the trainer.
    pub name: String,
    /// Python class of the trainer, as `str(type)` prints it.
    pub class: String,
    /// The plans as a pickle.
    pub plans: Value,
}

impl Info {
    /// Reads a `.model.pkl` file.
    ///
    /// # Errors
    /// [`Error::Pickle`] if the file cannot be read, [`Error::Checkpoint`] if an entry is missing.
    pub fn read(path: &Path) -> Result<Self> {
        let value = pickle::read_file(path)?;
        let entry = |key: &str| {
            value.get(key).cloned().ok_or_else(|| {
                Error::checkpoint(
                    path,
                    format!("no entry {key}; expected a file written by nnU-Net v1 or this package"),
                )
            })
        };
        let text = |key: &str| Ok::<_, Error>(entry(key)?.as_str().unwrap_or_default().to_owned());
        Ok(Self {
            init: entry("init")?,
            name: text("name")?,
            class: text("class")?,
            plans: entry("plans")?,
        })
    }

    /// Writes a `.model.pkl` file. Replaces the file atomically.
    ///
    /// # Errors
    /// [`Error::Pickle`] with the path.
    pub fn write(&self, path: &Path) -> Result<()> {
        let dict = Dict::ordered()
            .with("init", self.init.clone())
            .with("name", self.name.as_str())
            .with("class", self.class.as_str())
            .with("plans", self.plans.clone());
        Ok(pickle::write_file(path, &dict.into())?)
    }
}

fn leaf(values: &ArrayD<f32>) -> Result<Value> {
    let flat: Vec<f32> = values.iter().copied().collect();
    Ok(Value::Tensor(Leaf::from_f32(values.shape().to_vec(), &flat)?))
}

fn array(value: &Value) -> Option<ArrayD<f32>> {
    let Value::Tensor(leaf) = value else { return None };
    ArrayD::from_shape_vec(IxDyn(&leaf.shape), leaf.to_f32()?).ok()
}

fn optimizer(value: &Value, parameters: usize) -> Option<OptimizerState> {
    let group = value.get("param_groups")?.as_items()?.first()?;
    let mut momenta = vec![None; parameters];
    for (index, entry) in value.get("state")?.as_dict()?.iter() {
        let slot = momenta.get_mut(usize::try_from(index.as_i64()?).ok()?)?;
        *slot = match entry.get("momentum_buffer") {
            None | Some(Value::None) => None,
            Some(buffer) => Some(array(buffer)?),
        };
    }
    Some(OptimizerState {
        learning_rate: group.get("lr")?.as_f64()?,
        momentum: group.get("momentum")?.as_f64()?,
        momenta,
    })
}

fn optimizer_value(optimizer: &OptimizerState) -> Result<Value> {
    let mut state = Dict::new();
    for (index, momentum) in optimizer.momenta.iter().enumerate() {
        if let Some(momentum) = momentum {
            state.set(index as i64, Dict::new().with("momentum_buffer", leaf(momentum)?));
        }
    }
    let group = Dict::new()
        .with("lr", optimizer.learning_rate)
        .with("momentum", optimizer.momentum)
        .with("dampening", 0i64)
        .with("weight_decay", WEIGHT_DECAY)
        .with("nesterov", true)
        .with("maximize", false)
        .with("foreach", Value::None)
        .with("differentiable", false)
        .with("fused", Value::None)
        .with(
            "params",
            Value::list((0..optimizer.momenta.len()).map(|i| i as i64)),
        );
    Ok(Dict::new()
        .with("state", state)
        .with("param_groups", Value::list([group]))
        .into())
}

fn loss_scale(value: &Value) -> Option<LossScale> {
    let growth_tracker = value.get("_growth_tracker")?.as_i64()?;
    Some(LossScale {
        scale: value.get("scale")?.as_f64()?,
        growth_tracker,
    })
}

fn position(value: &Value) -> Option<Position> {
    let count = |key: &str| u64::try_from(value.get(key)?.as_i64()?).ok();
    // Older versions did not write the norms.
    let norms = || Some((value.get("norm_sum")?.as_f64()?, count("norm_count")?));
    Some(Position {
        seed: value.get("seed")?.as_str()?.parse().ok()?,
        iteration: count("iteration")?,
        losses: (value.get("loss_sum")?.as_f64()?, count("loss_count")?),
        norms: norms().unwrap_or_default(),
        options: value.get("options")?.as_str()?.to_owned(),
    })
}

#[cfg(test)]
mod tests;
