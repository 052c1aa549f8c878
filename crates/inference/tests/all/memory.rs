//! The strategies that bound the memory give the same results.

use std::collections::BTreeMap;
use std::fs;

use crate::common::Work;
use dataset::Fold;
use engine::network::GenericUNet;
use engine::Architecture;
use inference::{Error, Planes, Predictor, WindowOptions};
use ndarray::{s, Array4, ArrayView4};
use resample::ExportMode;
use run::Context;
use settings::MemorySize;
use tch::{Device, Kind};

/// Collects planes.
struct Collected {
    softmax: Array4<f32>,
    first: usize,
    largest: usize,
}

impl Planes for Collected {
    fn push(&mut self, planes: ArrayView4<'_, f32>) -> Result<(), Error> {
        let end = self.first + planes.dim().1;
        self.softmax
            .slice_mut(s![.., self.first..end, .., ..])
            .assign(&planes);
        self.largest = self.largest.max(planes.dim().1);
        self.first = end;
        Ok(())
    }
}

fn network(axes: usize, seed: u64) -> GenericUNet {
    let architecture = Architecture {
        input_channels: 2,
        classes: 5,
        base_features: 4,
        conv_per_stage: 2,
        pools: vec![vec![2; axes]; 2],
        kernels: vec![vec![3; axes]; 3],
    };
    GenericUNet::new(architecture, seed, Device::Cpu).unwrap()
}

#[test]
fn planes_equal_the_whole_softmax_in_every_bit() {
    let context = Context::silent(2);
    let shapes = [[21, 19, 16], [8, 30, 9], [5, 6, 7], [1, 12, 11], [33, 8, 8]];
    for (axes, kind) in [(3, Kind::Float), (3, Kind::BFloat16), (2, Kind::Float)] {
        let folds = [network(axes, 1), network(axes, 2)];
        let patch = vec![8; axes];
        for (index, shape) in shapes.iter().enumerate() {
            let mut options = WindowOptions::new(axes);
            options.mirror_axes.truncate(index % (axes + 1));
            options.gaussian = index != 1;
            let predictor = Predictor::of_folds(&folds, kind, &patch, options).unwrap();
            let image = Array4::from_shape_fn((2, shape[0], shape[1], shape[2]), |(c, z, y, x)| {
                ((c * 13 + z * 7 + y * 5 + x * 3) % 19) as f32 / 5.0 - 1.5
            });
            let whole = predictor.softmax(image.view(), &context, &mut || ()).unwrap();
            assert!(whole.iter().all(|value| (0.0..=1.0).contains(value)));
            let mut tiles = 0;
            let found = predictor
                .stream(None, image.view(), &context, &mut || tiles += 1, || {
                    let softmax = Array4::from_elem(whole.raw_dim(), f32::NAN);
                    let (first, largest) = (0, 0);
                    Ok(Collected {
                        softmax,
                        first,
                        largest,
                    })
                })
                .unwrap();
            assert_eq!(tiles, predictor.tiles(shape));
            assert_eq!(found.first, shape[0]);
            assert!(found.largest <= predictor.depth(shape));
            assert_eq!(found.softmax, whole, "{axes} axes, {shape:?}");
        }
    }
}

/// Contents of the output of a case.
fn outputs(work: &Work, case: &str) -> BTreeMap<&'static str, Vec<u8>> {
    let read = |extension| fs::read(work.output(&format!("{case}.{extension}"))).ok();
    ["nii.gz", "npz", "pkl"]
        .into_iter()
        .filter_map(|extension| Some((extension, read(extension)?)))
        .collect()
}

#[test]
fn results_do_not_depend_on_the_memory() {
    let mut work = Work::new(&["a", "b"]);
    work.add_fold(Fold::Index(1), |_| ());
    work.options.step_size = 0.5;
    for save_softmax in [false, true] {
        work.options.save_softmax = save_softmax;
        let mut expected = None;
        for export in [ExportMode::Streamed, ExportMode::Default] {
            work.options.export = Some(export);
            for memory in [None, Some(MemorySize(1)), Some(MemorySize(1 << 40))] {
                work.options.memory = memory;
                work.options.overwrite = true;
                let small = memory == Some(MemorySize(1));
                let (written, _, warnings) = work.counts();
                assert_eq!(written, 2);
                assert_eq!(warnings.len(), if small { 2 } else { 0 }, "{warnings:?}");
                let strategy = if small { "slabs" } else { "whole" };
                let reported = work.events.strategies();
                assert_eq!(reported.len(), 2);
                assert!(reported.iter().all(|found| found.0 == strategy), "{reported:?}");
                let mut found = ["a", "b"].map(|case| outputs(&work, case));
                // The record in the header differs between export modes.
                let labels = ["a", "b"].map(|case| work.labels(case));
                found.iter_mut().for_each(|files| drop(files.remove("nii.gz")));
                assert_eq!(found[0].len(), if save_softmax { 2 } else { 0 });
                match &expected {
                    None => expected = Some((found, labels)),
                    Some(expected) => assert!(*expected == (found, labels), "{export:?} {memory:?}"),
                }
            }
        }
    }
}
