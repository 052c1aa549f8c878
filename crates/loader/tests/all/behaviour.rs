//! Back pressure, errors, memory, and the content of annotated patches.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::common::{dense, folder, options, scribbles, write};
use loader::{Batch, Buffer, BufferSource, Error, HeapBuffers, Loader, LoaderOptions, Phase, PreparedLoader};
use run::{Coded, Context};
use sampling::{Annotated, Sampling};

fn start(options: &LoaderOptions) -> Result<Loader, Error> {
    Loader::start(options, Arc::new(HeapBuffers), &Context::silent(2))
}

/// Buffer source that counts its allocations.
#[derive(Default)]
struct Counting(AtomicUsize);

impl BufferSource for Counting {
    fn allocate(&self, length: usize) -> Result<Box<dyn Buffer>, String> {
        self.0.fetch_add(length * size_of::<f32>(), Ordering::SeqCst);
        HeapBuffers.allocate(length)
    }
}

#[test]
fn batches_use_at_most_the_announced_memory() {
    let (folder, cases) = folder(dense);
    let options = LoaderOptions {
        threads: 3,
        queue: 2,
        ..options(folder.path(), &cases, &[8, 8, 8])
    };
    let prepared = PreparedLoader::open(&options, &Context::silent(1)).unwrap();
    let memory = *prepared.memory();
    assert_eq!(memory.batch, 2 * (2 * 512 + 512 + 64) * 4);
    assert_eq!(memory.batches, 3 + 2 + 1);
    assert_eq!(prepared.estimated_bytes(), memory.total());
    assert!(memory.scratch > 3 * 4 * 13 * 13 * 13 * 3 && memory.sampling > 0 && memory.cache == 0);
    let counting = Arc::new(Counting::default());
    let loader = prepared.start(counting.clone()).unwrap();
    for _ in 0..40 {
        let batch = loader.next().unwrap();
        loader.recycle(batch);
    }
    assert_eq!(counting.0.load(Ordering::SeqCst), memory.batch * memory.batches);
}

#[test]
fn threads_wait_for_the_consumer() {
    let (folder, cases) = folder(dense);
    let options = LoaderOptions {
        threads: 2,
        queue: 1,
        ..options(folder.path(), &cases, &[8, 8, 8])
    };
    let loader = start(&options).unwrap();
    let started = Instant::now();
    while loader.ready() < 3 && started.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(loader.ready(), 3);
    let dropping = Instant::now();
    drop(loader);
    assert!(dropping.elapsed() < Duration::from_secs(5));
}

#[test]
fn the_schedule_ends() {
    let (folder, cases) = folder(dense);
    let options = LoaderOptions {
        epochs: Some(2),
        first_epoch: 1,
        first_iteration: 1,
        ..options(folder.path(), &cases, &[8, 8])
    };
    let loader = start(&options).unwrap();
    let seen: Vec<_> = (0..3)
        .map(|_| loader.next().unwrap())
        .map(|b| (b.epoch, b.iteration))
        .collect();
    assert_eq!(seen, [(1, 1), (1, 2), (1, 3)]);
    assert!(matches!(loader.next(), Err(Error::Finished { epochs: 2 })));
}

#[test]
fn the_first_error_follows_the_batches_before_it_and_has_its_case() {
    let (folder, cases) = folder(dense);
    let path = folder.path().join("bbb_weightmap.npy");
    let mut weights = volume::npy::read::<f32>(&path).unwrap();
    weights.fill(f32::INFINITY);
    volume::npy::write(&path, weights.view()).unwrap();
    let mut options = options(folder.path(), &cases, &[8, 8, 8]);
    options.pipeline.weightmap = true;
    let run = |threads: usize| {
        let loader = start(&LoaderOptions {
            threads,
            ..options.clone()
        })
        .unwrap();
        let mut good = Vec::new();
        loop {
            match loader.next() {
                Ok(batch) => good.push(batch.cases.clone()),
                Err(error) => {
                    assert_eq!(
                        loader.next().unwrap_err().to_string(),
                        error.to_string(),
                        "it stays"
                    );
                    return (good, error);
                }
            }
        }
    };
    let (good, error) = run(1);
    assert!(good.iter().flatten().all(|case| case != "bbb"));
    assert_eq!(
        (error.code(), error.details()["case"].as_str()),
        ("ERR_WEIGHTMAP_VALUE", Some("bbb"))
    );
    assert_eq!(run(4).0, good);
}

/// Buffer source that fails after some allocations, or returns memory that panics on writing.
struct Failing {
    left: AtomicUsize,
    panics: bool,
}

struct Broken(Box<dyn Buffer>);

impl Buffer for Broken {
    fn as_slice(&self) -> &[f32] {
        self.0.as_slice()
    }

    fn as_mut_slice(&mut self) -> &mut [f32] {
        panic!("device is gone")
    }
}

impl BufferSource for Failing {
    fn allocate(&self, length: usize) -> Result<Box<dyn Buffer>, String> {
        let buffer = HeapBuffers.allocate(length)?;
        match self.left.fetch_sub(1, Ordering::SeqCst) {
            0 if self.panics => Ok(Box::new(Broken(buffer))),
            0 => Err("device is gone".to_owned()),
            _ => Ok(buffer),
        }
    }
}

