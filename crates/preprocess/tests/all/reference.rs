//! Planning and preprocessing compared with a recorded run of nnU-Net v1's `nnUNet_plan_and_preprocess`.

use std::path::{Path, PathBuf};

use crate::support::{names, tree, Run};
use dataset::{CaseProperties, NonFinite, Plans};
use ndarray::{ArrayD, Axis};
use preprocess::case::CaseFiles;
use preprocess::{plan_and_preprocess, preprocess_case, preprocess_test_case, ReadRules};
use run::{Cancel, Context};
use serde_json::Value;

/// Folder of the recorded run.
fn recording() -> PathBuf {
    testkit::folder("preprocess")
}

/// Names of the recorded raw tasks.
fn tasks() -> Vec<String> {
    let found = names(&recording().join("nnunet_base/nnUNet_raw_data"));
    assert!(!found.is_empty(), "no raw task recorded");
    found
}

/// Folders of a separate run, with a copy of a recorded raw task.
fn copy_of(task: &str) -> Run {
    let run = Run::empty(task);
    let from = recording().join("nnunet_base/nnUNet_raw_data").join(task);
    for file in tree(&from) {
        let to = run.raw().join(&file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from.join(&file), to).unwrap();
    }
    run
}

/// Keys of file paths.
const PATHS: [&str; 4] = [
    "list_of_data_files",
    "seg_file",
    "list_of_npz_files",
    "preprocessed_data_folder",
];

/// Compares JSON: numbers to 1e-9, paths by file name. `found` may have additional keys, which v1 ignores.
fn assert_json(found: &Value, expected: &Value, what: &str) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            for (key, value) in expected.iter().filter(|(key, _)| *key != "class_locations") {
                let found = found
                    .get(key)
                    .unwrap_or_else(|| panic!("{what}: {key} is missing"));
                let what = format!("{what}.{key}");
                if PATHS.contains(&key.as_str()) {
                    assert_eq!(file_names(found), file_names(value), "{what}");
                } else {
                    assert_json(found, value, &what);
                }
            }
        }
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{what}");
            for (i, (f, e)) in found.iter().zip(expected).enumerate() {
                assert_json(f, e, &format!("{what}[{i}]"));
            }
        }
        (Value::Number(found), Value::Number(expected)) => {
            let (f, e) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
            assert!((f - e).abs() <= 1e-9 * e.abs(), "{what}: found {f}, expected {e}");
        }
        _ => assert_eq!(found, expected, "{what}"),
    }
}

fn file_names(value: &Value) -> Value {
    match value {
        Value::String(path) => path.rsplit('/').next().unwrap_or_default().into(),
        Value::Array(paths) => paths.iter().map(file_names).collect(),
        other => other.clone(),
    }
}

/// Compares every pickle below `folder` with its JSON in `json`.
fn assert_pickles(folder: &Path, json: &Path) {
    let recorded = tree(json);
    assert!(!recorded.is_empty(), "{}", json.display());
    for file in recorded {
        let path = folder.join(&file).with_extension("pkl");
        let found = pickle::read_file(&path)
            .unwrap_or_else(|e| panic!("{e}"))
            .to_json(64);
        assert_json(
            &found,
            &testkit::json(&json.join(&file)),
            &path.display().to_string(),
        );
    }
}

/// Compares an image to 1e-4, and its last channel, the segmentation, to 99.9 %.
fn assert_case(found: &ArrayD<f64>, expected: &ArrayD<f64>, what: &str) {
    assert_eq!(found.shape(), expected.shape(), "{what}");
    let last = found.len_of(Axis(0)) - 1;
    for channel in 0..last {
        let part = |a: &ArrayD<f64>| a.index_axis(Axis(0), channel).to_owned();
        testkit::assert_close(
            &part(found),
            &part(expected),
            1e-4,
            0.0,
            &format!("{what} channel {channel}"),
        );
    }
    let part = |a: &ArrayD<f64>| a.index_axis(Axis(0), last).to_owned();
    let agreement = testkit::agreement(&part(found), &part(expected), what);
    assert!(
        agreement >= 0.999,
        "{what}: {agreement} of the segmentation agrees"
    );
}

#[test]
fn preprocessed_cases_equal_recording() {
    for task in tasks() {
        let run = copy_of(&task);
        let summary = plan_and_preprocess(&run.options(), &Context::silent(2)).unwrap();
        assert!(
            summary.preprocess.failures.is_empty(),
            "{:?}",
            summary.preprocess.failures
        );

        let recorded = recording();
        let cropped = recorded.join("nnunet_base/nnUNet_cropped_data").join(&task);
        for name in names(&cropped).iter().filter(|n| n.ends_with(".npz")) {
            let (found, expected) = (
                &testkit::npz(&run.cropped().join(name))["data"],
                &testkit::npz(&cropped.join(name))["data"],
            );
            testkit::assert_close(found, expected, 0.0, 0.0, &format!("cropped {task}/{name}"));
        }
        let json = recorded.join("json");
        assert_pickles(
            &run.cropped(),
            &json.join("nnunet_base/nnUNet_cropped_data").join(&task),
        );
        assert_pickles(&run.preprocessed(), &json.join("nnunet_preprocessed").join(&task));

        let preprocessed = recorded.join("nnunet_preprocessed").join(&task);
        let mut compared = 0;
        for file in tree(&preprocessed).iter().filter(|f| f.ends_with(".npz")) {
            let (found, expected) = (
                &testkit::npz(&run.preprocessed().join(file))["data"],
                &testkit::npz(&preprocessed.join(file))["data"],
            );
            assert_case(found, expected, &format!("{task}/{file}"));
            compared += 1;
        }
        assert!(compared > 0, "{task}: the recording has no preprocessed case");
    }
}

