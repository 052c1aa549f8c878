//! A preview shows the batches of the training, byte by byte.

use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use loader::{Batch, HeapBuffers, Loader, Phase};
use preview::{Preview, PreviewOptions};

use super::*;

/// A hash of a batch's content.
fn digest<'a>(cases: &[String], arrays: impl Iterator<Item = (&'a [usize], &'a [f32])>) -> u64 {
    let mut hasher = DefaultHasher::new();
    cases.iter().for_each(|case| hasher.write(case.as_bytes()));
    for (shape, values) in arrays {
        shape.iter().for_each(|&n| hasher.write_usize(n));
        values.iter().for_each(|v| hasher.write_u32(v.to_bits()));
    }
    hasher.finish()
}

fn trained(batch: &Batch) -> (u64, u64, u64) {
    let tensors = std::iter::once(&batch.data)
        .chain(&batch.targets)
        .chain(batch.weights.iter().flatten());
    let content = digest(&batch.cases, tensors.map(|t| (t.shape(), t.as_slice())));
    (batch.epoch, batch.iteration, content)
}

fn previewed(preview: &Preview) -> Vec<(u64, u64, u64)> {
    let one = |batch: &preview::PreviewBatch| {
        let arrays = std::iter::once(&batch.data)
            .chain(&batch.targets)
            .chain(batch.weights.iter().flatten());
        let content = digest(
            &batch.cases,
            arrays.map(|a| (a.shape.as_slice(), a.values.as_slice())),
        );
        (batch.epoch, batch.iteration, content)
    };
    preview.batches.iter().map(one).collect()
}

#[test]
fn preview_batches_equal_training_batches() {
    let task = Task::new();
    let both = Recipe {
        ignore_label: Some(-1),
        voxel_weights: true,
        ..Recipe::preset(recipe::Trainer::Sparse)
    };
    for (trainer, recipe) in [
        ("nnUNetTrainerV2", None),
        ("nnUNetTrainerV2Sparse", None),
        ("nnUNetTrainerV2Weighted", None),
        ("nnUNetTrainerV2Sparse", Some(both)),
    ] {
        let mut training = task.options(trainer, "results");
        training.data.recipe = recipe.clone();
        training.data.batch_size = Some(3);
        let context = Context::silent(2);
        let setup = Setup::new(&training, std::time::Instant::now(), &context).unwrap();
        for phase in [Phase::Training, Phase::Validation] {
            let first = if phase == Phase::Training { 2 } else { 0 };
            let loader = Loader::start(
                &setup.loader(&training, phase, 1, first),
                Arc::new(HeapBuffers),
                &context,
            )
            .unwrap();
            let expected: Vec<_> = (0..2).map(|_| trained(&loader.next().unwrap())).collect();

            let mut options = PreviewOptions::new(training.data.clone());
            options.phase = phase;
            (options.epoch, options.iteration, options.batches) = (1, first, 2);
            let found = preview::preview(&options, &context).unwrap();
            assert_eq!(previewed(&found), expected, "{trainer}, {phase:?}");
            let weighted = setup.data.recipe.voxel_weights;
            assert!(found.batches.iter().all(|b| b.weights.is_some() == weighted));
        }
    }
}
