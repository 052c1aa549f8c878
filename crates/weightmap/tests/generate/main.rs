//! Runs on folders.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod maps;
mod refusals;
mod runs;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ndarray::{Array3, Array4, ArrayD, Axis, IxDyn};
use pickle::{Dict, Value};
use run::{Cancel, Coded, Context, Event, NullSink, Sink};
use tempfile::TempDir;
use volume::npz::Compression;
use weightmap::{border_weightmap, generate, Dtype, Error, Frequencies, Mode, Options, Parameters, Summary};

/// A task folder: dataset.json with labels 0 to 2, and `stage0` for cases.
struct Task {
    folder: TempDir,
}

impl Task {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("stage0")).unwrap();
        let json = r#"{"labels": {"0": "background", "1": "a", "2": "b"}}"#;
        fs::write(folder.path().join("dataset.json"), json).unwrap();
        Self { folder }
    }

    fn stage(&self) -> PathBuf {
        self.folder.path().join("stage0")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.stage().join(name)
    }

    fn options(&self) -> Options {
        Options::new(self.stage())
    }

    /// Writes a case with `channels` images before its segmentation.
    fn add(&self, name: &str, channels: usize, segmentation: &Array3<f32>) {
        let (z, y, x) = segmentation.dim();
        let mut data = Array4::from_shape_fn((channels + 1, z, y, x), |at| (at.0 + at.3) as f32 * 0.37);
        data.index_axis_mut(Axis(0), channels).assign(segmentation);
        self.add_array(name, &data.into_dyn());
    }

    fn add_array(&self, name: &str, data: &ArrayD<f32>) {
        let path = self.path(name);
        if name.ends_with(".npy") {
            volume::npy::write(&path, data.view()).unwrap();
        } else {
            volume::npz::write(&path, &[("data", data.view())], Compression::Fast).unwrap();
        }
    }

    fn map(&self, case: &str) -> Array3<f32> {
        let map: ArrayD<f32> = volume::npy::read(&self.path(&format!("{case}_weightmap.npy"))).unwrap();
        assert_eq!(map.shape()[0], 1);
        map.index_axis_move(Axis(0), 0).into_dimensionality().unwrap()
    }

    /// Lists every file of the stage that does not belong to the cases.
    fn maps(&self) -> Vec<String> {
        let names = fs::read_dir(self.stage())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|n| n.contains("weightmap")).collect();
        names.sort();
        names
    }
}

fn segmentation(size: usize, label: f32) -> Array3<f32> {
    let mut s = Array3::zeros((8, 9, 10));
    s.slice_mut(ndarray::s![1..1 + size, 2..2 + size, 3..3 + size])
        .fill(label);
    s
}

fn expected(segmentation: &Array3<f32>, change: impl FnOnce(&mut Parameters)) -> Array3<f32> {
    let mut parameters = Parameters {
        classes: vec![1, 2],
        ..Default::default()
    };
    change(&mut parameters);
    border_weightmap(segmentation.view(), &parameters).unwrap()
}

fn run(options: &Options) -> Summary {
    generate(options, &Context::silent(2)).unwrap()
}

/// Returns the error code of each failed case.
fn codes(summary: &Summary) -> Vec<(&str, &str)> {
    summary
        .failures
        .iter()
        .map(|f| (f.case.as_str(), f.code.as_str()))
        .collect()
}
