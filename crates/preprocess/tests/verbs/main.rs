//! Behaviour of the verbs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod faults;
mod labels;
mod plans;
mod runs;
#[path = "../all/support.rs"]
mod support;

use std::path::Path;

use dataset::{CaseProperties, Configuration, Plans};
use ndarray::{Array3, ArrayD, Axis, Ix4};
use preprocess::plan::overrides::Overrides;
use preprocess::plan::{pooling, Rules};
use preprocess::{plan_and_preprocess, plan_experiment, preprocess, Error, Options};
use run::{Coded, Context};
use support::{names, tree, Run};
use testkit::Recorder;
use volume::{nifti, Geometry};

fn context() -> Context {
    Context::silent(2)
}

fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    tree(folder)
        .into_iter()
        .map(|f| (f.clone(), std::fs::read(folder.join(f)).unwrap()))
        .collect()
}

const CASES: usize = 3;

const STAGE: &str = "nnUNetData_plans_v2.1_stage0";

/// A task of noisy ellipsoids with two labelled balls. It has one CT channel, or two MRI channels that are 0
/// around the ellipsoid, so that masks are used.
fn synthetic(ct: bool) -> Run {
    let run = Run::empty(if ct { "Task902_Ct" } else { "Task901_Mri" });
    let channels = if ct { 1 } else { 2 };
    for part in ["imagesTr", "labelsTr"] {
        std::fs::create_dir_all(run.raw().join(part)).unwrap();
    }
    let mut training = vec![];
    for case in 0..CASES {
        let shape = [30 + 3 * case, 40 - 2 * case, 36];
        // 1 on the ellipsoid's surface.
        let radius = |(z, y, x): (usize, usize, usize)| -> f64 {
            let part = |i: usize, axis: usize| (2.6 * (i as f64 + 0.5) / shape[axis] as f64 - 1.3).powi(2);
            part(z, 0) + part(y, 1) + part(x, 2)
        };
        let spacing = [1.1, 0.9, 1.6 + 0.1 * case as f64];
        let geometry = Geometry {
            spacing,
            ..Geometry::default()
        };
        let mut noise = random::RandomState::new(case as u32);
        for channel in 0..channels {
            let image = Array3::from_shape_fn(shape, |at| {
                let value = noise.uniform(50.0, 250.0).round() - 100.0 * radius(at).round();
                if ct || radius(at) < 1.0 {
                    value as f32
                } else {
                    0.0
                }
            });
            let path = run
                .raw()
                .join(format!("imagesTr/case_{case}_{channel:04}.nii.gz"));
            nifti::write_image(&path, image.view(), &geometry).unwrap();
        }
        let label = Array3::from_shape_fn(shape, |(z, y, x)| match radius((z, y, x)) {
            r if r > 0.6 => 0i16,
            _ if x < shape[2] / 2 => 1,
            _ => 2,
        });
        let path = run.raw().join(format!("labelsTr/case_{case}.nii.gz"));
        nifti::write_labels(&path, label.view(), &geometry).unwrap();
        training.push(serde_json::json!({
            "image": format!("./imagesTr/case_{case}.nii.gz"), "label": format!("./labelsTr/case_{case}.nii.gz")
        }));
    }
    let modality = if ct {
        serde_json::json!({ "0": "CT" })
    } else {
        serde_json::json!({ "0": "T1", "1": "T2" })
    };
    let dataset = serde_json::json!({
        "name": run.task, "modality": modality, "labels": { "0": "background", "1": "left", "2": "right" },
        "training": training, "test": []
    });
    std::fs::write(run.raw().join("dataset.json"), dataset.to_string()).unwrap();
    run
}

fn data(path: &Path) -> ArrayD<f64> {
    testkit::npz(path).remove("data").unwrap()
}
