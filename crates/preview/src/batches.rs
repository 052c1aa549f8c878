//! The verb.

use std::sync::Arc;

use dataset::StagePlan;
use loader::{HeapBuffers, LoaderOptions, Phase, PreparedLoader, Tensor};
use recipe::TrainingData;
use run::{Context, Event};
use serde_json::json;

use crate::directions::Directions;
use crate::{names, PreviewOptions, Result};

/// A C-ordered float32 array.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// The values.
    pub values: Vec<f32>,
}

/// One batch. Axes are (sample, channel, z, y, x) in 3D and (sample, channel, y, x) in 2D.
#[derive(Clone, Debug, PartialEq)]
pub struct PreviewBatch {
    /// The case of each sample.
    pub cases: Vec<String>,
    /// Epoch, counted from 0.
    pub epoch: u64,
    /// Iteration within the epoch, counted from 0.
    pub iteration: u64,
    /// The network's input: image channels, and in a cascade's second stage one channel per class of the
    /// first stage.
    pub data: Array,
    /// Labels at each deep-supervision scale, finest first, one channel. -1 is unlabelled, for recipes with
    /// an ignore label.
    pub targets: Vec<Array>,
    /// Voxel weights at each deep-supervision scale, one channel; `None` unless the recipe uses them.
    pub weights: Option<Vec<Array>>,
    /// Direction of each sample's case before augmentation; `None` if the record of the case has none. A row-major
    /// matrix in LPS, as that of a volume; its columns are the last, middle and first axis of the
    /// preprocessed array, which plans may have transposed.
    pub directions: Vec<Option<[f64; 9]>>,
}

/// Batches with the names of their channels and classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// Full name of the task.
    pub task: String,
    /// Patch size of the network, (z, y, x) or (y, x).
    pub patch_size: Vec<usize>,
    /// Distance between voxels along the axes of the patch before augmentation, in mm.
    pub spacing: Vec<f64>,
    /// Whether the batches are those of training, which are rotated, scaled and mirrored at random.
    pub augmented: bool,
    /// Names of the image channels.
    pub modalities: Vec<String>,
    /// Names of classes 1, 2, ...
    pub classes: Vec<String>,
    /// The batches of consecutive iterations.
    pub batches: Vec<PreviewBatch>,
}

/// Loads the batches that `train` uses for the same options, seed, epoch and iterations, byte by byte.
///
/// All batches are in memory at once. Writes only the files that training also writes: a missing
/// `<case>_annotation.idx` beside a case, if patches are centred on annotated voxels, and npy files with
/// [`PreviewOptions::unpack`].
///
/// # Errors
/// [`crate::Error::Recipe`] for options, plans, splits and missing cases; [`crate::Error::Loader`] for
/// unreadable cases, missing weightmaps, cases without annotation, and cancellation.
pub fn preview(options: &PreviewOptions, context: &Context) -> Result<Preview> {
    run::validate(options)?;
    let end = options.end()?;
    let data = TrainingData::resolve(&options.data, context)?;
    check_patch(&data.plan)?;
    context.emit(Event::Started {
        verb: "preview",
        settings: json!({
            "task": data.task.name,
            "trainer": options.data.trainer,
            "recipe": data.recipe,
            "phase": options.phase,
            "patchSize": data.plan.patch_size,
            "batchSize": data.plan.batch_size,
            "trainingCases": data.split.train.len(),
            "validationCases": data.split.val.len(),
        }),
    });
    let prepared = PreparedLoader::open(
        &LoaderOptions {
            seed: options.data.seed,
            // No more threads than batches, since each thread holds memory.
            threads: context
                .workers()
                .min(usize::try_from(options.batches).unwrap_or(usize::MAX)),
            queue: 0,
            first_epoch: options.epoch,
            first_iteration: options.iteration,
            iterations: end,
            epochs: Some(options.epoch.saturating_add(1)),
            unpack: options.unpack,
            ..data.loader(options.phase)
        },
        context,
    )?;
    let memory = *prepared.memory();
    let kept = (memory.batch as u64).saturating_mul(options.batches);
    context.emit(Event::Memory {
        part: "preview",
        case: None,
        strategy: None,
        bytes: (memory.total() as u64).saturating_add(kept),
        parts: json!({ "loader": memory, "batches": kept }),
    });
    let loader = prepared.start(Arc::new(HeapBuffers))?;
    let mut directions = Directions::new(&data);
    let mut batches = Vec::new();
    for done in 1..=options.batches {
        let batch = loader.next()?;
        batches.push(PreviewBatch {
            cases: batch.cases.clone(),
            epoch: batch.epoch,
            iteration: batch.iteration,
            data: copy(&batch.data)?,
            targets: copy_all(&batch.targets)?,
            weights: batch.weights.as_deref().map(copy_all).transpose()?,
            directions: batch.cases.iter().map(|case| directions.of(case)).collect(),
        });
        loader.recycle(batch);
        context.progress(done, options.batches, "batches", None);
    }
    Ok(Preview {
        task: data.task.name.clone(),
        patch_size: data.plan.patch_size.clone(),
        // A 2D patch lacks the first axis.
        spacing: data.plan.current_spacing[3 - data.plan.patch_size.len().min(3)..].to_vec(),
        augmented: options.phase == Phase::Training,
        modalities: names::modalities(&data.plans),
        classes: names::classes(&data, context),
        batches,
    })
}

/// Rejects patch sizes that the planned network does not accept, like training does.
fn check_patch(plan: &StagePlan) -> Result<()> {
    let axes = plan.pool_op_kernel_sizes.first().map_or(0, Vec::len);
    let mut divisor = vec![1; axes];
    for pool in &plan.pool_op_kernel_sizes {
        divisor.iter_mut().zip(pool).for_each(|(d, p)| *d *= p);
    }
    let size = &plan.patch_size;
    let fits = |(n, d): (&usize, &usize)| *n > 0 && *d > 0 && n % d == 0;
    if size.len() == axes && size.iter().zip(&divisor).all(fits) && *size != divisor {
        return Ok(());
    }
    Err(run::OptionError::new(
        "patchSize",
        format!(
            "expected multiples of {divisor:?}, the product of the poolings of each axis, and more than that along one \
             axis; got {size:?}"
        ),
    )
    .into())
}

fn copy(tensor: &Tensor) -> Result<Array> {
    let mut values = Vec::new();
    values
        .try_reserve_exact(tensor.as_slice().len())
        .map_err(|e| loader::Error::Memory {
            bytes: size_of_val(tensor.as_slice()),
            reason: e.to_string(),
        })?;
    values.extend_from_slice(tensor.as_slice());
    Ok(Array {
        shape: tensor.shape().to_vec(),
        values,
    })
}

fn copy_all(tensors: &[Tensor]) -> Result<Vec<Array>> {
    tensors.iter().map(copy).collect()
}
