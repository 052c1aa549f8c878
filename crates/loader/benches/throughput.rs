//! Throughput of the whole loader, from mapped files to augmented batches: `cargo bench -p loader`.
#![allow(clippy::unwrap_used, reason = "a benchmark stops where anything fails")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use augment::PipelineOptions;
use dataset::CaseProperties;
use loader::{HeapBuffers, Loader, LoaderOptions};
use ndarray::{Array2, Array4};
use run::Context;
use sampling::{Annotated, Case, Meaning, PatchBox, Sampling, StageFolder};
use volume::npy;

/// Writes a case with one image channel, every eighth slice annotated, and its weightmap.
fn write(folder: &Path, case: &str, shape: [usize; 3]) {
    let [z, y, x] = shape;
    let noise = |i: usize| ((i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 52) as f32 / 512.0;
    let stack = Array4::from_shape_fn((2, z, y, x), |(c, z, y, x)| match (c, z % 8) {
        (0, _) => noise((z * shape[1] + y) * shape[2] + x),
        (_, 3) => ((y / 20 + x / 30) % 3) as f32,
        _ => -1.0,
    });
    npy::write(&folder.join(format!("{case}.npy")), stack.view().into_dyn()).unwrap();
    let weights = Array4::from_elem((1, z, y, x), 1.5_f32);
    npy::write(
        &folder.join(format!("{case}_weightmap.npy")),
        weights.view().into_dyn(),
    )
    .unwrap();
    let mut properties = CaseProperties::new();
    let voxels = Array2::from_shape_fn((1000, 3), |(i, d)| (i * 7919 * (d + 1) % shape[d]) as i64);
    properties.set_class_locations(BTreeMap::from([(1, voxels)]));
    properties.set_outside_nonzero_mask_label(0);
    properties.write(&folder.join(format!("{case}.pkl"))).unwrap();
}

/// CPU time of this process in seconds, which depends less on other load than wall time; 0 if the system does
/// not report it.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: f64 = fields
        .skip(11)
        .take(2)
        .filter_map(|t| t.parse::<f64>().ok())
        .sum();
    ticks / 100.0
}

/// Wall and CPU seconds per batch for this number of threads.
fn seconds(options: &LoaderOptions, threads: usize, batches: usize) -> [f64; 2] {
    let options = LoaderOptions {
        threads,
        ..options.clone()
    };
    let loader = Loader::start(&options, Arc::new(HeapBuffers), &Context::silent(threads)).unwrap();
    // The batches already in the queue are not timed.
    (0..threads + options.queue).for_each(|_| loader.recycle(loader.next().unwrap()));
    let (started, processor) = (Instant::now(), processor_seconds());
    (0..batches).for_each(|_| loader.recycle(loader.next().unwrap()));
    let used = [started.elapsed().as_secs_f64(), processor_seconds() - processor];
    used.map(|seconds| seconds / batches as f64)
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let cases = ["a", "b"].map(str::to_owned).to_vec();
    cases
        .iter()
        .for_each(|case| write(folder.path(), case, [220, 256, 256]));
    let configurations: [(&str, &[usize], usize, bool, bool, usize); 5] = [
        (
            "(a) 3D 128x128x128, batch 2",
            &[128, 128, 128],
            2,
            false,
            false,
            24,
        ),
        ("(b) 3D 40x56x40, batch 9", &[40, 56, 40], 9, false, false, 60),
        ("(c) 2D 256x256, batch 12", &[256, 256], 12, false, false, 60),
        (
            "(d) weightmaps 64x64x64, batch 2",
            &[64, 64, 64],
            2,
            false,
            true,
            100,
        ),
        (
            "(e) sparse 128x128x128, batch 2",
            &[128, 128, 128],
            2,
            true,
            false,
            24,
        ),
    ];
    for (name, patch, batch_size, sparse, weightmap, batches) in configurations {
        let mut pipeline = PipelineOptions::new(patch, 1);
        pipeline.weightmap = weightmap;
        pipeline.ignore_label = sparse.then_some(-1);
        pipeline.deep_supervision_scales = (0..4)
            .map(|scale| vec![0.5_f64.powi(scale); patch.len()])
            .collect();
        let loaded = pipeline.initial_patch_size();
        let mut options = LoaderOptions::new(folder.path(), cases.clone(), pipeline);
        options.batch_size = batch_size;
        if sparse {
            options.sampling = Sampling::Annotated(Annotated::default());
        }
        let ([one, processor], [two, _]) = (seconds(&options, 1, batches), seconds(&options, 2, batches));
        println!(
            "{name:34} loads {loaded:?}: one thread {:7.1} ms a batch ({:.1} of processor time), two {:7.1} ms ({:.2} times)",
            one * 1e3,
            processor * 1e3,
            two * 1e3,
            one / two,
        );
    }
    report_reading(folder.path());
}

/// Time to read patches from the map: complete ones, and the part that most draws need.
fn report_reading(folder: &Path) {
    let files = StageFolder {
        folder: folder.to_owned(),
        previous_stage: None,
        weightmaps: false,
        packed: None,
        ignored: Vec::new(),
    };
    let case = Case::open("a", &files, Meaning::Sparse).unwrap();
    for side in [205, 128] {
        let voxels = side * side * side;
        let (mut image, mut labels) = (vec![0.0; voxels], vec![0; voxels]);
        let started = Instant::now();
        for i in 0..20 {
            let window = PatchBox {
                lower: [i % 7 - 3, i % 5, i % 11],
                size: [side; 3],
            };
            case.read(&window, &mut image, &mut labels, None).unwrap();
        }
        let seconds = started.elapsed().as_secs_f64() / 20.0;
        println!(
            "reading {side}^3 of image and labels: {:.1} ms, {:.1} GB/s",
            seconds * 1e3,
            voxels as f64 * 8.0 / seconds / 1e9
        );
    }
}
