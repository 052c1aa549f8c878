//! Settings of a run.

use serde_json::{json, Value};

use engine::device_name;
use run::Context;
use settings::TrainOptions;

use crate::session::Session;
use crate::setup::Setup;

/// [`settings`] for the start event: names in camelCase, like those of options.
pub(super) fn reported(settings: &Value) -> Value {
    let object = settings.as_object().into_iter().flatten();
    object
        .map(|(name, value)| (camel_case(name), value.clone()))
        .collect()
}

/// Settings of a run after `epochs` epochs for `debug.json`, with nnU-Net v1's names.
pub(super) fn settings(
    options: &TrainOptions,
    setup: &Setup,
    session: &Session,
    epochs: u64,
    context: &Context,
) -> Value {
    let parameters: usize = session.network.parameters().iter().map(tch::Tensor::numel).sum();
    let mut all = json!({
        "trainer": setup.info.name,
        "recipe": setup.data.recipe,
        "configuration": options.data.configuration,
        "fold": options.data.fold,
        "device": device_name(setup.compute.device),
        "precision": setup.compute.precision_name(),
        "precision_reason": setup.compute.reason,
        "threads": context.workers(),
        "nnunet_diag_version": env!("CARGO_PKG_VERSION"),
        // As nnU-Net v2 names it.
        "torch_version": engine::LIBTORCH_VERSION,
        "seed": options.data.seed,
        "epoch": epochs,
        "max_num_epochs": options.epochs,
        "num_batches_per_epoch": options.iterations,
        "num_val_batches_per_epoch": options.validation_iterations,
        "initial_lr": options.initial_lr,
        "pretrained": options.pretrained,
        "freeze_encoder": options.freeze_encoder,
        "class_weights": options.class_weights,
        "weight_decay": engine::optimizer::WEIGHT_DECAY,
        "momentum": session.optimizer.momentum,
        "batch_size": setup.data.plan.batch_size,
        "patch_size": setup.data.plan.patch_size,
        "batch_dice": setup.batch_dice,
        "net_num_pool_op_kernel_sizes": setup.data.plan.pool_op_kernel_sizes,
        "net_conv_kernel_sizes": setup.data.plan.conv_kernel_sizes,
        "base_num_features": setup.architecture.base_features,
        "num_parameters": parameters,
        "num_input_channels": setup.architecture.input_channels,
        "num_classes": setup.architecture.classes,
        "do_dummy_2D_aug": setup.data.plan.do_dummy_2d_data_aug,
        "training_cases": setup.data.split.train.len(),
        "validation_cases": setup.data.split.val.len(),
        "folder_with_preprocessed_data": setup.data.folder,
        "output_folder": setup.model.fold(options.data.fold).path,
    });
    if let Some(samples) = &setup.samples {
        all["world_size"] = setup.ranks.into();
        all["samples_of_first_rank"] = samples.len().into();
    }
    all
}

/// `patch_size` → `patchSize`.
fn camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut name, part| {
        let mut letters = part.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name + letters.as_str()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_names_become_camel_case() {
        let found = ["fold", "patch_size", "do_dummy_2D_aug"].map(camel_case);
        assert_eq!(found, ["fold", "patchSize", "doDummy2DAug"]);
    }
}