#[test]
fn a_failed_allocation_is_an_error_at_the_start() {
    let (folder, cases) = folder(dense);
    let source = Arc::new(Failing {
        left: AtomicUsize::new(4),
        panics: false,
    });
    let options = options(folder.path(), &cases, &[8, 8, 8]);
    let error = Loader::start(&options, source, &Context::silent(1))
        .map(drop)
        .unwrap_err();
    assert_eq!(error.code(), "ERR_OUT_OF_MEMORY", "{error}");
}

#[test]
fn a_panic_in_a_thread_becomes_an_error() {
    let (folder, cases) = folder(dense);
    let source = Arc::new(Failing {
        left: AtomicUsize::new(0),
        panics: true,
    });
    let options = options(folder.path(), &cases, &[8, 8, 8]);
    let loader = Loader::start(&options, source, &Context::silent(1)).unwrap();
    let error = (0..10).find_map(|_| loader.next().err()).unwrap();
    assert_eq!(error.code(), "ERR_INTERNAL", "{error}");
    assert!(error.to_string().contains("device is gone"), "{error}");
}

#[test]
fn cancellation_ends_the_wait() {
    let (folder, cases) = folder(dense);
    let context = Context::silent(1);
    let options = options(folder.path(), &cases, &[8, 8, 8]);
    let loader = Loader::start(&options, Arc::new(HeapBuffers), &context).unwrap();
    loader.next().unwrap();
    context.cancel().cancel();
    assert!(matches!(loader.next(), Err(Error::Cancelled(_))));
}

#[test]
fn options_that_do_not_match_the_cases_are_rejected() {
    let (folder, cases) = folder(dense);
    let mut wrong = options(folder.path(), &cases, &[8, 8, 8]);
    wrong.pipeline.channels = 1;
    let error = start(&wrong).map(drop).unwrap_err();
    assert_eq!(error.code(), "ERR_OPTIONS");
    assert_eq!(error.details()["problems"][0]["option"], "channels");
    let mut wrong = options(folder.path(), &cases, &[8, 8, 8]);
    wrong.pipeline.patch_size = vec![8];
    assert_eq!(start(&wrong).map(drop).unwrap_err().code(), "ERR_OPTIONS");
    let wrong = options(folder.path(), &["nobody".to_owned()], &[8, 8, 8]);
    let error = start(&wrong).map(drop).unwrap_err();
    assert_eq!(
        (error.code(), error.details()["case"].as_str()),
        ("ERR_CASE_MISSING", Some("nobody"))
    );
}

/// Options with maximum rotation and scaling, around sparse annotation at the border.
fn violent(folder: &Path, cases: &[String], patch: &[usize], annotated: Annotated) -> LoaderOptions {
    let mut options = options(folder, cases, patch);
    let mut strength = options.pipeline.strength();
    strength.spatial.rotation_probability = 1.0;
    strength.spatial.scale_probability = 1.0;
    options.pipeline.strength = Some(strength);
    options.pipeline.ignore_label = Some(-1);
    options.sampling = Sampling::Annotated(annotated);
    options
}

/// Number of samples without annotated voxels.
fn bare(batch: &Batch) -> usize {
    let target = batch.targets[0].as_slice();
    let samples = target.chunks_exact(target.len() / batch.cases.len());
    samples
        .filter(|labels| labels.iter().all(|label| *label == -1.0))
        .count()
}

#[test]
fn transforms_keep_annotated_voxels_if_requested() {
    let folder = tempfile::tempdir().unwrap();
    // Single voxels, which interpolation can remove and rotation can move out of the patch.
    write(folder.path(), "one", [18, 18, 18], |v| {
        if [[0, 0, 0], [9, 9, 9]].contains(&v) {
            1
        } else {
            -1
        }
    });
    let cases = ["one".to_owned()];
    for patch in [&[10, 10, 10][..], &[10, 10][..]] {
        let lost = |keep_annotated: bool| {
            let annotated = Annotated {
                offset: 1.0,
                keep_annotated,
                ..Annotated::default()
            };
            let loader = start(&violent(folder.path(), &cases, patch, annotated)).unwrap();
            (0..40).map(|_| bare(&loader.next().unwrap())).sum::<usize>()
        };
        assert!(lost(false) > 10, "otherwise this test shows nothing");
        assert_eq!(lost(true), 0);
    }
}

#[test]
fn slice_wise_annotation_fails_only_with_the_fork_s_rule() {
    let (folder, cases) = folder(scribbles);
    let mut options = options(folder.path(), &cases, &[8, 8]);
    options.pipeline.ignore_label = Some(-1);
    options.sampling = Sampling::Fork { fraction: 0.33 };
    let loader = start(&options).unwrap();
    let error = (0..50).find_map(|_| loader.next().err()).unwrap();
    assert_eq!(error.code(), "ERR_NO_ANNOTATION_IN_PATCH");
    for phase in [Phase::Training, Phase::Validation] {
        let annotated = LoaderOptions {
            sampling: Sampling::Annotated(Annotated::default()),
            phase,
            ..options.clone()
        };
        let loader = start(&annotated).unwrap();
        assert_eq!(
            (0..50).map(|_| bare(&loader.next().unwrap())).sum::<usize>(),
            0,
            "{phase:?}"
        );
    }
}

#[test]
fn the_fork_s_rule_accepts_dense_annotation() {
    let (folder, cases) = folder(dense);
    let mut options = options(folder.path(), &cases, &[8, 8, 8]);
    options.pipeline.ignore_label = Some(-1);
    options.pipeline.reference_rules = true;
    options.sampling = Sampling::Fork { fraction: 0.33 };
    let loader = start(&options).unwrap();
    assert!((0..8).all(|_| loader.next().is_ok()));
}
