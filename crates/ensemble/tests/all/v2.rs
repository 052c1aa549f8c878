//! Ensembles of nnU-Net v2's probabilities on made-up cases.

use std::fs;
use std::path::Path;

use ensemble::{ensemble, EnsembleOptions, EnsembleSummary, Error};
use ndarray::{Array3, Array4};
use run::{Cancel, Coded, Context};
use serde_json::{json, Value as Json};
use tempfile::TempDir;
use v2::{preprocess_volumes, Dataset, Export, Plans};
use volume::{nifti, npz, Geometry};

const SHAPE: [usize; 3] = [4, 6, 5];

fn plans(reader: &str) -> Json {
    let function = "resample_data_or_seg_to_shape";
    json!({
        "image_reader_writer": reader, "transpose_forward": [1, 0, 2], "transpose_backward": [1, 0, 2],
        "configurations": { "3d_fullres": {
            "patch_size": [4, 4, 4], "spacing": [1.0, 2.0, 0.5],
            "normalization_schemes": ["NoNormalization"], "use_mask_for_norm": [false],
            "resampling_fn_data": function, "resampling_fn_data_kwargs": { "order": 1 },
            "resampling_fn_seg": function, "resampling_fn_seg_kwargs": { "is_seg": true, "order": 0 },
            "resampling_fn_probabilities": function, "resampling_fn_probabilities_kwargs": { "order": 1 },
        } },
    })
}

fn labels(regions: bool) -> Json {
    match regions {
        true => json!({
            "channel_names": { "0": "x" }, "file_ending": ".nii.gz", "regions_class_order": [4, 7],
            "labels": { "background": 0, "all": [4, 7], "core": 7 },
        }),
        false => json!({
            "channel_names": { "0": "x" }, "file_ending": ".nii.gz",
            "labels": { "background": 0, "a": 1, "b": 2 },
        }),
    }
}

/// Predictions of two made-up models of one case, whose image has a border of 0.
struct Work {
    guard: TempDir,
    options: EnsembleOptions,
    heads: usize,
}

impl Work {
    fn new(reader: &str, regions: bool) -> Self {
        let guard = tempfile::tempdir().unwrap();
        let folders = ["one", "two"].map(|name| guard.path().join(name));
        let dataset = Dataset::from_json(Path::new("dataset.json"), labels(regions)).unwrap();
        let plans_json = plans(reader);
        let made = Plans::from_json(Path::new("plans.json"), plans_json.clone()).unwrap();
        let configuration = made.configuration("3d_fullres").unwrap();
        // An axis that points to the left, so that the reoriented array differs from the file.
        let geometry = Geometry {
            spacing: [2.0, 1.0, 0.5],
            origin: [3.0, -5.0, 7.0],
            direction: [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0],
        };
        let image = Array3::from_shape_fn(SHAPE, |(z, y, x)| {
            if z > 0 && y < 5 {
                (1 + z + y + x) as f32
            } else {
                0.0
            }
        });
        let export = Export::new(&made, &configuration, &dataset);
        for (model, folder) in folders.iter().enumerate() {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join("plans.json"), plans_json.to_string()).unwrap();
            fs::write(folder.join("dataset.json"), labels(regions).to_string()).unwrap();
            let case = preprocess_volumes(
                vec![image.clone()],
                geometry.clone(),
                &made,
                &configuration,
                &dataset,
                None,
                dataset::NonFinite::Refuse,
                &Context::silent(1),
            );
            let case = case.unwrap();
            let (_, z, y, x) = case.data.dim();
            let logits = Array4::from_shape_fn((export.heads(), z, y, x), |(c, z, y, x)| {
                ((c * 7 + z * 5 + y * 3 + x * 11 + model * (x + 2 * y)) % 13) as f32 / 3.0 - 2.0
            });
            export
                .write::<_, v2::Error>(
                    folder,
                    "c",
                    "",
                    logits,
                    &case.properties,
                    true,
                    Ok,
                    &Cancel::new(),
                )
                .unwrap();
        }
        let heads = export.heads();
        let options = EnsembleOptions::new(folders.to_vec(), guard.path().join("out"));
        Self {
            guard,
            options,
            heads,
        }
    }

    fn run(&self) -> Result<EnsembleSummary, Error> {
        ensemble(&self.options, &Context::silent(1))
    }

    fn probabilities(&self, folder: &str) -> Array4<f32> {
        let file = self.guard.path().join(folder).join("c.npz");
        npz::read::<f32>(&file, "probabilities")
            .unwrap()
            .into_dimensionality()
            .unwrap()
    }

    fn segmentation(&self, folder: &str) -> (Array3<i16>, Geometry) {
        nifti::read_labels(&self.guard.path().join(folder).join("c.nii.gz")).unwrap()
    }
}

