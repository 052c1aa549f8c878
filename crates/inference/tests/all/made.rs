//! A model of nnU-Net v2 with random weights, and images for it.
#![allow(dead_code, reason = "each test file uses a part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::network::DynamicUNet;
use inference::{predict, Error, PredictSummary};
use ndarray::Array3;
use pickle::torch::{write_checkpoint, Tensor};
use pickle::{Dict, Value};
use run::{Cancel, Context};
use serde_json::{json, Value as Json};
use settings::PredictOptions;
use testkit::Recorder;
use v2::Architecture;
use volume::{nifti, Geometry};

pub const CONFIGURATION: &str = "3d_fullres";
pub const SECOND: &str = "3d_cascade_fullres";
pub const SHAPE: (usize, usize, usize) = (10, 18, 20);

pub fn plans() -> Json {
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
pub struct Work {
    pub guard: tempfile::TempDir,
    pub options: PredictOptions,
    pub events: Arc<Recorder>,
}

impl Work {
    pub fn new(configuration: &str) -> Self {
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

    pub fn folder(&self, configuration: &str) -> PathBuf {
        self.guard
            .path()
            .join(format!("nnUNetTrainer__nnUNetPlans__{configuration}"))
    }

    pub fn write_model(&self, configuration: &str, fold: usize) {
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

    pub fn write_checkpoint(&self, configuration: &str, fold: usize, change: impl FnOnce(Dict) -> Dict) {
        let file = self
            .folder(configuration)
            .join(format!("fold_{fold}/checkpoint_final.pth"));
        let root = change(checkpoint(configuration, fold));
        write_checkpoint(&file, &root.into()).unwrap();
    }

    pub fn predict(&self) -> Result<PredictSummary, Error> {
        predict(&self.options, &self.context())
    }

    pub fn context(&self) -> Context {
        Context::new(self.events.clone(), Cancel::new(), 2)
    }

    pub fn labels(&self, case: &str) -> Array3<i16> {
        nifti::read_labels(&self.options.output.join(format!("{case}.nii.gz")))
            .unwrap()
            .0
    }
}

pub fn geometry() -> Geometry {
    Geometry {
        spacing: [2.0, 1.0, 1.0],
        ..Geometry::default()
    }
}

pub fn write_json(path: &Path, json: &Json) {
    fs::write(path, json.to_string()).unwrap();
}

pub fn read_json(path: &Path) -> Json {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

pub fn checkpoint(configuration: &str, seed: usize) -> Dict {
    made(configuration, configuration, seed)
}

/// A checkpoint with the network of one configuration that says it is of another one.
pub fn checkpoint_of(network: &str, configuration: &str) -> Dict {
    made(network, configuration, 0)
}

fn made(network: &str, configuration: &str, seed: usize) -> Dict {
    let entry = plans()["configurations"][CONFIGURATION]
        .as_object()
        .unwrap()
        .clone();
    let architecture =
        Architecture::read(Path::new("plans.json"), CONFIGURATION, &entry, &[8, 16, 16]).unwrap();
    let channels = if network == SECOND { 3 } else { 1 };
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
