//! A batch depends only on seed, epoch and iteration.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::common::{cascade, dense, digests, folder, options, scribbles};
use loader::{Batch, HeapBuffers, Loader, LoaderOptions, Phase};
use run::Context;
use sampling::{Annotated, Sampling};

fn start(options: &LoaderOptions) -> Loader {
    Loader::start(options, Arc::new(HeapBuffers), &Context::silent(2)).unwrap()
}

/// Two loaders that share each batch make the samples of one that makes all.
fn assert_parts(options: &LoaderOptions) {
    let part = |samples| {
        start(&LoaderOptions {
            samples: Some(samples),
            ..options.clone()
        })
    };
    let (whole, parts) = (start(options), [part(0..1), part(1..options.batch_size)]);
    for _ in 0..3 {
        let batch = whole.next().unwrap();
        let made = parts.each_ref().map(|part| part.next().unwrap());
        let together =
            |values: fn(&Batch) -> &[f32]| made.iter().flat_map(values).copied().collect::<Vec<_>>();
        assert!(
            together(|batch| batch.data.as_slice()) == batch.data.as_slice(),
            "images"
        );
        assert!(
            together(|batch| batch.targets[0].as_slice()) == batch.targets[0].as_slice(),
            "labels"
        );
        assert_eq!(
            [made[0].cases.clone(), made[1].cases.clone()].concat(),
            batch.cases
        );
        assert_eq!(made.iter().any(|part| part.annotated), batch.annotated);
    }
}

/// The same batches for 1, 2 and 16 threads, after a restart from the middle, and read from npz files.
fn assert_repeatable(options: &LoaderOptions) {
    let batches = 11;
    let expected = digests(&start(options), batches);
    assert_eq!(
        expected.iter().collect::<BTreeSet<_>>().len(),
        batches,
        "no batch is like another"
    );
    for threads in [2, 16] {
        let with = LoaderOptions {
            threads,
            queue: threads % 3,
            ..options.clone()
        };
        assert_eq!(digests(&start(&with), batches), expected, "{threads} threads");
    }
    let resumed = LoaderOptions {
        first_epoch: 1,
        first_iteration: 2,
        threads: 2,
        ..options.clone()
    };
    assert_eq!(
        digests(&start(&resumed), batches - 6),
        expected[6..],
        "resumed at epoch 1, iteration 2"
    );
    let packed = LoaderOptions {
        unpack: false,
        cache_bytes: 0,
        ..options.clone()
    };
    assert_eq!(digests(&start(&packed), 3), expected[..3], "from npz");
    assert_parts(options);
    let other = LoaderOptions {
        seed: options.seed + 1,
        ..options.clone()
    };
    assert!(
        digests(&start(&other), batches)
            .iter()
            .all(|digest| !expected.contains(digest)),
        "another seed"
    );
}

#[test]
fn foreground_3d() {
    let (folder, cases) = folder(dense);
    assert_repeatable(&options(folder.path(), &cases, &[12, 10, 14]));
}

#[test]
fn foreground_2d_with_weightmaps() {
    let (folder, cases) = folder(dense);
    let mut options = options(folder.path(), &cases, &[16, 12]);
    options.pipeline.weightmap = true;
    options.batch_size = 5;
    assert_repeatable(&options);
}

#[test]
fn annotated_3d_with_weightmaps() {
    let (folder, cases) = folder(scribbles);
    let mut options = options(folder.path(), &cases, &[12, 10, 14]);
    options.pipeline.ignore_label = Some(-1);
    options.pipeline.weightmap = true;
    options.pipeline.use_mask_for_norm = vec![true, true];
    options.sampling = Sampling::Annotated(Annotated {
        offset: 0.7,
        balance: true,
        ..Annotated::default()
    });
    assert_repeatable(&options);
}

#[test]
fn annotated_dummy_2d() {
    let (folder, cases) = folder(scribbles);
    let mut options = options(folder.path(), &cases, &[4, 16, 14]);
    options.pipeline.ignore_label = Some(-1);
    options.pipeline.dummy_2d = true;
    options.sampling = Sampling::Annotated(Annotated::default());
    assert_repeatable(&options);
}

#[test]
fn cascade_3d() {
    let (folder, cases) = folder(dense);
    let options = cascade(folder.path(), &cases, &[8, 8, 8]);
    assert_repeatable(&options);
}

#[test]
fn validation_draws_from_its_own_stream_and_changes_nothing() {
    let (folder, cases) = folder(dense);
    let mut options = options(folder.path(), &cases, &[8, 8, 8]);
    options.pipeline.ignore_label = Some(-1);
    let training = digests(&start(&options), 4);
    options.phase = Phase::Validation;
    assert!(digests(&start(&options), 4)
        .iter()
        .all(|digest| !training.contains(digest)));
    let loader = start(&options);
    let batch = loader.next().unwrap();
    // Every voxel value of the patch occurs in the case: nothing was interpolated.
    let stack =
        volume::npz::read::<f32>(&folder.path().join(format!("{}.npz", batch.cases[0])), "data").unwrap();
    let known: BTreeSet<u32> = stack.iter().map(|v| v.to_bits()).collect();
    assert!(batch.data.as_slice()[..1024]
        .iter()
        .all(|v| known.contains(&v.to_bits())));
    assert_eq!(
        batch.targets[0].as_slice().iter().filter(|l| **l == -1.0).count(),
        0,
        "a dense case has no -1"
    );
}
