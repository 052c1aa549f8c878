//! A compact batch has what a full one is made of.

use std::sync::Arc;

use crate::common::{cascade, dense, folder, options, scribbles};
use half::{bf16, f16};
use loader::{Batch, Element, Format, HeapBuffers, Loader, LoaderOptions};
use run::{Coded, Context};

fn batches(options: &LoaderOptions) -> (Vec<Batch>, usize) {
    let loader = Loader::start(options, Arc::new(HeapBuffers), &Context::silent(2)).unwrap();
    let batches = (0..5).map(|_| loader.next().unwrap()).collect();
    (batches, loader.memory().batch)
}

/// The values of a compact array as float32.
fn values(tensor: &loader::Tensor) -> Vec<f32> {
    let bytes = tensor.as_bytes();
    let pairs = bytes.chunks_exact(2).map(|b| [b[0], b[1]]);
    match tensor.element() {
        Element::Float32 => tensor.as_slice().to_vec(),
        Element::Float16 => pairs.map(|b| f16::from_ne_bytes(b).to_f32()).collect(),
        Element::BFloat16 => pairs.map(|b| bf16::from_ne_bytes(b).to_f32()).collect(),
        Element::Int8 => bytes.iter().map(|b| f32::from(b.cast_signed())).collect(),
        Element::UInt8 => bytes.iter().map(|b| f32::from(*b)).collect(),
    }
}

/// The target of a coarser scale from the finest one.
fn coarser(finest: &[f32], shape: &[usize], sources: &[Vec<u32>]) -> Vec<f32> {
    let (z, y, x) = match sources {
        [y, x] => (vec![0], y.clone(), x.clone()),
        [z, y, x] => (z.clone(), y.clone(), x.clone()),
        _ => panic!("{} axes", sources.len()),
    };
    let size = &shape[shape.len() - sources.len()..];
    let (rows, row) = (size[size.len() - 2], size[size.len() - 1]);
    let voxels: usize = size.iter().product();
    let mut result = Vec::new();
    for sample in finest.chunks_exact(voxels) {
        for z in &z {
            for y in &y {
                let start = (*z as usize * rows + *y as usize) * row;
                result.extend(x.iter().map(|x| sample[start + *x as usize]));
            }
        }
    }
    result
}

#[test]
fn compact_batches_equal_full_ones() {
    let sparse = |options: &mut LoaderOptions| {
        options.pipeline.ignore_label = Some(-1);
        options.pipeline.weightmap = true;
    };
    for (patch, label, change, image, labels) in [
        (
            &[8, 10, 8][..],
            dense as fn([usize; 3]) -> i16,
            None,
            Element::Float16,
            Element::UInt8,
        ),
        (
            &[8, 10, 8],
            scribbles,
            Some(sparse as fn(&mut LoaderOptions)),
            Element::BFloat16,
            Element::Int8,
        ),
        (&[10, 12], dense, None, Element::Float32, Element::UInt8),
    ] {
        let (folder, cases) = folder(label);
        let mut full = if patch.len() == 3 && change.is_none() {
            cascade(folder.path(), &cases, patch)
        } else {
            options(folder.path(), &cases, patch)
        };
        full.highest_label = Some(2);
        if let Some(change) = change {
            change(&mut full);
        }
        let sources = full.target_sources().unwrap();
        let compact = LoaderOptions {
            format: Format::Compact { image },
            threads: 3,
            ..full.clone()
        };
        let ((expected, bytes), (found, fewer)) = (batches(&full), batches(&compact));
        assert!(fewer < bytes, "{fewer} {bytes}");
        for (expected, found) in expected.iter().zip(&found) {
            assert_eq!(
                (found.data.element(), found.targets[0].element()),
                (image, labels)
            );
            assert_eq!(found.data.shape(), expected.data.shape());
            assert_eq!(
                (&found.cases, found.annotated),
                (&expected.cases, expected.annotated)
            );
            let rounded: Vec<f32> = match image {
                Element::Float16 => {
                    let half = |v: &f32| f16::from_f32(*v).to_f32();
                    expected.data.as_slice().iter().map(half).collect()
                }
                Element::BFloat16 => {
                    let half = |v: &f32| bf16::from_f32(*v).to_f32();
                    expected.data.as_slice().iter().map(half).collect()
                }
                _ => expected.data.as_slice().to_vec(),
            };
            assert_eq!(values(&found.data), rounded);
            assert_eq!(found.targets.len(), 1);
            let finest = values(&found.targets[0]);
            assert_eq!(sources.len(), expected.targets.len());
            for (target, sources) in expected.targets.iter().zip(&sources) {
                let made = coarser(&finest, found.targets[0].shape(), sources);
                assert_eq!(made, target.as_slice());
            }
            let weights = |batch: &Batch| -> Vec<Vec<f32>> {
                let all = batch.weights.iter().flatten();
                all.map(|w| w.as_slice().to_vec()).collect()
            };
            assert_eq!(weights(found), weights(expected));
        }
    }
}

#[test]
fn a_label_above_the_highest_one_fails_with_its_case() {
    let (folder, cases) = folder(dense);
    for format in [
        Format::Full,
        Format::Compact {
            image: Element::Float16,
        },
    ] {
        let mut options = options(folder.path(), &cases, &[8, 10, 8]);
        (options.highest_label, options.format) = (Some(1), format);
        let loader = Loader::start(&options, Arc::new(HeapBuffers), &Context::silent(2)).unwrap();
        let error = (0..8).find_map(|_| loader.next().err()).unwrap();
        assert_eq!(error.code(), "ERR_LABEL_RANGE");
        let message = error.to_string();
        assert!(message.contains("label 2; expected labels 0..=1;"), "{message}");
        assert!(cases.iter().any(|case| message.contains(case)), "{message}");
    }
}
