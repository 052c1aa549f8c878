//! Preprocessing and export against nnunetv2 on made-up cases (`bench/record/v2.py`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataset::NonFinite;
use ndarray::{Array3, Array4};
use run::{Cancel, Context};
use serde_json::Value as Json;
use testkit::Recorder;
use v2::{preprocess, Configuration, Dataset, Export, Plans, PreviousStage, Properties};
use volume::{nifti, npz, Geometry};

fn numbers<const N: usize>(json: &Json) -> [f64; N] {
    let all: Vec<f64> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect();
    all.try_into().unwrap()
}

fn sizes<const N: usize>(json: &Json) -> [usize; N] {
    numbers::<N>(json).map(|v| v as usize)
}

/// The recorder's formula.
fn formula(k: &Json, [z, y, x]: [usize; 3]) -> f32 {
    let k: [usize; 6] = sizes(k);
    ((k[0] * z * z + k[1] * y + k[2] * x * x + k[3] * x * y + k[4] * z * x) % k[5]) as f32
}

fn image(spec: &Json, channel: usize) -> Array3<f32> {
    let within = |axis: usize, i: usize| {
        let [start, end]: [usize; 2] = sizes(&spec["box"][axis]);
        (start..end).contains(&i)
    };
    let start = |axis: usize| sizes::<2>(&spec["box"][axis])[0];
    let offset = spec["offset"][channel].as_f64().unwrap() as f32;
    Array3::from_shape_fn(sizes::<3>(&spec["shape"]), |(z, y, x)| {
        let hole = z == start(0) + 1
            && (start(1) + 2..start(1) + 4).contains(&y)
            && (start(2) + 2..start(2) + 5).contains(&x);
        if within(0, z) && within(1, y) && within(2, x) && !hole {
            formula(&spec["image"][channel], [z, y, x]) + offset
        } else {
            0.0
        }
    })
}

fn geometry(spec: &Json) -> Geometry {
    Geometry {
        spacing: numbers(&spec["spacing"]),
        origin: numbers(&spec["origin"]),
        direction: numbers(&spec["direction"]),
    }
}

struct Made {
    name: String,
    spec: Json,
    plans: Plans,
    dataset: Dataset,
    configuration: Configuration,
    images: Vec<PathBuf>,
    previous: Option<PathBuf>,
}

fn made(folder: &Path, spec: &Json) -> Made {
    let plans = Plans::from_json(Path::new("plans.json"), spec["plans"].clone()).unwrap();
    let dataset = Dataset::from_json(Path::new("dataset.json"), spec["dataset"].clone()).unwrap();
    let ending = dataset.file_ending.as_str();
    let images = (0..dataset.channel_names.len()).map(|channel| {
        let path = folder.join(format!("case_{channel:04}{ending}"));
        nifti::write_image(&path, image(spec, channel).view(), &geometry(spec)).unwrap();
        path
    });
    let images = images.collect();
    let previous = spec.get("previous").map(|k| {
        let path = folder.join(format!("previous{ending}"));
        let labels = Array3::from_shape_fn(sizes::<3>(&spec["shape"]), |(z, y, x)| {
            formula(k, [z, y, x]) as i16
        });
        nifti::write_labels(&path, labels.view(), &geometry(spec)).unwrap();
        path
    });
    Made {
        name: spec["name"].as_str().unwrap().to_owned(),
        configuration: plans.configuration("used").unwrap(),
        spec: spec.clone(),
        plans,
        dataset,
        images,
        previous,
    }
}

impl Made {
    fn preprocess(&self) -> (Array4<f32>, Properties) {
        let context = Context::new(Arc::new(Recorder::default()), Cancel::new(), 1);
        let case = preprocess(
            &self.name,
            &self.images,
            &self.plans,
            &self.configuration,
            &self.dataset,
            self.previous.as_deref().map(PreviousStage::File),
            NonFinite::Refuse,
            &context,
        );
        let case = case.unwrap();
        (case.data, case.properties)
    }

    fn logits(&self, [z, y, x]: [usize; 3]) -> Array4<f32> {
        let heads = self.dataset.labels.heads();
        Array4::from_shape_fn((heads, z, y, x), |(c, i, j, k)| {
            (formula(&self.spec["logits"], [c * z + i, j, k]) - 15.0) / 4.0
        })
    }
}

