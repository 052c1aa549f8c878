//! Models of nnU-Net v2 with random weights: folders, checkpoints, cascades, models in memory, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataset::Fold;
use engine::network::DynamicUNet;
use inference::{predict, Error, Image, LoadedModel, PredictSummary};
use ndarray::{Array3, Axis};
use pickle::torch::{write_checkpoint, Tensor, TensorType};
use pickle::{Dict, Value};
use run::{Cancel, Coded, Context};
use serde_json::{json, Value as Json};
use settings::{LoadModelOptions, PredictOptions};
use testkit::Recorder;
use v2::Architecture;
use volume::{nifti, npz, Geometry};

const CONFIGURATION: &str = "3d_fullres";
const SECOND: &str = "3d_cascade_fullres";
const SHAPE: (usize, usize, usize) = (10, 18, 20);

fn plans() -> Json {
    let resampling = json!({"is_seg": false, "order": 1, "order_z": 0, "force_separate_z": null});
    let entry = json!({
        "preprocessor_name": "DefaultPreprocessor",
        "patch_size": [8, 16, 16],
        "spacing": [1.5, 1.0, 1.0],
        "normalization_schemes": ["ZScoreNormalization"],
        "use_mask_for_norm": [false],
        "resampling_fn_data": "resample_data_or_seg_to_shape",
        "resampling_fn_data_kwargs": resampling,
        "resampling_fn_seg": "resample_data_or_seg_to_shape",
        "resampling_fn_seg_kwargs": {"is_seg": true, "order": 1, "order_z": 0, "force_separate_z": null},
        "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
        "resampling_fn_probabilities_kwargs": resampling,
        "architecture": {
            "network_class_name": "dynamic_network_architectures.architectures.unet.ResidualEncoderUNet",
            "arch_kwargs": {
                "n_stages": 2,
                "features_per_stage": [4, 6],
                "conv_op": "torch.nn.modules.conv.Conv3d",
                "kernel_sizes": [[3, 3, 3], [3, 3, 3]],
                "strides": [[1, 1, 1], [2, 2, 2]],
                "n_blocks_per_stage": [1, 2],
                "n_conv_per_stage_decoder": [1],
                "conv_bias": true,
                "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
                "norm_op_kwargs": {"eps": 1e-5, "affine": true},
                "nonlin": "torch.nn.LeakyReLU",
                "nonlin_kwargs": {"inplace": true}
            },
            "_kw_requires_import": ["conv_op", "norm_op", "nonlin"]
        }
    });
    json!({
        "dataset_name": "Dataset999_Random",
        "plans_name": "nnUNetPlans",
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "configurations": {
            CONFIGURATION: entry,
            SECOND: {"inherits_from": CONFIGURATION, "previous_stage": CONFIGURATION},
        },
        "foreground_intensity_properties_per_channel": {},
        "label_manager": "LabelManager"
    })
}

/// A model folder, images and options.
struct Work {
    guard: tempfile::TempDir,
    options: PredictOptions,
    events: Arc<Recorder>,
}

impl Work {
    fn new(configuration: &str) -> Self {
        let guard = tempfile::tempdir().unwrap();
        let (input, output) = (guard.path().join("in"), guard.path().join("out"));
        fs::create_dir(&input).unwrap();
        let model = guard
            .path()
            .join(format!("nnUNetTrainer__nnUNetPlans__{configuration}"));
        let mut options = PredictOptions::new(input, output, model);
        options.compute = serde_json::from_value(json!({ "device": "cpu", "precision": "float32" })).unwrap();
        let work = Self {
            guard,
            options,
            events: Arc::default(),
        };
        work.write_model(configuration, 0);
        for case in ["a", "b"] {
            let seed = case.len() + usize::from(case == "b");
            let image = Array3::from_shape_fn(SHAPE, |(z, y, x)| {
                ((z * 7 + y * y * seed + x * 3) % 19) as f32 - 5.0
            });
            let path = work.options.input.join(format!("{case}_0000.nii.gz"));
            nifti::write_image(&path, image.view(), &geometry()).unwrap();
        }
        work
    }

    fn folder(&self, configuration: &str) -> PathBuf {
        self.guard
            .path()
            .join(format!("nnUNetTrainer__nnUNetPlans__{configuration}"))
    }

