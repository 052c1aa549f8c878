//! What a run is run with.

use serde_json::json;

use super::Run;
use crate::device_name;

impl Run<'_> {
    /// Settings of the run, for events and `debug.json`.
    pub fn settings(&self) -> serde_json::Value {
        let (setup, options) = (self.setup, self.options);
        let parameters: usize = self
            .session
            .network
            .parameters()
            .iter()
            .map(tch::Tensor::numel)
            .sum();
        json!({
            "trainer": setup.info.name,
            "recipe": setup.recipe,
            "configuration": options.data.configuration,
            "fold": options.data.fold,
            "device": device_name(setup.compute.device),
            "precision": setup.compute.precision_name(),
            "precision_reason": setup.compute.reason,
            "threads": self.context.workers(),
            "seed": options.data.seed,
            "epoch": self.epochs(),
            "max_num_epochs": options.epochs,
            "num_batches_per_epoch": options.iterations,
            "num_val_batches_per_epoch": options.validation_iterations,
            "initial_lr": options.initial_lr,
            "weight_decay": crate::optimizer::WEIGHT_DECAY,
            "momentum": self.session.optimizer.momentum,
            "batch_size": setup.plan.batch_size,
            "patch_size": setup.plan.patch_size,
            "batch_dice": setup.batch_dice,
            "net_num_pool_op_kernel_sizes": setup.plan.pool_op_kernel_sizes,
            "net_conv_kernel_sizes": setup.plan.conv_kernel_sizes,
            "base_num_features": setup.architecture.base_features,
            "num_parameters": parameters,
            "num_input_channels": setup.architecture.input_channels,
            "num_classes": setup.architecture.classes,
            "do_dummy_2D_aug": setup.plan.do_dummy_2d_data_aug,
            "training_cases": setup.split.train.len(),
            "validation_cases": setup.split.val.len(),
            "folder_with_preprocessed_data": setup.data,
            "output_folder": self.fold.path,
        })
    }
}
