//! What a model of nnU-Net v2 is.

use serde_json::{json, Map, Value};
use v2::architecture::{Activation, Encoder, Norm, Statistics};
use v2::{Architecture, Checkpoint, ModelFolder};

/// The facts of a model, with a sentence that sums them up. A network that is not known here, and folds without
/// checkpoints, are facts, too.
pub(super) fn facts(folder: &ModelFolder) -> Value {
    let (plans, settings, dataset) = (&folder.plans, &folder.settings, &folder.dataset);
    let labels = &dataset.labels;
    let network = Architecture::read(
        &plans.path,
        &folder.configuration,
        &settings.json,
        &settings.patch_size,
    );
    let channels: Vec<Value> = dataset
        .channel_names
        .iter()
        .zip(&settings.normalization)
        .zip(&settings.use_mask_for_norm)
        .map(
            |((name, scheme), mask)| json!({ "name": name, "normalization": scheme.name(), "useMask": mask }),
        )
        .collect();
    let outputs = labels.channel_names();
    let kind = if labels.regions_class_order.is_some() {
        "regions"
    } else {
        "labels"
    };
    let (described, network) = match &network {
        Ok(network) => (network.class_name().to_owned(), network_facts(network)),
        Err(error) => (
            "a network that is not known here".to_owned(),
            json!({ "problem": error.to_string() }),
        ),
    };
    let folds = folds(folder);
    let trained: Vec<&str> = folds.keys().map(String::as_str).collect();
    let sentence = format!(
        "nnU-Net v2, {}: {described} on patches of {} voxels, from {} channel{} ({}) to {} {kind} ({}); {}",
        folder.configuration,
        sizes(&settings.patch_size),
        dataset.channel_names.len(),
        if dataset.channel_names.len() == 1 { "" } else { "s" },
        dataset.channel_names.join(", "),
        outputs.len(),
        outputs.join(", "),
        match trained.as_slice() {
            [] => "no fold has a checkpoint".to_owned(),
            folds => format!("checkpoints of the folds {}", folds.join(", ")),
        }
    );
    json!({
        "model": sentence,
        "trainer": folder.trainer,
        "plans": folder.plans_name,
        "dataset": plans.dataset_name,
        "configuration": folder.configuration,
        "network": network,
        "channels": channels,
        kind: outputs,
        "ignoreLabel": labels.ignore,
        "spacing": settings.spacing,
        "patchSize": settings.patch_size,
        "transposeForward": plans.transpose_forward,
        "reader": plans.reader.name(),
        "fileEnding": dataset.file_ending.as_str(),
        "previousStage": settings.previous_stage,
        "folds": folds,
    })
}

/// Checkpoints of every fold that has one.
fn folds(folder: &ModelFolder) -> Map<String, Value> {
    let mut found = Map::new();
    for which in [Checkpoint::Final, Checkpoint::Best, Checkpoint::Latest] {
        for fold in folder.folds(which).unwrap_or_default() {
            let files = found.entry(fold.to_string()).or_insert_with(|| json!([]));
            if let Value::Array(files) = files {
                files.push(json!(which.file()));
            }
        }
    }
    found
}

fn network_facts(network: &Architecture) -> Value {
    let of_stages = |value: fn(&v2::architecture::Stage) -> Value| -> Vec<Value> {
        network.stages.iter().map(value).collect()
    };
    let (blocks, kind) = match &network.encoder {
        Encoder::Plain { .. } => ("convolutionsPerStage", "stacked convolutions"),
        Encoder::Residual {
            bottlenecks: None, ..
        } => ("blocksPerStage", "residual blocks (BasicBlockD)"),
        Encoder::Residual { .. } => ("blocksPerStage", "residual blocks (BottleneckD)"),
    };
    json!({
        "class": network.class_name(),
        "encoder": kind,
        "dimensions": network.dimensions(),
        "features": of_stages(|stage| json!(stage.features)),
        "kernels": of_stages(|stage| json!(stage.kernel)),
        "strides": of_stages(|stage| json!(stage.stride)),
        blocks: of_stages(|stage| json!(stage.blocks)),
        "decoderConvolutions": network.decoder,
        "normalization": network.norm.map_or("none".to_owned(), norm),
        "activation": activation(network.activation),
    })
}

fn norm(norm: Norm) -> String {
    let kind = match norm.statistics {
        Statistics::Instance => "of each image",
        Statistics::Running => "with the statistics of the training",
    };
    format!(
        "{kind}, eps {:e}{}",
        norm.eps,
        if norm.affine { "" } else { ", without weights" }
    )
}

fn activation(activation: Activation) -> String {
    match activation {
        Activation::Identity => "none".to_owned(),
        Activation::LeakyRelu { slope: 0.0 } => "ReLU".to_owned(),
        Activation::LeakyRelu { slope } => format!("LeakyReLU with slope {slope}"),
        Activation::Elu { alpha } => format!("ELU with alpha {alpha}"),
        Activation::Gelu { .. } => "GELU".to_owned(),
        Activation::Silu => "SiLU".to_owned(),
        Activation::Mish => "Mish".to_owned(),
    }
}

fn sizes(sizes: &[usize]) -> String {
    let sizes: Vec<_> = sizes.iter().map(ToString::to_string).collect();
    sizes.join(" x ")
}