    fn write_model(&self, configuration: &str, fold: usize) {
        let folder = self.folder(configuration);
        fs::create_dir_all(folder.join(format!("fold_{fold}"))).unwrap();
        write_json(&folder.join("plans.json"), &plans());
        let dataset = json!({
            "channel_names": {"0": "MR"},
            "labels": {"background": 0, "a": 1, "b": 2},
            "numTraining": 1,
            "file_ending": ".nii.gz",
        });
        write_json(&folder.join("dataset.json"), &dataset);
        self.write_checkpoint(configuration, fold, |root| root);
    }

    fn write_checkpoint(&self, configuration: &str, fold: usize, change: impl FnOnce(Dict) -> Dict) {
        let file = self
            .folder(configuration)
            .join(format!("fold_{fold}/checkpoint_final.pth"));
        let root = change(checkpoint(configuration, fold));
        write_checkpoint(&file, &root.into()).unwrap();
    }

    fn predict(&self) -> Result<PredictSummary, Error> {
        predict(&self.options, &self.context())
    }

    fn context(&self) -> Context {
        Context::new(self.events.clone(), Cancel::new(), 2)
    }

    fn labels(&self, case: &str) -> Array3<i16> {
        nifti::read_labels(&self.options.output.join(format!("{case}.nii.gz")))
            .unwrap()
            .0
    }
}

fn geometry() -> Geometry {
    Geometry {
        spacing: [2.0, 1.0, 1.0],
        ..Geometry::default()
    }
}

fn write_json(path: &Path, json: &Json) {
    fs::write(path, json.to_string()).unwrap();
}

