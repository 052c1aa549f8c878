//! Preprocessed folders, options and random numbers for tests.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::path::Path;

use ndarray::Array4;
use random::{Purpose, Rng};
use run::Context;
use sampling::{Annotated, Collection, CollectionOptions, Error, PatchSizes, Sampling, StageFolder};
use volume::npy;

/// Random numbers of a seed.
pub fn numbers(seed: u64) -> Rng {
    Rng::keyed(seed, Purpose::TrainingPatch, 0, 0, 0)
}

pub const SHAPE: [usize; 3] = [6, 7, 8];

/// Writes a case whose label at (z, y, x) is `label(..)`.
pub fn write(folder: &Path, case: &str, channels: usize, label: impl Fn(usize, usize, usize) -> i16) {
    let [z, y, x] = SHAPE;
    let stack = Array4::from_shape_fn((channels + 1, z, y, x), |(c, z, y, x)| {
        if c == channels {
            f32::from(label(z, y, x))
        } else {
            (z * 100 + y * 10 + x) as f32
        }
    });
    npy::write(&folder.join(format!("{case}.npy")), stack.view().into_dyn()).unwrap();
}

/// A few voxels of classes 0, 1 and 2, at the border and inside; the rest is unlabelled.
pub fn scribble(z: usize, y: usize, x: usize) -> i16 {
    match (z, y, x) {
        (5, 6, 7) | (2, 3, 4) => 2,
        (1 | 3, 0, _) => 0,
        (4, _, 0) if y < 5 => 0,
        _ => -1,
    }
}

pub fn options(folder: &Path, cases: &[&str], sampling: Sampling) -> CollectionOptions {
    CollectionOptions {
        stage: StageFolder {
            folder: folder.to_owned(),
            previous_stage: None,
            weightmaps: false,
            packed: None,
            ignored: Vec::new(),
        },
        cases: cases.iter().map(|case| (*case).to_owned()).collect(),
        sampling,
        ignore_label: false,
        reference_rules: false,
        batch_size: 2,
        sizes: PatchSizes::new(&[5, 5, 6], &[4, 3, 4]).unwrap(),
    }
}

pub fn annotated(change: impl Fn(&mut Annotated)) -> Sampling {
    let mut options = Annotated::default();
    change(&mut options);
    Sampling::Annotated(options)
}

pub fn open(options: &CollectionOptions) -> Result<Collection, Error> {
    Collection::open(options, &Context::silent(2))
}
