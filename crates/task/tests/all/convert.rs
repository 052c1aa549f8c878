//! Conversion of datasets of nnU-Net v2 and of the Decathlon.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataset::DatasetJson;
use ndarray::Array3;
use run::{Cancel, Coded, Context, Event};
use serde_json::{json, Value as Json};
use task::check::{check_dataset, CheckOptions};
use task::convert::{convert, Convention, ConvertOptions, ConvertSummary};
use task::Error;
use testkit::Recorder;
use volume::nifti::{read_header, read_image, read_labels, write_image, write_labels};
use volume::Geometry;

fn geometry() -> Geometry {
    Geometry {
        spacing: [3.0, 0.5, 0.75],
        origin: [-1.0, 2.0, 5.0],
        ..Geometry::default()
    }
}

fn image(offset: f32) -> Array3<f32> {
    Array3::from_shape_fn((2, 3, 4), |(z, y, x)| offset + (z * 12 + y * 4 + x) as f32)
}

/// Labels 0, 1 and 2.
fn labels() -> Array3<i16> {
    Array3::from_shape_fn((2, 3, 4), |(z, y, x)| ((z + y + x) % 3) as i16)
}

fn v2(base: &Path, json: &Json, ending: &str) -> PathBuf {
    let folder = base.join("Dataset027_ACDC");
    for name in ["imagesTr", "labelsTr", "imagesTs", "labelsTs"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    std::fs::write(folder.join("dataset.json"), json.to_string()).unwrap();
    for (case, part) in [("p1", "Tr"), ("p2", "Tr"), ("t1", "Ts")] {
        for channel in 0..2 {
            let path = folder.join(format!("images{part}/{case}_{channel:04}{ending}"));
            write_image(&path, image(100.0 * channel as f32).view(), &geometry()).unwrap();
        }
        write_labels(
            &folder.join(format!("labels{part}/{case}{ending}")),
            labels().view(),
            &geometry(),
        )
        .unwrap();
    }
    std::fs::write(folder.join(format!("imagesTr/._p1_0000{ending}")), "macOS").unwrap();
    folder
}

fn v2_json(ending: &str) -> Json {
    json!({
        "channel_names": { "0": "T1", "1": "noNorm" }, "labels": { "ignore": 2, "background": 0, "organ": 1 },
        "numTraining": 2, "file_ending": ending, "licence": "CC0", "overwrite_image_reader_writer": "x",
    })
}

fn run(options: &ConvertOptions) -> Result<ConvertSummary, Error> {
    convert(options, &Context::silent(2))
}

#[test]
fn nnunet_v2_ignore_label_becomes_unlabelled() {
    for ending in [".nii.gz", ".nii"] {
        let base = tempfile::tempdir().unwrap();
        let source = v2(base.path(), &v2_json(ending), ending);
        let output = base.path().join("raw");
        std::fs::create_dir(&output).unwrap();
        let options = ConvertOptions {
            source,
            output: Some(output.clone()),
            ..ConvertOptions::new("")
        };
        let summary = run(&options).unwrap();
        assert_eq!(summary.convention, Convention::NnunetV2);
        assert_eq!(
            (summary.training, summary.test, summary.ignore_label),
            (2, 1, Some(2))
        );
        assert!(summary.failures.is_empty());
        let folder = output.join("Task027_ACDC");
        assert_eq!(
            (summary.task.as_str(), &summary.folder),
            ("Task027_ACDC", &folder)
        );

        let dataset = DatasetJson::read(&folder.join("dataset.json")).unwrap();
        assert_eq!(dataset.modality.values().collect::<Vec<_>>(), ["T1", "noNorm"]);
        assert_eq!(
            dataset
                .labels
                .iter()
                .map(|(v, n)| (*v, n.as_str()))
                .collect::<Vec<_>>(),
            [(0, "background"), (1, "organ")]
        );
        assert_eq!(dataset.cases(), ["p1", "p2"]);
        assert_eq!(dataset.extra["licence"], "CC0");
        let (converted, found) = read_labels(&folder.join("labelsTr/p1.nii.gz")).unwrap();
        assert_eq!(converted, labels().mapv(|v| if v == 2 { -1 } else { v }));
        assert!(found.deviation(&geometry()).within(1e-6));
        let (second, _) = read_image(&folder.join("imagesTs/t1_0001.nii.gz")).unwrap();
        assert_eq!(second.index_axis(ndarray::Axis(0), 0), image(100.0));
        assert!(folder.join("labelsTs/t1.nii.gz").is_file());

        let check = CheckOptions {
            task: folder.to_string_lossy().into_owned(),
            ..CheckOptions::new("")
        };
        let checked = check_dataset(&check, &Context::silent(1)).unwrap();
        assert!(checked.ok, "{:#?}", checked.problems);
        assert_eq!(checked.cases[0].unlabelled_voxels, 8);

        assert_eq!(
            run(&options).unwrap_err().code(),
            "ERR_TASK_EXISTS",
            "the task exists"
        );
        assert!(run(&ConvertOptions {
            overwrite: true,
            ..options.clone()
        })
        .is_ok());
        let taken = ConvertOptions {
            task: Some("Task027_Other".into()),
            ..options
        };
        assert_eq!(run(&taken).unwrap_err().code(), "ERR_TASK_NUMBER_TAKEN");
    }
}

#[test]
fn unsupported_nnunet_v2_features_are_rejected() {
    for (key, value, word) in [
        (
            "labels",
            json!({ "background": 0, "whole tumour": [1, 2] }),
            "region",
        ),
        ("file_ending", json!(".png"), ".png"),
    ] {
        let base = tempfile::tempdir().unwrap();
        let mut json = v2_json(".nii.gz");
        json[key] = value;
        let options = ConvertOptions {
            source: v2(base.path(), &json, ".nii.gz"),
            output: Some(base.path().into()),
            ..ConvertOptions::new("")
        };
        let error = run(&options).unwrap_err();
        assert_eq!(error.code(), "ERR_DATASET_UNSUPPORTED");
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn channels_are_matched_by_number() {
    let base = tempfile::tempdir().unwrap();
    let source = v2(base.path(), &v2_json(".nii"), ".nii");
    let image = |name: &str| source.join("imagesTr").join(format!("{name}.nii"));
    std::fs::rename(image("p1_0001"), image("p1_0002")).unwrap();
    std::fs::copy(image("p2_0001"), image("p2_0002")).unwrap();
    let options = ConvertOptions {
        source,
        output: Some(base.path().into()),
        ..ConvertOptions::new("")
    };
    let summary = run(&options).unwrap();
    assert_eq!((summary.training, summary.test), (0, 1));
    let failed: Vec<_> = summary
        .failures
        .iter()
        .map(|f| (f.code.as_str(), &f.message))
        .collect();
    let [(missing, gap), ("ERR_DATASET_RECORD", more)] = failed[..] else {
        panic!("{failed:#?}");
    };
    assert_eq!(missing, "ERR_CHANNEL_MISSING");
    assert!(
        gap.contains("p1_0001") && more.contains("p2_0002.nii"),
        "{failed:#?}"
    );
}

#[test]
fn invalid_dataset_is_rejected_before_writing() {
    let with = |key: &str, value: Json| {
        let mut json = v2_json(".nii.gz");
        json[key] = value;
        json
    };
    let labels = json!({ "background": 0, "organ": 1, "ignore": 70000 });
    for (json, word) in [
        (
            with("channel_names", json!({ "0": "CT", "2": "MR" })),
            "modality keys are 0, 2",
        ),
        (with("labels", labels), "70000"),
        (
            with("labels", json!({ "background": 0, "ignore": 1, "organ": 2 })),
            "highest number",
        ),
        (with("dataset", json!({})), "no case to convert"),
    ] {
        let base = tempfile::tempdir().unwrap();
        let source = v2(base.path(), &json, ".nii.gz");
        std::fs::remove_dir_all(source.join("imagesTs")).unwrap();
        let options = ConvertOptions {
            source,
            output: Some(base.path().into()),
            ..ConvertOptions::new("")
        };
        let error = run(&options).unwrap_err();
        assert_eq!(error.code(), "ERR_DATASET_RECORD", "{error}");
        assert!(
            error.to_string().contains(word) && error.to_string().contains("dataset.json"),
            "{error}"
        );
        assert!(!base.path().join("Task027_ACDC").exists());
    }
}

#[test]
fn listed_nnunet_v2_files_are_converted_and_failures_reported() {
    let base = tempfile::tempdir().unwrap();
    let mut json = v2_json(".nii.gz");
    json["dataset"] = json!({
        "one": { "images": ["imagesTr/p1_0000.nii.gz", "imagesTr/p2_0001.nii.gz"], "label": "labelsTr/p1.nii.gz" },
        "two": { "images": ["imagesTr/p1_0000.nii.gz"], "label": "labelsTr/p1.nii.gz" },
        "three": { "images": ["imagesTr/p1_0000.nii.gz", "imagesTr/none.nii.gz"], "label": "labelsTr/p1.nii.gz" },
    });
    let source = v2(base.path(), &json, ".nii.gz");
    let options = ConvertOptions {
        source,
        output: Some(base.path().into()),
        ..ConvertOptions::new("")
    };
    let summary = run(&options).unwrap();
    assert_eq!((summary.training, summary.test), (1, 1));
    let failed: Vec<_> = summary.failures.iter().map(|f| f.case.as_str()).collect();
    assert_eq!(failed, ["two", "three"]);
    assert!(
        summary.failures[0]
            .message
            .contains("case two lists 1 images for 2 channels"),
        "{}",
        summary.failures[0].message
    );
    assert!(
        summary.failures[1].message.contains("none.nii.gz"),
        "{}",
        summary.failures[1].message
    );
    let dataset = DatasetJson::read(&summary.folder.join("dataset.json")).unwrap();
    assert_eq!(dataset.cases(), ["one"]);
}

/// Writes a 4D file: the voxels of 3D volumes in sequence, with a header of four dimensions.
fn write_4d(path: &Path, volumes: usize) {
    let single = path.with_file_name("single.nii");
    let mut bytes = Vec::new();
    for volume in 0..volumes {
        write_image(&single, image(1000.0 * volume as f32).view(), &geometry()).unwrap();
        let one = std::fs::read(&single).unwrap();
        let offset = read_header(&single).unwrap().offset;
        bytes.extend_from_slice(if volume == 0 { &one } else { &one[offset..] });
    }
    std::fs::remove_file(&single).unwrap();
    bytes[40..42].copy_from_slice(&4i16.to_le_bytes());
    bytes[48..50].copy_from_slice(&(volumes as i16).to_le_bytes());
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn decathlon_volumes_become_channel_files() {
    let base = tempfile::tempdir().unwrap();
    let source = base.path().join("Task04_Hippocampus");
    ["imagesTr", "labelsTr", "imagesTs"]
        .iter()
        .for_each(|n| std::fs::create_dir_all(source.join(n)).unwrap());
    let entry = |case: &str| json!({ "image": format!("./imagesTr/{case}.nii"), "label": format!("./labelsTr/{case}.nii") });
    let json = json!({
        "name": "Hippocampus", "tensorImageSize": "4D", "modality": { "0": "FLAIR", "1": "T1w" },
        "labels": { "0": "background", "1": "a", "2": "b" }, "numTraining": 3, "numTest": 1,
        "training": [entry("h1"), entry("h2"), entry("._h1")], "test": ["./imagesTs/h9.nii"],
    });
    std::fs::write(source.join("dataset.json"), json.to_string()).unwrap();
    write_4d(&source.join("imagesTr/h1.nii"), 2);
    write_4d(&source.join("imagesTr/h2.nii"), 3);
    write_4d(&source.join("imagesTs/h9.nii"), 2);
    for case in ["h1", "h2"] {
        write_labels(
            &source.join(format!("labelsTr/{case}.nii")),
            labels().view(),
            &geometry(),
        )
        .unwrap();
    }
    let options = ConvertOptions {
        source,
        output: Some(base.path().join("raw")),
        ..ConvertOptions::new("")
    };
    let summary = run(&options).unwrap();
    assert_eq!(
        (summary.convention, summary.task.as_str()),
        (Convention::Decathlon, "Task004_Hippocampus")
    );
    assert_eq!((summary.training, summary.test), (1, 1));
    assert_eq!(
        summary
            .failures
            .iter()
            .map(|f| f.case.as_str())
            .collect::<Vec<_>>(),
        ["h2"]
    );
    for (file, offset) in [
        ("imagesTr/h1_0000", 0.0),
        ("imagesTr/h1_0001", 1000.0),
        ("imagesTs/h9_0001", 1000.0),
    ] {
        let (found, place) = read_image(&summary.folder.join(format!("{file}.nii.gz"))).unwrap();
        assert_eq!(found.dim().0, 1);
        assert_eq!(found.index_axis(ndarray::Axis(0), 0), image(offset), "{file}");
        assert!(place.deviation(&geometry()).within(1e-6));
    }
    let check = CheckOptions {
        task: summary.folder.to_string_lossy().into_owned(),
        ..CheckOptions::new("")
    };
    let checked = check_dataset(&check, &Context::silent(1)).unwrap();
    // The files of the case that failed halfway are not listed.
    assert!(
        checked.problems.iter().all(|p| p.case.as_deref() == Some("h2")),
        "{:#?}",
        checked.problems
    );
    assert_eq!(checked.cases.len(), 2);
}

#[test]
fn task_of_nnunet_v1_is_rejected() {
    let base = tempfile::tempdir().unwrap();
    let source = base.path().join("Task004_X");
    std::fs::create_dir_all(source.join("imagesTr")).unwrap();
    let json = json!({
        "modality": { "0": "CT" }, "labels": { "0": "background" },
        "training": [{ "image": "./imagesTr/a.nii.gz", "label": "./labelsTr/a.nii.gz" }],
    });
    std::fs::write(source.join("dataset.json"), json.to_string()).unwrap();
    let error = run(&ConvertOptions {
        source,
        output: Some(base.path().into()),
        ..ConvertOptions::new("")
    })
    .unwrap_err();
    assert!(error.to_string().contains("a task of nnU-Net v1"), "{error}");
}

#[test]
fn start_and_failures_are_reported_as_events() {
    let base = tempfile::tempdir().unwrap();
    let source = v2(base.path(), &v2_json(".nii.gz"), ".nii.gz");
    std::fs::write(source.join("labelsTr/p1.nii.gz"), "no image").unwrap();
    let options = ConvertOptions {
        source,
        output: Some(base.path().into()),
        ..ConvertOptions::new("")
    };
    let sink = Arc::new(Recorder::default());
    let summary = convert(&options, &Context::new(sink.clone(), Cancel::new(), 2)).unwrap();
    assert_eq!((summary.training, summary.failures.len()), (1, 1));
    let events = sink.events();
    let started = |event: &Event| matches!(event, Event::Started { verb: "convert", .. });
    assert!(started(&events[1]), "after the warning of noNorm: {events:?}");
    assert_eq!(sink.warnings(), ["WARN_NORMALIZATION", "WARN_CASE_FAILED"]);
}

#[test]
fn cancelled_conversion_stops_between_files_of_a_case() {
    let base = tempfile::tempdir().unwrap();
    let options = ConvertOptions {
        source: v2(base.path(), &v2_json(".nii"), ".nii"),
        output: Some(base.path().into()),
        ..ConvertOptions::new("")
    };
    // One check before the case and one before each of its channels. The third is before the label.
    let context = Context::new(Arc::new(run::NullSink), Cancel::after(3), 1);
    assert_eq!(convert(&options, &context).unwrap_err().code(), "ERR_CANCELLED");
    let exists = |name: &str| base.path().join("Task027_ACDC").join(name).exists();
    assert!(exists("imagesTr/p1_0000.nii.gz") && exists("imagesTr/p1_0001.nii.gz"));
    assert!(!exists("labelsTr/p1.nii.gz") && !exists("dataset.json"));
}

#[test]
fn names_that_leave_the_task_are_refused() {
    let base = tempfile::tempdir().unwrap();
    let mut json = v2_json(".nii.gz");
    for name in ["../evil", "a/b", "..", "", "a\\b"] {
        json["dataset"] = json!({
            name: { "images": ["imagesTr/p1_0000.nii.gz", "imagesTr/p1_0001.nii.gz"], "label": "labelsTr/p1.nii.gz" },
        });
        let options = ConvertOptions {
            source: v2(base.path(), &json, ".nii.gz"),
            output: Some(base.path().join("raw")),
            ..ConvertOptions::new("")
        };
        let error = run(&options).unwrap_err();
        assert_eq!(error.code(), "ERR_DATASET_RECORD", "{name}: {error}");
        assert!(!base.path().join("raw").exists(), "{name}");
    }
}

#[test]
fn damaged_doubled_and_single_files_fail_their_case() {
    let base = tempfile::tempdir().unwrap();
    let source = v2(base.path(), &v2_json(".nii.gz"), ".nii.gz");
    let file = |name: &str| source.join(name);
    // The header is whole, the voxels are not.
    let whole = std::fs::read(file("imagesTr/p1_0001.nii.gz")).unwrap();
    std::fs::write(file("imagesTr/p1_0001.nii.gz"), &whole[..whole.len() - 9]).unwrap();
    write_image(&file("imagesTr/p2_0000.nii"), image(7.0).view(), &geometry()).unwrap();
    std::fs::copy(file("labelsTr/p1.nii.gz"), file("labelsTr/p3.nii.gz")).unwrap();
    let summary = run(&ConvertOptions {
        source: source.clone(),
        output: Some(base.path().join("raw")),
        ..ConvertOptions::new("")
    })
    .unwrap();
    let found: Vec<_> = summary
        .failures
        .iter()
        .map(|f| (f.case.as_str(), f.code.as_str()))
        .collect();
    let expected = [
        ("p1", "ERR_GZIP"),
        ("p2", "ERR_TWO_FILES"),
        ("p3", "ERR_CHANNEL_MISSING"),
    ];
    assert_eq!((found.as_slice(), summary.training), (expected.as_slice(), 0));
}

#[test]
fn labels_of_version_2_are_checked() {
    let base = tempfile::tempdir().unwrap();
    for (labels, expected) in [
        (json!({ "background": 0, "a": 1, "b": 1 }), "are both 1"),
        (json!({ "0": "background", "1": "a" }), "expected entries such as"),
        (json!(["background", "a"]), "expected an object"),
    ] {
        let mut json = v2_json(".nii.gz");
        json["labels"] = labels;
        let options = ConvertOptions {
            source: v2(base.path(), &json, ".nii.gz"),
            output: Some(base.path().join("raw")),
            ..ConvertOptions::new("")
        };
        let error = run(&options).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// A raw task of nnU-Net v1 with two training cases and a test case. `p2` has an unlabelled voxel if `sparse`.
fn v1(base: &Path, sparse: bool) -> PathBuf {
    let folder = base.join("Task027_ACDC");
    for name in ["imagesTr", "labelsTr", "imagesTs"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    for (case, part) in [("p1", "Tr"), ("p2", "Tr"), ("t1", "Ts"), ("unlisted", "Tr")] {
        for channel in 0..2 {
            let path = folder.join(format!("images{part}/{case}_{channel:04}.nii.gz"));
            write_image(&path, image(100.0 * channel as f32).view(), &geometry()).unwrap();
        }
        let mut labels = labels();
        if sparse && case == "p2" {
            labels[[0, 0, 0]] = -1;
        }
        if part == "Tr" {
            let path = folder.join(format!("labelsTr/{case}.nii.gz"));
            write_labels(&path, labels.view(), &geometry()).unwrap();
        }
    }
    let entry = |case: &str| json!({ "image": format!("./imagesTr/{case}.nii.gz"), "label": format!("./labelsTr/{case}.nii.gz") });
    let json = json!({
        "name": "ACDC", "description": "hearts", "tensorImageSize": "3D", "modality": { "0": "T1", "1": "CT" },
        "labels": { "0": "Background", "1": "ventricle", "2": "ignore" }, "numTraining": 2, "numTest": 1,
        "training": [entry("p1"), entry("p2")], "test": ["./imagesTs/t1.nii.gz"],
    });
    std::fs::write(folder.join("dataset.json"), json.to_string()).unwrap();
    folder
}

fn to_v2(source: &Path, output: &Path) -> ConvertOptions {
    let mut options = ConvertOptions::new(source.to_owned());
    options.to = task::convert::Target::V2;
    options.output = Some(output.to_owned());
    options
}

#[test]
fn a_raw_task_becomes_a_data_set_of_v2_and_back() {
    for sparse in [false, true] {
        let guard = tempfile::tempdir().unwrap();
        let source = v1(guard.path(), sparse);
        let raw = guard.path().join("nnUNet_raw");
        let context = Context::silent(2);
        let found = convert(&to_v2(&source, &raw), &context).unwrap();
        assert_eq!(
            (found.task.as_str(), found.training, found.test),
            ("Dataset027_ACDC", 2, 1)
        );
        assert_eq!(found.convention, Convention::NnunetV1);
        assert_eq!(found.ignore_label, sparse.then_some(3));
        let json: Json = dataset::text::read_json(&found.folder.join("dataset.json")).unwrap();
        let mut expected = json!({ "background": 0, "ventricle": 1, "ignore_2": 2 });
        if sparse {
            expected["ignore"] = json!(3);
        }
        assert_eq!(json["labels"], expected);
        assert_eq!(json["channel_names"], json!({ "0": "T1", "1": "CT" }));
        assert_eq!(
            (&json["numTraining"], &json["file_ending"]),
            (&json!(2), &json!(".nii.gz"))
        );
        assert_eq!(
            (&json["description"], json.get("training")),
            (&json!("hearts"), None)
        );
        // The reader of models takes the same file.
        v2::Dataset::from_json(&found.folder, json).unwrap();
        let label = |folder: &Path, case: &str| {
            read_labels(&folder.join(format!("labelsTr/{case}.nii.gz")))
                .unwrap()
                .0
        };
        assert_eq!(label(&found.folder, "p1"), labels());
        assert_eq!(label(&found.folder, "p2")[[0, 0, 0]], if sparse { 3 } else { 0 });
        assert!(!found.folder.join("imagesTr/unlisted_0000.nii.gz").exists());
        assert!(found.folder.join("imagesTs/t1_0001.nii.gz").is_file());

        let again = convert(&to_v2(&source, &raw), &context).unwrap_err();
        assert_eq!(again.code(), "ERR_TASK_EXISTS");
        let mut back = ConvertOptions::new(found.folder);
        back.output = Some(guard.path().join("back"));
        let back = convert(&back, &context).unwrap();
        assert_eq!((back.training, back.test), (2, 1));
        for case in ["p1", "p2"] {
            assert_eq!(label(&back.folder, case), label(&source, case));
        }
    }
}

#[test]
fn what_v2_cannot_have_is_refused_before_anything_is_written() {
    let guard = tempfile::tempdir().unwrap();
    let source = v1(guard.path(), false);
    let output = guard.path().join("nnUNet_raw");
    let code = |options: &ConvertOptions| convert(options, &Context::silent(1)).unwrap_err().code();
    let without = ConvertOptions {
        output: None,
        ..to_v2(&source, &output)
    };
    assert_eq!(code(&without), "ERR_OPTIONS");
    for name in ["Task027_ACDC", "Dataset27_ACDC", "Dataset027_", "Dataset027_a/b"] {
        let named = ConvertOptions {
            task: Some(name.to_owned()),
            ..to_v2(&source, &output)
        };
        assert_eq!(code(&named), "ERR_OPTIONS", "{name}");
    }
    assert_eq!(code(&to_v2(&guard.path().join("none"), &output)), "ERR_NOT_FOUND");
    let file = source.join("dataset.json");
    let mut json: Json = dataset::text::read_json(&file).unwrap();
    json["labels"] = json!({ "0": "background", "2": "a" });
    std::fs::write(&file, json.to_string()).unwrap();
    assert_eq!(code(&to_v2(&source, &output)), "ERR_DATASET_UNSUPPORTED");
    assert!(!output.exists());
}
