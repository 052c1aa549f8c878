//! Checkpoints of nnU-Net v2: `checkpoint_final.pth` and the like.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ndarray::{ArrayD, IxDyn};
use pickle::torch::{read_checkpoint, Tensor, TensorType};
use pickle::{Dict, Value};

use crate::Error;

/// What prediction needs of a checkpoint of nnU-Net v2.
///
/// Source: `nnUNetTrainer.save_checkpoint` and `nnUNetPredictor.initialize_from_trained_model_folder` of nnunetv2 2.8.1.
#[derive(Clone, Debug)]
pub struct CheckpointFile {
    /// The file.
    pub path: PathBuf,
    /// Name of the trainer's class.
    pub trainer: String,
    /// Name of the configuration, if the checkpoint has it.
    pub configuration: Option<String>,
    /// Axes of the patch that predictions may be mirrored along; empty for none.
    pub mirror_axes: Vec<usize>,
    /// Finished epochs, if known.
    pub epochs: Option<i64>,
    /// Parameters by name, each once: without the prefixes of `torch.compile` (`_orig_mod.`) and of a parallel training
    /// (`module.`), and without the second names that modules have (`decoder.encoder.`, `all_modules.`).
    pub state: BTreeMap<String, ArrayD<f32>>,
}

impl CheckpointFile {
    /// Reads a checkpoint. Nothing in it is executed.
    ///
    /// # Errors
    /// [`Error::Pickle`] if the file cannot be read, or names a class that is not known as safe; [`Error::Checkpoint`] if it
    /// is not one of nnU-Net v2, a parameter is not float32 or not finite, or two names of a parameter have different
    /// values.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let value = read_checkpoint(path)?;
        let wrong = |problem: String| Error::Checkpoint {
            path: path.to_owned(),
            problem,
        };
        let entry = |key: &str| {
            value.get(key).ok_or_else(|| {
                let found = if value.get("state_dict").is_some() {
                    "; it is one of nnU-Net v1"
                } else {
                    ""
                };
                wrong(format!("not a checkpoint of nnU-Net v2: no entry {key}{found}"))
            })
        };
        let weights = entry("network_weights")?
            .as_dict()
            .ok_or_else(|| wrong("network_weights is no dictionary".to_owned()))?;
        let trainer = entry("trainer_name")?.as_str();
        let trainer = trainer.ok_or_else(|| wrong("trainer_name is no text".to_owned()))?;
        let configuration = value.get("init_args").and_then(|init| init.get("configuration"));
        Ok(Self {
            path: path.to_owned(),
            trainer: trainer.to_owned(),
            configuration: configuration.and_then(Value::as_str).map(str::to_owned),
            mirror_axes: mirror_axes(value.get("inference_allowed_mirroring_axes")).map_err(wrong)?,
            epochs: value.get("current_epoch").and_then(Value::as_i64),
            state: state(weights).map_err(wrong)?,
        })
    }
}

fn mirror_axes(value: Option<&Value>) -> Result<Vec<usize>, String> {
    let Some(value) = value.filter(|value| **value != Value::None) else {
        return Ok(Vec::new());
    };
    let axis = |value: &Value| usize::try_from(value.as_i64()?).ok().filter(|axis| *axis < 3);
    let axes = value
        .as_items()
        .and_then(|items| items.iter().map(axis).collect::<Option<Vec<_>>>());
    let mut axes = axes.ok_or("inference_allowed_mirroring_axes: expected None or axes from 0 to 2")?;
    axes.sort_unstable();
    axes.dedup();
    Ok(axes)
}

fn state(weights: &Dict) -> Result<BTreeMap<String, ArrayD<f32>>, String> {
    let mut found: BTreeMap<String, (&str, &Tensor)> = BTreeMap::new();
    for (key, value) in weights.iter() {
        let key = key.as_str().ok_or("network_weights has a key that is no text")?;
        // A count of BatchNorm's batches. Prediction does not use it.
        if key.ends_with(".num_batches_tracked") {
            continue;
        }
        let Value::Tensor(tensor) = value else {
            return Err(format!(
                "{key} is {}; expected a tensor of float32",
                value.type_name()
            ));
        };
        if tensor.dtype != TensorType::F32 {
            return Err(format!(
                "{key} is a tensor of {}; expected float32, as nnU-Net v2 saves it; convert the weights with .float() and \
                 save the checkpoint again",
                tensor.dtype.name()
            ));
        }
        match found.entry(canonical(key)) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert((key, tensor));
            }
            std::collections::btree_map::Entry::Occupied(first) => {
                let (name, other) = first.get();
                if *other != tensor {
                    return Err(format!(
                        "{name} and {key} are names of one parameter, but have different values; the checkpoint is damaged \
                         or was changed"
                    ));
                }
            }
        }
    }
    let mut state = BTreeMap::new();
    for (name, (key, tensor)) in found {
        let values = tensor.to_f32().unwrap_or_default();
        let bad = values.iter().filter(|value| !value.is_finite()).count();
        if bad > 0 {
            return Err(format!(
                "{key} has {bad} values that are not finite; the training diverged or the file is damaged; choose another \
                 checkpoint"
            ));
        }
        let array = ArrayD::from_shape_vec(IxDyn(&tensor.shape), values);
        state.insert(name, array.map_err(|error| format!("{key}: {error}"))?);
    }
    Ok(state)
}

/// The one name of a parameter.
fn canonical(key: &str) -> String {
    let mut key = key;
    while let Some(rest) = key
        .strip_prefix("_orig_mod.")
        .or_else(|| key.strip_prefix("module."))
    {
        key = rest;
    }
    // `torch.compile` of a part of the network.
    let mut key = key.replace("._orig_mod.", ".");
    if let Some(rest) = key.strip_prefix("decoder.encoder.") {
        key = format!("encoder.{rest}");
    }
    let Some((module, rest)) = key.split_once(".all_modules.") else {
        return key;
    };
    // The convolution is first, and dropout and activations have no parameters.
    match rest.split_once('.') {
        Some(("0", part)) => format!("{module}.conv.{part}"),
        Some((index, part)) if index.parse::<usize>().is_ok() => format!("{module}.norm.{part}"),
        _ => key,
    }
}

#[cfg(test)]
mod tests;