/// The largest difference of a recorded sample of an array, and the part of its values that differ by more than 1e-4.
fn differences(
    found: impl ExactSizeIterator<Item = f64>,
    shape: &[usize],
    expected: &Json,
    what: &str,
) -> (f64, f64) {
    let recorded: Vec<usize> = expected["shape"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_u64().unwrap() as usize)
        .collect();
    assert_eq!(shape, recorded, "{what}");
    let step = expected["step"].as_u64().unwrap() as usize;
    let values = expected["values"].as_array().unwrap();
    let pairs: Vec<(f64, f64)> = found
        .step_by(step)
        .zip(values.iter().map(|v| v.as_f64().unwrap()))
        .collect();
    assert_eq!(pairs.len(), values.len(), "{what}");
    let largest = pairs.iter().map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let differing = pairs.iter().filter(|(a, b)| (a - b).abs() > 1e-4).count();
    (largest, differing as f64 / pairs.len() as f64)
}

fn cases() -> Vec<Json> {
    let file = testkit::folder("v2").join("preprocessing.json");
    let cases = testkit::json(&file)["cases"].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

#[test]
fn network_input_equals_the_reference() {
    for spec in cases() {
        let folder = tempfile::tempdir().unwrap();
        let made = made(folder.path(), &spec);
        let (data, _) = made.preprocess();
        let values = data.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        let (largest, _) = differences(values.into_iter(), data.shape(), &spec["data"], &made.name);
        assert!(largest < 1e-4, "{}: {largest}", made.name);
    }
}

#[test]
fn exported_files_equal_the_reference() {
    for spec in cases() {
        let folder = tempfile::tempdir().unwrap();
        let made = made(folder.path(), &spec);
        let (data, properties) = made.preprocess();
        let [_, shape @ ..]: [usize; 4] = data.shape().try_into().unwrap();
        let export = Export::new(&made.plans, &made.configuration, &made.dataset);
        let out = export.write::<_, v2::Error>(
            folder.path(),
            "out",
            "",
            made.logits(shape),
            &properties,
            true,
            Ok,
            &Cancel::new(),
        );
        let out = out.unwrap();
        let what = &made.name;
        let found = npz::read::<f32>(&folder.path().join("out.npz"), "probabilities").unwrap();
        assert_eq!(spec["probabilitiesDtype"], "float32");
        let values = found.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        let (largest, _) = differences(values.into_iter(), found.shape(), &spec["probabilities"], what);
        assert!(largest < 2e-5, "{what}: {largest}");

        let header = nifti::read_header(&out).unwrap();
        assert_eq!(header.dtype.name(), spec["segmentationDtype"], "{what}");
        let (labels, placed) = nifti::read_labels(&out).unwrap();
        let values: Vec<f64> = labels.iter().map(|&v| f64::from(v)).collect();
        let (_, differing) = differences(values.into_iter(), labels.shape(), &spec["segmentation"], what);
        // Equal probabilities of two labels may differ in their last bit.
        assert!(differing <= 0.02, "{what}: {differing}");
        for row in 0..3 {
            let expected: [f64; 4] = numbers(&spec["affine"][row]);
            let sign = if row < 2 { -1.0 } else { 1.0 };
            for column in 0..3 {
                let step = sign * placed.direction[3 * row + column] * placed.spacing[2 - column];
                assert!((step - expected[column]).abs() < 1e-4, "{what}: {placed:?}");
            }
            assert!(
                (sign * placed.origin[row] - expected[3]).abs() < 1e-4,
                "{what}: {placed:?}"
            );
        }

        let saved = pickle::read_file(&folder.path().join("out.pkl"))
            .unwrap()
            .to_json(100);
        for (key, expected) in spec["properties"].as_object().unwrap() {
            assert_near(&saved[key], expected, &format!("{what}: {key}"));
        }
        // What was read is written again, also the size of the file.
        let again = Properties::read(&folder.path().join("out.pkl"), &made.plans).unwrap();
        assert_eq!(again.size, properties.size, "{what}");
        assert_near(&again.to_value().to_json(100), &saved, what);
        let stuff = ["sitk_stuff", "nibabel_stuff"]
            .into_iter()
            .find_map(|key| saved.get(key))
            .unwrap();
        assert_near(stuff, &spec["stuff"], what);
    }
}

/// Compares the form and the numbers of two values.
fn assert_near(found: &Json, expected: &Json, what: &str) {
    match (found, expected) {
        (Json::Array(a), Json::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{what}");
            a.iter().zip(b).for_each(|(a, b)| assert_near(a, b, what));
        }
        (Json::Object(a), Json::Object(b)) => {
            assert_eq!(
                a.keys().collect::<Vec<_>>(),
                b.keys().collect::<Vec<_>>(),
                "{what}"
            );
            a.iter()
                .for_each(|(key, value)| assert_near(value, &b[key], &format!("{what}: {key}")));
        }
        (a, b) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() < 1e-4, "{what}: {a} {b}");
        }
    }
}

