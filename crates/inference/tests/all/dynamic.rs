//! Prediction with models of nnU-Net v2, compared with recordings of nnunetv2.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use inference::predict;
use run::{Cancel, Context};
use serde_json::json;
use settings::{MemorySize, PredictOptions};
use testkit::Recorder;
use volume::{nifti, npz};

/// A model of the recording with what nnunetv2 predicted.
struct Recorded {
    model: PathBuf,
    images: PathBuf,
    predictions: PathBuf,
}

/// Every `v2/Dataset…/<trainer>__<plans>__<configuration>` of the fixtures. The committed ones have one model;
/// `NNUNET_DIAG_FIXTURES` may name a folder with others or none.
fn recorded() -> Vec<Recorded> {
    let mut found = Vec::new();
    let mut folders = vec![testkit::folder("v2")];
    for _ in 0..2 {
        let below = |folder: &PathBuf| -> Vec<PathBuf> {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
            paths.sort();
            paths
        };
        folders = folders
            .iter()
            .flat_map(below)
            .filter(|path| path.is_dir())
            .collect();
    }
    for model in folders {
        let name = model.file_name().unwrap().to_string_lossy().into_owned();
        let Some((_, configuration)) = name.rsplit_once("__") else {
            continue;
        };
        let dataset = model.parent().unwrap();
        found.push(Recorded {
            images: dataset.join("imagesTs"),
            predictions: dataset.join(format!("pred_{configuration}")),
            model,
        });
    }
    found
}

fn context() -> (Context, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    (Context::new(recorder.clone(), Cancel::new(), 2), recorder)
}

fn options(recorded: &Recorded, output: &Path) -> PredictOptions {
    let mut options = PredictOptions::new(recorded.images.clone(), output.to_owned(), recorded.model.clone());
    options.compute = serde_json::from_value(json!({ "device": "cpu", "precision": "float32" })).unwrap();
    let softmax = testkit::files_below(&recorded.predictions);
    options.save_softmax = softmax
        .iter()
        .any(|path| path.extension().is_some_and(|end| end == "npz"));
    options
}

fn cases(folder: &Path) -> Vec<String> {
    let mut cases: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            Some(name.strip_suffix(".nii.gz")?.to_owned())
        })
        .collect();
    cases.sort();
    cases
}

#[test]
fn predictions_equal_those_of_nnunetv2() {
    let recorded = recorded();
    assert!(!recorded.is_empty() || std::env::var_os("NNUNET_DIAG_FIXTURES").is_some());
    for recorded in recorded {
        let output = tempfile::tempdir().unwrap();
        let options = options(&recorded, output.path());
        let (context, _) = context();
        let summary = predict(&options, &context).unwrap();
        let cases = cases(&recorded.predictions);
        assert!(!cases.is_empty());
        assert!(summary.failures.is_empty(), "{:?}", summary.failures);
        assert_eq!(summary.written, cases.len());
        for case in &cases {
            let what = format!("{} {case}", recorded.model.display());
            let file = format!("{case}.nii.gz");
            let (found, geometry) = nifti::read_labels(&output.path().join(&file)).unwrap();
            let (expected, of_expected) = nifti::read_labels(&recorded.predictions.join(&file)).unwrap();
            assert!(geometry.relative_deviation(&of_expected).within(1e-4), "{what}");
            assert_eq!(found.dim(), expected.dim(), "{what}");
            let equal = found
                .iter()
                .zip(&expected)
                .filter(|(one, other)| one == other)
                .count();
            let share = equal as f64 / expected.len() as f64;
            assert!(share >= 0.995, "{what}: {share} of the voxels are equal");
            if !options.save_softmax {
                continue;
            }
            let read = |folder: &Path| {
                npz::read::<half::f16>(&folder.join(format!("{case}.npz")), v2::PROBABILITIES).unwrap()
            };
            let (found, expected) = (read(output.path()), read(&recorded.predictions));
            assert_eq!(found.shape(), expected.shape(), "{what}");
            let differences: Vec<f32> = found
                .iter()
                .zip(&expected)
                .map(|(one, other)| (one.to_f32() - other.to_f32()).abs())
                .collect();
            let largest = differences.iter().copied().fold(0.0, f32::max);
            // At the border, sums in half precision are of few bits: the last bit of a logit in single precision, which
            // differs between computers, may decide to which of two values a sum is rounded.
            let far = differences
                .iter()
                .filter(|difference| **difference > 3e-3)
                .count();
            assert!(
                far * 10_000 <= differences.len() && largest <= 1e-2,
                "{what}: {far} probabilities differ by more than 3e-3, at most by {largest}"
            );
            println!("{what}: {share} equal, probabilities within {largest}");
        }
        // The same, some planes at a time.
        let few = tempfile::tempdir().unwrap();
        let small = PredictOptions {
            output: few.path().to_owned(),
            memory: Some(MemorySize(1)),
            ..options.clone()
        };
        assert_eq!(predict(&small, &context).unwrap().written, cases.len());
        for case in &cases {
            for file in ["nii.gz", "npz", "pkl"].map(|end| format!("{case}.{end}")) {
                let read = |folder: &Path| fs::read(folder.join(&file)).ok();
                assert!(read(few.path()) == read(output.path()), "{file}");
            }
        }
        // Everything is there already.
        let again = predict(&options, &context).unwrap();
        assert_eq!((again.written, again.skipped), (0, cases.len()));
    }
}