#[test]
fn two_equal_models_give_their_segmentation() {
    for reader in ["SimpleITKIO", "NibabelIO", "NibabelIOWithReorient"] {
        for regions in [false, true] {
            let mut work = Work::new(reader, regions);
            work.options.folders[1] = work.options.folders[0].clone();
            let summary = work.run().unwrap();
            assert_eq!(
                (summary.written, summary.failures.len()),
                (1, 0),
                "{:?}",
                summary.failures
            );
            assert_eq!(
                work.segmentation("out"),
                work.segmentation("one"),
                "{reader} {regions}"
            );
            assert_eq!(work.segmentation("out").0.shape(), SHAPE);
        }
    }
}

#[test]
fn labels_are_those_of_the_mean_probabilities() {
    for regions in [false, true] {
        let mut work = Work::new("SimpleITKIO", regions);
        work.options.save_softmax = true;
        assert_eq!(work.run().unwrap().written, 1);
        let mean = (work.probabilities("one") + work.probabilities("two")) / 2.0;
        let saved = work.probabilities("out");
        assert!(saved.iter().zip(&mean).all(|(a, b)| (a - b).abs() < 1e-6));
        let (found, _) = work.segmentation("out");
        let mut differing = 0;
        for ((z, y, x), &label) in found.indexed_iter() {
            let values: Vec<f32> = (0..work.heads).map(|c| mean[(c, z, y, x)]).collect();
            let expected = if regions {
                match (values[0] > 0.5, values[1] > 0.5) {
                    (_, true) => 7,
                    (true, false) => 4,
                    _ => 0,
                }
            } else {
                (0..values.len())
                    .rev()
                    .max_by(|&a, &b| values[a].total_cmp(&values[b]))
                    .unwrap() as i16
            };
            assert_eq!(label, expected, "{z} {y} {x}");
            differing += usize::from(work.segmentation("one").0[(z, y, x)] != label);
        }
        assert!(differing > 0, "the second model changes nothing");
        // What was written is an input again.
        let mut again = EnsembleOptions::new(
            vec![work.guard.path().join("out"), work.guard.path().join("out")],
            work.guard.path().join("again"),
        );
        again.save_softmax = true;
        assert_eq!(ensemble(&again, &Context::silent(1)).unwrap().written, 1);
        assert_eq!(work.segmentation("again"), work.segmentation("out"));
        let pkl = |folder: &str| fs::read(work.guard.path().join(folder).join("c.pkl")).unwrap();
        assert_eq!(pkl("out"), pkl("one"));
    }
}

#[test]
fn missing_descriptions_and_other_models_are_errors() {
    let mut work = Work::new("SimpleITKIO", false);
    fs::remove_file(work.options.folders[0].join("plans.json")).unwrap();
    let error = work.run().unwrap_err();
    assert_eq!(error.code(), "ERR_NOT_FOUND");
    assert!(error.to_string().contains("option model"), "{error}");
    work.options.model = Some(work.options.folders[1].clone());
    assert_eq!(work.run().unwrap().written, 1);
    // The labels of another data set.
    fs::write(
        work.options.folders[1].join("dataset.json"),
        labels(true).to_string(),
    )
    .unwrap();
    let summary = work.run().unwrap();
    assert_eq!(
        summary.failures[0].code, "ERR_EXPORT_REGIONS",
        "{:?}",
        summary.failures
    );
    // A softmax of nnU-Net v1 among them.
    let work = Work::new("SimpleITKIO", false);
    let softmax = work.probabilities("two").into_dyn();
    let file = work.guard.path().join("two/c.npz");
    npz::write(&file, &[("softmax", softmax.view())], npz::Compression::Fast).unwrap();
    let summary = work.run().unwrap();
    assert_eq!(
        summary.failures[0].code, "ERR_NPZ_MEMBER",
        "{:?}",
        summary.failures
    );
}
