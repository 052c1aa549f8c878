//! nnU-Net v2's `summary.json` against one that nnunetv2 wrote (`bench/record/v2.py`).

use std::fs;
use std::path::Path;

use evaluate::{evaluate_folder, EvaluateOptions, Region, SummaryFormat};
use ndarray::Array3;
use run::Context;
use serde_json::Value as Json;
use volume::{nifti, Geometry};

fn sizes<const N: usize>(json: &Json) -> [usize; N] {
    let all: Vec<usize> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_u64().unwrap() as usize)
        .collect();
    all.try_into().unwrap()
}

fn write(folder: &Path, shape: [usize; 3], formulas: &Json) {
    fs::create_dir_all(folder).unwrap();
    for (case, k) in formulas.as_array().unwrap().iter().enumerate() {
        let k: [usize; 6] = sizes(k);
        let labels = Array3::from_shape_fn(shape, |(z, y, x)| {
            ((k[0] * z * z + k[1] * y + k[2] * x * x + k[3] * x * y + k[4] * z * x) % k[5]) as i16
        });
        let file = folder.join(format!("c{case}.nii.gz"));
        nifti::write_labels(&file, labels.view(), &Geometry::default()).unwrap();
    }
}

fn near(found: &Json, expected: &Json, what: &str) {
    match (found, expected) {
        (Json::Object(a), Json::Object(b)) => {
            // The order of a sorted file.
            assert_eq!(
                a.keys().collect::<Vec<_>>(),
                b.keys().collect::<Vec<_>>(),
                "{what}"
            );
            a.iter()
                .for_each(|(key, value)| near(value, &b[key], &format!("{what} {key}")));
        }
        (Json::Array(a), Json::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{what}");
            a.iter().zip(b).for_each(|(a, b)| near(a, b, what));
        }
        (Json::Null, Json::Null) => {}
        (a, b) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() < 1e-12 * b.abs().max(1.0), "{what}: {a} {b}");
        }
    }
}

#[test]
fn the_file_equals_that_of_nnunetv2() {
    let recorded = testkit::json(&testkit::folder("v2").join("preprocessing.json"))["summary"].clone();
    let work = tempfile::tempdir().unwrap();
    let [reference, prediction] = ["reference", "prediction"].map(|name| {
        let folder = work.path().join(name);
        write(&folder, sizes(&recorded["shape"]), &recorded[name]);
        folder
    });
    let mut options = EvaluateOptions::new(reference, prediction.clone());
    let regions: Vec<Region> = serde_json::from_value(recorded["regions"].clone()).unwrap();
    options.labels = Some(regions);
    options.absent_labels = true;
    options.ignore_label = Some(i16::try_from(recorded["ignore"].as_i64().unwrap()).unwrap());
    options.summary_format = SummaryFormat::V2;
    let summary = evaluate_folder(&options, &Context::silent(1)).unwrap();
    assert_eq!(summary.results.all.len(), 2);
    let mut found = testkit::json(&prediction.join("summary.json"));
    for case in found["metric_per_case"].as_array_mut().unwrap() {
        let files = ["prediction_file", "reference_file"].map(|key| case[key].as_str().unwrap().to_owned());
        assert!(files.iter().all(|file| Path::new(file).is_file()), "{files:?}");
        case.as_object_mut()
            .unwrap()
            .retain(|key, _| !key.ends_with("_file"));
    }
    near(&found, &recorded["result"], "summary");
    options.bare_nan = true;
    evaluate_folder(&options, &Context::silent(1)).unwrap();
    assert!(fs::read_to_string(prediction.join("summary.json"))
        .unwrap()
        .contains("\"Dice\": NaN"));
}

#[test]
fn every_case_has_every_foreground_label_by_default() {
    let work = tempfile::tempdir().unwrap();
    let [reference, prediction] = ["reference", "prediction"].map(|name| work.path().join(name));
    for folder in [&reference, &prediction] {
        fs::create_dir_all(folder).unwrap();
        for (case, label) in [("a", 1), ("b", 2)] {
            let labels = Array3::from_shape_fn((1, 2, 2), |(_, y, _)| label * y as i16);
            let file = folder.join(format!("{case}.nii.gz"));
            nifti::write_labels(&file, labels.view(), &Geometry::default()).unwrap();
        }
    }
    let mut options = EvaluateOptions::new(reference, prediction.clone());
    options.summary_format = SummaryFormat::V2;
    evaluate_folder(&options, &Context::silent(1)).unwrap();
    let found = testkit::json(&prediction.join("summary.json"));
    let metrics = &found["metric_per_case"][0]["metrics"];
    assert_eq!(
        metrics.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["1", "2"]
    );
    assert_eq!((&metrics["1"]["TP"], &metrics["2"]["TN"]), (&2.into(), &4.into()));
    assert_eq!(
        (&metrics["2"]["Dice"], &found["foreground_mean"]["Dice"]),
        (&Json::Null, &1.0.into())
    );
}