#[test]
fn class_locations_equal_recording() {
    let recorded = recording().join("class_locations");
    for task in tasks() {
        let run = copy_of(&task);
        plan_and_preprocess(&run.options(), &Context::silent(2)).unwrap();
        let mut compared = 0;
        for pkl in tree(&run.preprocessed()).iter().filter(|f| f.ends_with(".pkl")) {
            let name = format!("nnunet_preprocessed/{task}/{pkl}").replace('/', "__");
            let file = recorded.join(name.replace(".pkl", ".npz"));
            if !file.is_file() {
                continue;
            }
            let properties = CaseProperties::read(&run.preprocessed().join(pkl)).unwrap();
            let found = properties.class_locations().unwrap();
            let file_name = file.display();
            for (class, expected) in testkit::npz(&file) {
                let key: i64 = class.rsplit('_').next().unwrap().parse().unwrap();
                let found = found[&key].mapv(|v| v as f64).into_dyn();
                if expected.is_empty() {
                    assert!(found.is_empty(), "{file_name} {class}");
                } else {
                    testkit::assert_close(&found, &expected, 0.0, 0.0, &format!("{file_name} {class}"));
                }
            }
            compared += 1;
        }
        let prefix = format!("nnunet_preprocessed__{task}__");
        let all = names(&recorded).into_iter().filter(|f| f.starts_with(&prefix));
        assert!(compared > 0, "{task}: the recording has no class locations");
        assert_eq!(compared, all.count(), "{task}: a recorded case is missing");
    }
}

#[test]
fn written_files_equal_recorded_files() {
    let recorded = testkit::json(&recording().join("file_tree_after_plan_and_preprocess.json"));
    let below = |part: &str, prefix: &str| -> Vec<String> {
        let all = recorded[part]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f.as_str().unwrap());
        let mut found: Vec<String> = all
            .filter_map(|f| f.strip_prefix(prefix))
            .map(str::to_owned)
            .collect();
        found.sort();
        found
    };
    for task in tasks() {
        let run = copy_of(&task);
        plan_and_preprocess(&run.options(), &Context::silent(1)).unwrap();
        assert_eq!(
            tree(&run.cropped()),
            below("nnunet_base", &format!("nnunet_base/nnUNet_cropped_data/{task}/"))
        );
        assert_eq!(
            tree(&run.preprocessed()),
            below("nnunet_preprocessed", &format!("nnunet_preprocessed/{task}/"))
        );
    }
}

#[test]
fn preprocessed_test_cases_equal_recording() {
    let recorded = recording().join("preprocess_test_case");
    let mut compared = 0;
    for file in names(&recorded).iter().filter(|f| f.ends_with(".npz")) {
        let name = file.trim_end_matches(".npz");
        let (task, rest) = name.split_once("__").unwrap();
        let (case, kind) = rest.rsplit_once("__").unwrap();
        let folder = recording().join("nnunet_preprocessed").join(task);
        let plans = Plans::read(&folder.join(format!("nnUNetPlansv2.1_plans_{kind}.pkl"))).unwrap();
        let stage = plans.num_stages - 1;
        let raw = recording()
            .join("nnunet_base/nnUNet_raw_data")
            .join(task)
            .join("imagesTs");
        let images: Vec<_> = (0..plans.num_modalities)
            .map(|c| raw.join(format!("{case}_{c:04}.nii.gz")))
            .collect();

        let files = CaseFiles {
            images: images.clone(),
            label: None,
        };
        let found = preprocess_case(&files, &plans, stage, ReadRules::default(), &Cancel::new()).unwrap();
        let expected = testkit::npz(&recorded.join(file));
        let data = found.staged.data.mapv(f64::from).into_dyn();
        testkit::assert_close(&data, &expected["data"], 1e-4, 0.0, name);
        let segmentation = found
            .staged
            .segmentation
            .mapv(f64::from)
            .insert_axis(Axis(0))
            .into_dyn();
        let agreement = testkit::agreement(&segmentation, &expected["seg"], name);
        assert!(agreement >= 0.999, "{name}: {agreement} of the mask agrees");
        let json = testkit::json(&recorded.join(format!("{name}.json")));
        assert_json(
            &found.properties.to_value().to_json(64),
            &json["properties"],
            name,
        );

        let (again, properties) = preprocess_test_case(
            "case",
            &images,
            &plans,
            stage,
            NonFinite::Refuse,
            &Context::silent(1),
        )
        .unwrap();
        assert_eq!(
            (again, properties),
            (found.staged.data, found.properties),
            "{name}"
        );
        compared += 1;
    }
    assert!(compared > 0, "the recording has no test case");
}
