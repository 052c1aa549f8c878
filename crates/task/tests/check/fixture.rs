//! A small raw task on disk.

use std::path::{Path, PathBuf};

use dataset::{DatasetJson, TrainingCase};
use ndarray::{Array3, ArrayView3};
use run::Context;
use task::check::{check_dataset, CheckOptions, CheckSummary};
use tempfile::TempDir;
use volume::nifti::{write_image, write_labels};
use volume::Geometry;

pub(crate) const SIZE: (usize, usize, usize) = (3, 4, 5);

pub(crate) fn geometry() -> Geometry {
    let turned = [0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    Geometry {
        spacing: [2.0, 0.75, 0.5],
        origin: [10.0, -20.0, 30.0],
        direction: turned,
    }
}

pub(crate) struct Fixture {
    _keep: TempDir,
    pub(crate) folder: PathBuf,
    pub(crate) dataset: DatasetJson,
}

impl Fixture {
    pub(crate) fn new(cases: &[&str]) -> Self {
        let keep = tempfile::tempdir().unwrap();
        let folder = keep.path().join("Task500_Check");
        ["imagesTr", "labelsTr", "imagesTs"]
            .iter()
            .for_each(|n| std::fs::create_dir_all(folder.join(n)).unwrap());
        let names = |list: &[(&str, &str)]| {
            list.iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect()
        };
        let dataset = DatasetJson {
            name: "Check".into(),
            modality: names(&[("0", "T1"), ("1", "T2")]),
            labels: [(0, "background".to_owned()), (1, "organ".to_owned())]
                .into_iter()
                .collect(),
            ..DatasetJson::default()
        };
        let mut fixture = Self {
            _keep: keep,
            folder,
            dataset,
        };
        cases.iter().for_each(|case| fixture.add(case));
        fixture
    }

    pub(crate) fn add(&mut self, case: &str) {
        for channel in 0..2 {
            write_image(&self.image(case, channel), image().view(), &geometry()).unwrap();
        }
        write_labels(&self.label(case), labels().view(), &geometry()).unwrap();
        self.list(case);
    }

    pub(crate) fn list(&mut self, case: &str) {
        self.dataset.training.push(TrainingCase::new(case));
    }

    pub(crate) fn image(&self, case: &str, channel: usize) -> PathBuf {
        self.folder.join(format!("imagesTr/{case}_{channel:04}.nii.gz"))
    }

    pub(crate) fn label(&self, case: &str) -> PathBuf {
        self.folder.join(format!("labelsTr/{case}.nii.gz"))
    }

    pub(crate) fn options(&self) -> CheckOptions {
        CheckOptions {
            task: self.folder.to_string_lossy().into_owned(),
            ..CheckOptions::new("")
        }
    }

    pub(crate) fn check(&self, options: &CheckOptions) -> CheckSummary {
        self.dataset.write(&self.folder.join("dataset.json")).unwrap();
        check_dataset(options, &Context::silent(2)).unwrap()
    }
}

pub(crate) fn put(path: &Path, values: ArrayView3<f32>, geometry: &Geometry) {
    write_image(path, values, geometry).unwrap();
}

pub(crate) fn image() -> Array3<f32> {
    Array3::from_shape_fn(SIZE, |(z, y, x)| (z * 20 + y * 5 + x) as f32)
}

pub(crate) fn labels() -> Array3<i16> {
    Array3::from_shape_fn(SIZE, |(z, _, x)| i16::from(z > 0 && x > 2))
}