fn read_json(path: &Path) -> Json {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn checkpoint(configuration: &str, seed: usize) -> Dict {
    let entry = plans()["configurations"][CONFIGURATION]
        .as_object()
        .unwrap()
        .clone();
    let architecture =
        Architecture::read(Path::new("plans.json"), CONFIGURATION, &entry, &[8, 16, 16]).unwrap();
    let channels = if configuration == SECOND { 3 } else { 1 };
    let mut weights = Dict::ordered();
    for (index, (name, shape)) in DynamicUNet::parameters_of(&architecture, channels, 3)
        .into_iter()
        .enumerate()
    {
        let count: usize = shape.iter().product();
        let normals = random::Normals::keyed(seed as u64, &[index as u64]);
        let values: Vec<f32> = (0..count as u64).map(|i| 0.4 * normals.at(i) as f32).collect();
        weights.set(
            name.as_str(),
            Value::Tensor(Tensor::from_f32(shape, &values).unwrap()),
        );
    }
    Dict::new()
        .with("network_weights", weights)
        .with("trainer_name", "nnUNetTrainer")
        .with(
            "init_args",
            Dict::new()
                .with("configuration", configuration)
                .with("fold", seed as i64),
        )
        .with("inference_allowed_mirroring_axes", Value::tuple([0i64, 2]))
}

/// Changes the weights of a checkpoint.
fn with_weights(mut root: Dict, change: impl Fn(&str, &Value) -> Vec<(String, Value)>) -> Dict {
    let weights = root.remove("network_weights").unwrap();
    let mut changed = Dict::ordered();
    for (name, value) in weights.as_dict().unwrap().iter() {
        for (name, value) in change(name.as_str().unwrap(), value) {
            changed.set(name, value);
        }
    }
    root.with("network_weights", changed)
}

#[test]
fn a_loaded_model_gives_what_predict_writes() {
    let mut work = Work::new(CONFIGURATION);
    work.write_model(CONFIGURATION, 1);
    work.options.save_softmax = true;
    let summary = work.predict().unwrap();
    assert_eq!((summary.written, summary.failures.len()), (2, 0));
    let labels = work.labels("a");
    assert!(
        labels.iter().any(|&l| l != labels[[0, 0, 0]]),
        "the labels are all alike"
    );
    let output = &work.options.output;
    assert!(output.join("plans.json").is_file() && output.join("dataset.json").is_file());
    assert_eq!(work.predict().unwrap().skipped, 2);
    // Another model's predictions are replaced.
    work.options.folds = Some(vec![Fold::Index(0)]);
    assert_eq!(work.predict().unwrap().written, 2);
    assert!(work.events.warnings().contains(&"WARN_OUTPUT_REPLACED"));

    let mut load = LoadModelOptions::new(work.options.model.clone());
    load.compute = work.options.compute.clone();
    load.folds = work.options.folds.clone();
    let context = work.context();
    let model = LoadedModel::load(&load, &context).unwrap();
    assert_eq!(
        (model.channels(), model.classes(), model.folds()),
        (1, 3, vec!["0".to_owned()])
    );
    let file = work.options.input.join("a_0000.nii.gz");
    let found = model
        .segment(Image::Files(vec![file.clone()]), true, &context)
        .unwrap();
    assert_eq!(found.labels, work.labels("a"));
    let softmax = found.softmax.unwrap();
    let saved = npz::read::<half::f16>(&work.options.output.join("a.npz"), v2::PROBABILITIES).unwrap();
    assert_eq!(softmax.shape(), saved.shape());
    for (one, other) in softmax.iter().zip(&saved) {
        assert_eq!(half::f16::from_f32(*one), *other);
    }
    let (volume, geometry) = nifti::read_image(&file).unwrap();
    let image = Image::Volumes(vec![volume.index_axis_move(Axis(0), 0)], geometry);
    assert_eq!(
        model.segment(image, false, &context).unwrap().labels,
        found.labels
    );
    let again = work.guard.path().join("again/x.nii.gz");
    model
        .segment_to(Image::Files(vec![file.clone()]), &again, true, &context)
        .unwrap();
    assert_eq!(nifti::read_labels(&again).unwrap().0, found.labels);
    assert!(again.with_file_name("x.npz").is_file() && again.with_file_name("x.pkl").is_file());
    let wrong = model.segment_to(
        Image::Files(vec![file]),
        &again.with_file_name("x.mha"),
        false,
        &context,
    );
    assert_eq!(wrong.unwrap_err().code(), "ERR_OPTIONS");
}

#[test]
fn folds_mirroring_and_the_step_change_a_prediction_and_prefixes_do_not() {
    let mut work = Work::new(CONFIGURATION);
    work.options.overwrite = true;
    work.predict().unwrap();
    let first = work.labels("a");
    // As a compiled model that was trained in parallel saves it, with the second names of every module.
    work.write_checkpoint(CONFIGURATION, 0, |root| {
        with_weights(root, |name, value| {
            let mut names = vec![format!("module._orig_mod.{name}")];
            if let Some(rest) = name.strip_prefix("encoder.") {
                names.push(format!("module._orig_mod.decoder.encoder.{rest}"));
            }
            names.push(format!("module._orig_mod.{name}").replace(".conv.", ".all_modules.0."));
            names.into_iter().map(|name| (name, value.clone())).collect()
        })
    });
    work.predict().unwrap();
    assert_eq!(work.labels("a"), first);
    let mut others = Vec::new();
    work.options.mirroring = false;
    work.predict().unwrap();
    others.push(work.labels("a"));
    work.options.mirroring = true;
    work.options.step_size = 1.0;
    work.predict().unwrap();
    others.push(work.labels("a"));
    work.write_model(CONFIGURATION, 1);
    work.options.step_size = 0.5;
    work.predict().unwrap();
    others.push(work.labels("a"));
    assert!(others.iter().all(|other| *other != first));
    // A fold without the checkpoint is left out.
    fs::create_dir(work.options.model.join("fold_2")).unwrap();
    work.predict().unwrap();
    assert!(work.events.warnings().contains(&"WARN_UNFINISHED_FOLDS"));
}

#[test]
fn the_previous_stage_of_a_cascade_is_predicted_first() {
    let mut work = Work::new(SECOND);
    let error = work.predict().unwrap_err();
    assert_eq!(error.code(), "ERR_NOT_FOUND");
    assert!(error.to_string().contains("--lowres-model"), "{error}");
    work.write_model(CONFIGURATION, 0);
    let summary = work.predict().unwrap();
    assert_eq!((summary.written, summary.failures.len()), (2, 0));
    let labels = work.labels("a");
    let lowres = work.options.output.join("3d_lowres_predictions");
    assert!(lowres.join("a.nii.gz").is_file());
    assert_eq!(work.predict().unwrap().skipped, 2);

    let load = LoadModelOptions {
        compute: work.options.compute.clone(),
        ..LoadModelOptions::new(work.options.model.clone())
    };
    let model = LoadedModel::load(&load, &work.context()).unwrap();
    let file = work.options.input.join("a_0000.nii.gz");
    let found = model
        .segment(Image::Files(vec![file]), false, &work.context())
        .unwrap();
    assert_eq!(found.labels, labels);

    // Segmentations of the previous stage by other means.
    let given = work.guard.path().join("given");
    fs::create_dir(&given).unwrap();
    fs::copy(lowres.join("a.nii.gz"), given.join("a.nii.gz")).unwrap();
    work.options.lowres_segmentations = Some(given);
    work.options.overwrite = true;
    let summary = work.predict().unwrap();
    assert_eq!(summary.written, 1);
    assert_eq!(summary.failures[0].case, "b");
    assert_eq!(work.labels("a"), labels);
}

#[test]
fn what_cannot_be_predicted_is_refused_before_a_case_is_read() {
    let refused = |change: &dyn Fn(&mut Work), code: &str, named: &[&str]| {
        let mut work = Work::new(CONFIGURATION);
        // An image that cannot be read fails its case only, so the error is of the model.
        fs::write(work.options.input.join("a_0000.nii.gz"), "rubbish").unwrap();
        change(&mut work);
        let error = work.predict().unwrap_err();
        let text = error.to_string();
        assert_eq!(error.code(), code, "{text}");
        assert!(named.iter().all(|name| text.contains(name)), "{text}");
        assert!(!work.options.output.exists(), "{text}");
    };
    let change_weights = |work: &mut Work, change: &dyn Fn(&Tensor) -> Tensor| {
        work.write_checkpoint(CONFIGURATION, 0, |root| {
            with_weights(root, |name, value| {
                let Value::Tensor(tensor) = value else {
                    return Vec::new();
                };
                vec![(name.to_owned(), Value::Tensor(change(tensor)))]
            })
        });
    };
    refused(
        &|work| work.options.folds = Some(vec![Fold::Index(3)]),
        "ERR_NOT_FOUND",
        &["fold_3", "fold_0"],
    );
    refused(
        &|work| work.options.checkpoint = "best".to_owned(),
        "ERR_NOT_FOUND",
        &["checkpoint_best.pth"],
    );
    refused(
        &|work| work.options.checkpoint = "model_x".to_owned(),
        "ERR_OPTIONS",
        &["model_x", "best"],
    );
    refused(
        &|work| work.options.export = Some(resample::ExportMode::Alt),
        "ERR_OPTIONS",
        &["export"],
    );
    refused(
        &|work| work.options.lowres_segmentations = Some(work.options.input.clone()),
        "ERR_OPTIONS",
        &["second stage"],
    );
    refused(
        &|work| fs::write(work.options.model.join("plans.pkl"), "x").unwrap(),
        "ERR_MODEL_FOLDER",
        &["plans.pkl", "plans.json"],
    );
    refused(
        &|work| fs::remove_file(work.options.model.join("dataset.json")).unwrap(),
        "ERR_NOT_FOUND",
        &["dataset.json"],
    );
    refused(
        &|work| {
            let file = work.options.model.join("plans.json");
            let mut plans = read_json(&file);
            plans["configurations"][CONFIGURATION]["architecture"]["network_class_name"] = json!("mine.UNet");
            write_json(&file, &plans);
        },
        "ERR_ARCHITECTURE",
        &["mine.UNet", "PlainConvUNet"],
    );
    // One more label than the checkpoint has.
    refused(
        &|work| {
            let file = work.options.model.join("dataset.json");
            let mut dataset = read_json(&file);
            dataset["labels"]["c"] = json!(3);
            write_json(&file, &dataset);
        },
        "ERR_CHECKPOINT",
        &["checkpoint_final.pth", "decoder.seg_layers.0.weight"],
    );
    refused(
        &|work| work.write_checkpoint(CONFIGURATION, 0, |_| checkpoint(SECOND, 0)),
        "ERR_MODEL",
        &[SECOND, CONFIGURATION],
    );
    refused(
        &|work| {
            let half = |tensor: &Tensor| {
                let bytes = vec![0; 2 * tensor.shape.iter().product::<usize>()];
                Tensor::new(TensorType::F16, tensor.shape.clone(), bytes).unwrap()
            };
            change_weights(work, &half);
        },
        "ERR_CHECKPOINT",
        &["float16", "float32"],
    );
    refused(
        &|work| {
            let nan = |tensor: &Tensor| {
                let values = vec![f32::NAN; tensor.shape.iter().product()];
                Tensor::from_f32(tensor.shape.clone(), &values).unwrap()
            };
            change_weights(work, &nan);
        },
        "ERR_CHECKPOINT",
        &["not finite"],
    );
    refused(
        &|work| {
            let root = work.options.input.join("b_0000");
            fs::rename(root.with_extension("nii.gz"), root.with_extension("nii")).unwrap();
        },
        "ERR_NO_CASES",
        &["b_0000.nii", ".nii.gz"],
    );
}