#[test]
fn arrays_in_memory_equal_the_written_files() {
    for spec in cases() {
        let folder = tempfile::tempdir().unwrap();
        let made = made(folder.path(), &spec);
        let (data, properties) = made.preprocess();
        let [_, shape @ ..]: [usize; 4] = data.shape().try_into().unwrap();
        let export = Export::new(&made.plans, &made.configuration, &made.dataset);
        let cancel = Cancel::new();
        let logits = made.logits(shape);
        let with = export.arrays(logits.clone(), &properties, true, &cancel).unwrap();
        let without = export
            .arrays(logits.clone(), &properties, false, &cancel)
            .unwrap();
        assert_eq!(with.labels, without.labels, "{}", made.name);
        let probabilities = with.probabilities.unwrap();
        assert_eq!(
            probabilities.shape()[1..],
            with.labels.shape()[..],
            "{}",
            made.name
        );
        let file =
            export.write::<_, v2::Error>(folder.path(), "out", "", logits, &properties, false, Ok, &cancel);
        let (labels, _) = nifti::read_labels(&file.unwrap()).unwrap();
        assert_eq!(labels, with.labels, "{}", made.name);
        assert!(!folder.path().join("out.npz").exists());
        // With labels, the largest probability has the label; the volume has the axes of the file.
        if made.dataset.labels.regions_class_order.is_none() {
            for (voxel, &label) in with.labels.indexed_iter() {
                let (z, y, x) = voxel;
                let largest = (0..probabilities.dim().0)
                    .map(|c| probabilities[(c, z, y, x)])
                    .fold(0.0, f32::max);
                assert_eq!(probabilities[(label as usize, z, y, x)], largest);
            }
        }
    }
}

#[test]
fn an_image_of_rank_two_stays_one_with_planes_far_apart() {
    let mut spec = cases()
        .into_iter()
        .find(|spec| spec["plans"]["image_reader_writer"] == "SimpleITKIO")
        .unwrap();
    let base = &mut spec["plans"]["configurations"]["base"];
    base["patch_size"] = serde_json::json!([8, 8]);
    base["spacing"] = serde_json::json!([1.0, 0.5]);
    spec["plans"]["transpose_forward"] = serde_json::json!([0, 1, 2]);
    spec["plans"]["transpose_backward"] = serde_json::json!([0, 1, 2]);
    spec.as_object_mut().unwrap().remove("previous");
    let folder = tempfile::tempdir().unwrap();
    let mut made = made(folder.path(), &spec);
    let plane = Array3::from_shape_fn((1, 6, 8), |(_, y, x)| (1 + y + x) as i16);
    let geometry = Geometry {
        spacing: [1.0, 0.75, 1.5],
        origin: [4.0, -3.0, 0.0],
        ..Geometry::default()
    };
    for path in &made.images {
        nifti::write_labels_unsigned(path, plane.view(), &geometry, true, "", &Cancel::new()).unwrap();
    }
    made.previous = None;
    let (data, properties) = made.preprocess();
    assert!(properties.plane);
    assert_eq!(properties.spacing, [999.0 * 1.5, 0.75, 1.5]);
    // 6 x 0.75 mm and 8 x 1.5 mm.
    assert_eq!(data.shape()[1..], [1, 4, 24]);
    let export = Export::new(&made.plans, &made.configuration, &made.dataset);
    let logits = made.logits([1, 4, 24]);
    let file = export.write::<_, v2::Error>(
        folder.path(),
        "out",
        "",
        logits,
        &properties,
        true,
        Ok,
        &Cancel::new(),
    );
    let header = nifti::read_header(&file.unwrap()).unwrap();
    assert_eq!((header.rank, header.size), (2, [1, 6, 8]));
    let saved = Properties::read(&folder.path().join("out.pkl"), &made.plans).unwrap();
    assert_eq!((saved.plane, saved.size), (true, [1, 6, 8]));
    assert_eq!(
        (saved.geometry.spacing[1..].to_vec(), saved.geometry.origin[0]),
        (vec![0.75, 1.5], 4.0)
    );
}
