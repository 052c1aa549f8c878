//! Preprocessed folders for the loader's tests.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::collections::BTreeMap;
use std::path::Path;

use augment::cascade::CascadeOptions;
use augment::PipelineOptions;
use dataset::CaseProperties;
use loader::{Batch, Loader, LoaderOptions};
use ndarray::{Array2, Array4, ArrayD, Axis};
use volume::npz::Compression;
use volume::{npy, npz};

/// A number that differs from voxel to voxel.
pub fn hash(i: usize) -> u64 {
    let mixed = (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 20
}

/// Writes `<case>.npz`, `.pkl` and `_weightmap.npy`: two image channels of noise, and the label of each
/// voxel.
pub fn write(folder: &Path, case: &str, shape: [usize; 3], label: impl Fn([usize; 3]) -> i16) {
    let [z, y, x] = shape;
    let mut voxels: BTreeMap<i64, Vec<i64>> = BTreeMap::from([(1, Vec::new()), (2, Vec::new())]);
    let stack = Array4::from_shape_fn((3, z, y, x), |(c, z, y, x)| {
        if c == 2 {
            let label = label([z, y, x]);
            voxels
                .entry(label.into())
                .or_default()
                .extend([z as i64, y as i64, x as i64]);
            f32::from(label)
        } else {
            (hash(case.len() + c * 7919 + (z * 61 + y) * 53 + x) % 1000) as f32 / 100.0
        }
    });
    npz::write(
        &folder.join(format!("{case}.npz")),
        &[("data", stack.view().into_dyn())],
        Compression::Fast,
    )
    .unwrap();
    let weights = Array4::from_shape_fn((1, z, y, x), |(_, z, y, x)| {
        1.0 + (hash(z * 100 + y * 10 + x) % 50) as f32 / 10.0
    });
    npy::write(
        &folder.join(format!("{case}_weightmap.npy")),
        weights.view().into_dyn(),
    )
    .unwrap();
    let mut properties = CaseProperties::new();
    let sparse = voxels.contains_key(&-1);
    voxels.retain(|label, _| *label > 0);
    let array = |v: Vec<i64>| Array2::from_shape_vec((v.len() / 3, 3), v).unwrap();
    properties.set_class_locations(voxels.into_iter().map(|(label, v)| (label, array(v))).collect());
    properties.set_outside_nonzero_mask_label(if sparse { 0 } else { -1 });
    properties.write(&folder.join(format!("{case}.pkl"))).unwrap();
}

/// Blobs of classes 1 and 2.
pub fn dense([z, y, x]: [usize; 3]) -> i16 {
    match (z / 4 + y / 5 + x / 6) % 4 {
        1 => 1,
        2 => 2,
        _ => 0,
    }
}

/// Every seventh slice annotated, with a few rows each.
pub fn scribbles([z, y, x]: [usize; 3]) -> i16 {
    if z % 7 == 3 && y % 6 == 2 {
        dense([z, y, x])
    } else {
        -1
    }
}

/// Three cases of differing shapes.
pub fn folder(label: fn([usize; 3]) -> i16) -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let shapes = [("aa", [20, 22, 24]), ("bbb", [9, 30, 17]), ("cccc", [26, 12, 28])];
    for (case, shape) in shapes {
        write(folder.path(), case, shape, label);
    }
    (
        folder,
        shapes.iter().map(|(case, _)| (*case).to_owned()).collect(),
    )
}

/// Options for batches of two 3D or 2D patches with deep supervision.
pub fn options(folder: &Path, cases: &[String], patch: &[usize]) -> LoaderOptions {
    let mut pipeline = PipelineOptions::new(patch, 2);
    pipeline.deep_supervision_scales = vec![vec![1.0; patch.len()], vec![0.5; patch.len()]];
    let mut options = LoaderOptions::new(folder, cases.to_vec(), pipeline);
    (options.iterations, options.threads, options.seed) = (4, 1, 77);
    options
}

/// Options for a cascade's second stage, with the cases' own labels as the first one's.
pub fn cascade(folder: &Path, cases: &[String], patch: &[usize]) -> LoaderOptions {
    for case in cases {
        let stack: ArrayD<f32> = npz::read(&folder.join(format!("{case}.npz")), "data").unwrap();
        npz::write(
            &folder.join(format!("{case}_segFromPrevStage.npz")),
            &[("data", stack.index_axis(Axis(0), 2))],
            Compression::Fast,
        )
        .unwrap();
    }
    let mut options = options(folder, cases, patch);
    options.pipeline.cascade = Some(CascadeOptions::new(vec![1, 2]));
    options.previous_stage = Some(folder.to_owned());
    options
}

/// FNV-1a hash of the content of a batch.
pub fn digest(batch: &Batch) -> u64 {
    let tensors = std::iter::once(&batch.data)
        .chain(&batch.targets)
        .chain(batch.weights.iter().flatten());
    let mut bytes: Vec<u8> = Vec::new();
    for tensor in tensors {
        bytes.extend(tensor.shape().iter().flat_map(|n| n.to_le_bytes()));
        bytes.extend(tensor.as_slice().iter().flat_map(|v| v.to_bits().to_le_bytes()));
    }
    bytes.extend(batch.cases.join(" ").bytes());
    bytes.extend(
        batch
            .epoch
            .to_le_bytes()
            .into_iter()
            .chain(batch.iteration.to_le_bytes()),
    );
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |h, b| {
        (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// Digests of the next `count` batches.
pub fn digests(loader: &Loader, count: usize) -> Vec<u64> {
    (0..count)
        .map(|_| {
            let batch = loader.next().unwrap();
            let digest = digest(&batch);
            loader.recycle(batch);
            digest
        })
        .collect()
}
