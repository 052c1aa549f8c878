//! Recorded models and predictions of nnunetv2, if the fixtures have any: `v2/Dataset…/nnUNetTrainer__…` with `imagesTs` and
//! `pred_<configuration>` beside it.

use std::fs;
use std::path::{Path, PathBuf};

use dataset::NonFinite;
use ndarray::Ix4;
use resample::decide;
use run::{Cancel, Context};
use serde_json::Value as Json;
use v2::{preprocess, Checkpoint, ModelFolder, Properties, PROBABILITIES};
use volume::{nifti, npz};

/// Recorded models, with the folder of their predictions.
fn models() -> Vec<(ModelFolder, PathBuf)> {
    let below = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut folders: Vec<_> = entries.filter(|path| path.is_dir()).collect();
        folders.sort();
        folders
    };
    let mut models = Vec::new();
    for dataset in below(&testkit::folder("v2")) {
        for folder in below(&dataset) {
            if let Some(model) = ModelFolder::open(&folder).unwrap() {
                let predictions = dataset.join(format!("pred_{}", model.configuration));
                models.push((model, predictions));
            }
        }
    }
    models
}

/// Cases of a folder of predictions.
fn cases(predictions: &Path) -> Vec<String> {
    let files = testkit::files_below(predictions);
    let names = files
        .iter()
        .filter(|file| file.extension().is_some_and(|e| e == "pkl"));
    names
        .map(|file| file.file_stem().unwrap().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn preprocessing_gives_the_recorded_properties() {
    for (model, predictions) in models() {
        assert!(!model.folds(Checkpoint::Final).unwrap().is_empty());
        for case in cases(&predictions) {
            let images = predictions.parent().unwrap().join("imagesTs");
            let ending = model.dataset.file_ending.as_str();
            let images: Vec<_> = (0..model.dataset.channel_names.len())
                .map(|channel| images.join(format!("{case}_{channel:04}{ending}")))
                .collect();
            let context = Context::silent(1);
            let (plans, settings, dataset) = (&model.plans, &model.settings, &model.dataset);
            let made = preprocess(
                &case,
                &images,
                plans,
                settings,
                dataset,
                None,
                NonFinite::Refuse,
                &context,
            )
            .unwrap();
            let recorded = pickle::read_file(&predictions.join(format!("{case}.pkl"))).unwrap();
            let what = format!("{} {case}", model.path.display());
            near(
                &made.properties.to_value().to_json(100),
                &recorded.to_json(100),
                &what,
            );
        }
    }
}

#[test]
fn recorded_probabilities_give_the_recorded_segmentation() {
    for (model, predictions) in models() {
        for case in cases(&predictions) {
            let file = |end: &str| predictions.join(format!("{case}{end}"));
            if !file(".npz").is_file() {
                continue;
            }
            let properties = Properties::read(&file(".pkl"), &model.plans).unwrap();
            let (values, _) = npz::read_half_or_single(&file(".npz"), PROBABILITIES).unwrap();
            let values = values.into_dimensionality::<Ix4>().unwrap();
            let decision = model.dataset.labels.decision_of_probabilities();
            let labels = decide(values.view(), &decision, &Cancel::new()).unwrap();
            let labels = properties.to_file_axes(labels);
            let (expected, geometry) = nifti::read_labels(&file(model.dataset.file_ending.as_str())).unwrap();
            let equal = labels.iter().zip(&expected).filter(|(a, b)| a == b).count() as f64;
            // The probabilities are in half precision.
            let part = equal / expected.len() as f64;
            assert!(part >= 0.995, "{} {case}: {part}", model.path.display());
            assert!(geometry.relative_deviation(&properties.geometry).within(1e-4));
        }
    }
}

fn near(found: &Json, expected: &Json, what: &str) {
    match (found, expected) {
        (Json::Object(a), Json::Object(b)) => {
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
        (a, b) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() < 1e-5, "{what}: {a} {b}");
        }
    }
}
