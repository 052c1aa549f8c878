//! Memory of a training.

use std::collections::BTreeMap;

use dataset::CaseProperties;
use loader::{expected_memory, Phase};
use recipe::{Architecture, TrainingData};
use run::Context;
use settings::TrainOptions;

use crate::network::{layer_values, parameters, Prediction, Sizes};
use crate::{Error, Estimate, WITH_CUDA, WITH_LIBTORCH};

/// Values of a voxel and feature of each stage that a training step keeps: inputs and outputs of the convolutions and
/// normalisations of both halves of the U-Net, and the gradients on the way back. Measured on CPU.
const KEPT: u64 = 16;

/// Estimates the memory of the training of a fold, with its validation.
///
/// # Errors
/// [`Error::Unknown`] before the task is preprocessed.
pub(crate) fn estimate(
    options: &TrainOptions,
    threads: usize,
    gpu: bool,
    context: &Context,
) -> Result<Estimate, Error> {
    let mut data = options.data.clone();
    let folds = options.folds.as_deref().unwrap_or_default();
    data.fold = folds.first().copied().unwrap_or(data.fold);
    let data = TrainingData::resolve(&data, context)?;
    let threads = match options.loader_threads {
        0 => threads,
        count => count,
    };
    let mut loaders = 0;
    for phase in [Phase::Training, Phase::Validation] {
        loaders += expected_memory(&data.loader(phase), threads)?.total() as u64;
    }
    let stage = options.data.configuration.stage(&data.plans)?;
    let architecture = Architecture::from_plans(&data.plans, stage, data.cascade)?;
    let mut parts = BTreeMap::from([
        ("program", if gpu { WITH_CUDA } else { WITH_LIBTORCH }),
        ("loaders", loaders),
    ]);
    if !gpu {
        let patch = data.plan.patch_size.iter().map(|&n| n as u64).product::<u64>();
        let (coarser, finest) = layer_values(&architecture, patch * data.plan.batch_size as u64);
        // Weights, gradients, momentum.
        parts.insert("network", 3 * 4 * parameters(&architecture));
        parts.insert("step", 4 * KEPT * (finest + coarser));
    }
    let count = data.split.val.len();
    let mut basis = format!(
        "patch {:?}, batch size {}, {threads} loader threads",
        data.plan.patch_size, data.plan.batch_size
    );
    if options.validate {
        let sizes = data.split.val.iter().filter_map(|case| {
            let properties = CaseProperties::read(&data.folder.join(format!("{case}.pkl"))).ok()?;
            Some(Sizes {
                network: properties.size_after_resampling().ok()?,
                image: properties.original_size_of_raw_data().ok()?,
            })
        });
        let prediction = Prediction {
            architecture: &architecture,
            patch: &data.plan.patch_size,
            several: count > 1,
            saved: options.npz,
            gpu,
        };
        let largest = prediction.largest(sizes).unwrap_or(0);
        // The step's memory is free, or taken again, when the cases are validated.
        let step = parts.get("step").copied().unwrap_or(0);
        parts.insert("validation", largest.saturating_sub(step));
        basis = format!("{basis}, validation of {count} cases");
    }
    Ok(Estimate { parts, basis })
}
