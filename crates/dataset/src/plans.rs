//! Plans of the experiment planner.

use std::collections::BTreeMap;
use std::path::Path;

use pickle::{Dict, Value};
use serde_json::Value as Json;

use crate::pickled::{dict, each, f64x3, i64x3, numbered, size, sizes};
use crate::{Error, StagePlan};

/// Content of a plans file. Spacings are (z, y, x) in mm. `current_spacing`, patch sizes and median sizes of
/// stages are in the network's transposed axis order.
#[derive(Clone, Debug, PartialEq)]
pub struct Plans {
    /// Number of stages: 2 if a low resolution was planned.
    pub num_stages: usize,
    /// Number of image channels.
    pub num_modalities: usize,
    /// Names of the channels.
    pub modalities: BTreeMap<usize, String>,
    /// `CT` or `nonCT` for each channel.
    pub normalization_schemes: BTreeMap<usize, String>,
    /// The dataset fingerprint as pickled (`all_sizes`, `all_spacings`, `intensityproperties`, ...).
    pub dataset_properties: Value,
    /// Files of the cropped cases.
    pub list_of_npz_files: Vec<String>,
    /// Spacings of all cases.
    pub original_spacings: Vec<[f64; 3]>,
    /// Sizes of all cases after cropping.
    pub original_sizes: Vec<[i64; 3]>,
    /// Folder of the preprocessed task at the time of planning.
    pub preprocessed_data_folder: String,
    /// Number of classes without the background.
    pub num_classes: usize,
    /// Label values without the background.
    pub all_classes: Vec<i64>,
    /// Number of features of the first convolution.
    pub base_num_features: usize,
    /// Whether a channel is normalised within the non-zero mask only.
    pub use_mask_for_norm: BTreeMap<usize, bool>,
    /// Always `None` in the plans of nnU-Net v1.
    pub keep_only_largest_region: Value,
    /// Always `None` in the plans of nnU-Net v1.
    pub min_region_size_per_class: Value,
    /// Always `None` in the plans of nnU-Net v1.
    pub min_size_per_class: Value,
    /// Axis of the case for each axis of the network.
    pub transpose_forward: [usize; 3],
    /// Axis of the network for each axis of the case.
    pub transpose_backward: [usize; 3],
    /// Prefix of the folders of preprocessed data.
    pub data_identifier: String,
    /// Plans of each stage.
    pub plans_per_stage: BTreeMap<usize, StagePlan>,
    /// Name of the preprocessor's class.
    pub preprocessor_name: String,
    /// Number of convolutions between poolings. Plans without this entry (2D) have 2.
    pub conv_per_stage: usize,
    /// All other entries, in order.
    pub extra: Dict,
}

impl Plans {
    /// Reads a plans file of any pickle protocol.
    ///
    /// # Errors
    /// [`Error::Pickle`] naming the file, and the key of a missing or invalid entry.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let value = pickle::read_file(path)?;
        Self::from_value(&value).map_err(|e| e.in_file(path).into())
    }

    /// Reads plans from their pickled form, such as the `plans` entry of a checkpoint's `.model.pkl`.
    ///
    /// # Errors
    /// [`pickle::Error::MissingKey`] or [`pickle::Error::Type`] naming the key.
    pub fn from_value(value: &Value) -> Result<Self, pickle::Error> {
        let mut rest = value.expect_as("plans", "a dictionary", Value::as_dict)?.clone();
        let mut take = |key: &str| rest.remove(key).unwrap_or_default();
        let text = |v: &Value| v.as_str().map(str::to_owned);
        macro_rules! field {
            ($key:literal, $expected:literal, $read:expr) => {{
                let value = take($key);
                match value {
                    Value::None => Err(pickle::Error::MissingKey { key: $key.into() }),
                    _ => value.expect_as($key, $expected, $read),
                }?
            }};
        }
        let axes = |v: &Value| -> Option<[usize; 3]> {
            let axes: [usize; 3] = sizes(v)?.try_into().ok()?;
            (0..3).all(|a| axes.contains(&a)).then_some(axes)
        };
        let stages = take("plans_per_stage");
        let mut plans_per_stage = BTreeMap::new();
        let entries = stages.expect_as("plans_per_stage", "a dictionary of stages", Value::as_dict)?;
        for (stage, plan) in entries.iter() {
            let stage = stage.expect_as("plans_per_stage", "whole numbers as keys", size)?;
            plans_per_stage.insert(stage, StagePlan::from_value(plan)?);
        }
        Ok(Self {
            num_stages: field!("num_stages", "a whole number", size),
            num_modalities: field!("num_modalities", "a whole number", size),
            modalities: field!("modalities", "channel names by number", |v| numbered(v, text)),
            normalization_schemes: field!("normalization_schemes", "names by channel", |v| numbered(v, text)),
            dataset_properties: take("dataset_properties"),
            list_of_npz_files: take("list_of_npz_files").to_strings().unwrap_or_default(),
            original_spacings: field!("original_spacings", "a list of three numbers each", |v| each(
                v, f64x3
            )),
            original_sizes: field!("original_sizes", "a list of three integers each", |v| each(
                v, i64x3
            )),
            preprocessed_data_folder: take("preprocessed_data_folder")
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            num_classes: field!("num_classes", "a whole number", size),
            all_classes: field!("all_classes", "a list of integers", Value::to_i64s),
            base_num_features: field!("base_num_features", "a whole number", size),
            use_mask_for_norm: field!("use_mask_for_norm", "booleans by channel", |v| numbered(
                v,
                Value::as_bool
            )),
            keep_only_largest_region: take("keep_only_largest_region"),
            min_region_size_per_class: take("min_region_size_per_class"),
            min_size_per_class: take("min_size_per_class"),
            transpose_forward: field!("transpose_forward", "an order of the axes 0, 1, 2", axes),
            transpose_backward: field!("transpose_backward", "an order of the axes 0, 1, 2", axes),
            data_identifier: field!("data_identifier", "a string", text),
            plans_per_stage,
            preprocessor_name: take("preprocessor_name")
                .as_str()
                .unwrap_or("GenericPreprocessor")
                .to_owned(),
            conv_per_stage: size(&take("conv_per_stage")).unwrap_or(2),
            extra: rest,
        })
    }

    /// Returns the pickled form, in nnU-Net v1's order and Python types.
    pub fn to_value(&self) -> Value {
        let text = |s: &String| Value::from(s.as_str());
        let flat = self.is_2d();
        // The same mixture of types as the planner's: its argmax and argwhere return numpy integers.
        let forward = self
            .transpose_forward
            .iter()
            .enumerate()
            .map(|(i, &axis)| match i {
                0 => Value::numpy_i64(axis as i64),
                _ => axis.into(),
            });
        let backward = self
            .transpose_backward
            .iter()
            .map(|&axis| Value::numpy_i64(axis as i64));
        let spacings = self
            .original_spacings
            .iter()
            .map(|s| pickle::NdArray::from_f64(s));
        let mut out = Dict::new()
            .with("num_stages", self.num_stages)
            .with("num_modalities", self.num_modalities)
            .with("modalities", dict(Dict::new(), &self.modalities, text))
            .with(
                "normalization_schemes",
                dict(Dict::ordered(), &self.normalization_schemes, text),
            )
            .with("dataset_properties", self.dataset_properties.clone())
            .with(
                "list_of_npz_files",
                Value::list(self.list_of_npz_files.iter().map(String::as_str)),
            )
            .with("original_spacings", Value::list(spacings))
            .with(
                "original_sizes",
                Value::list(self.original_sizes.iter().map(|&s| Value::tuple(s))),
            )
            .with("preprocessed_data_folder", self.preprocessed_data_folder.as_str())
            .with("num_classes", self.num_classes)
            .with("all_classes", Value::list(self.all_classes.iter().copied()))
            .with("base_num_features", self.base_num_features)
            .with(
                "use_mask_for_norm",
                dict(Dict::ordered(), &self.use_mask_for_norm, |&b| b.into()),
            )
            .with("keep_only_largest_region", self.keep_only_largest_region.clone())
            .with(
                "min_region_size_per_class",
                self.min_region_size_per_class.clone(),
            )
            .with("min_size_per_class", self.min_size_per_class.clone())
            .with("transpose_forward", Value::list(forward))
            .with("transpose_backward", Value::list(backward))
            .with("data_identifier", self.data_identifier.as_str())
            .with(
                "plans_per_stage",
                dict(Dict::new(), &self.plans_per_stage, StagePlan::to_value),
            )
            .with("preprocessor_name", self.preprocessor_name.as_str());
        if !flat || self.conv_per_stage != 2 {
            out.set("conv_per_stage", self.conv_per_stage);
        }
        self.extra
            .iter()
            .for_each(|(key, value)| out.set(key.clone(), value.clone()));
        out.into()
    }

    /// Writes a plans file that nnU-Net v1 can load. An existing file is replaced atomically.
    ///
    /// # Errors
    /// [`Error::Pickle`] naming the file.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        Ok(pickle::write_file(path, &self.to_value())?)
    }

    /// Returns the plans as JSON, for display.
    pub fn to_json(&self) -> Json {
        self.to_value().to_json(64)
    }

    /// Whether these are plans of the 2D configuration.
    pub fn is_2d(&self) -> bool {
        self.plans_per_stage
            .values()
            .all(|stage| stage.patch_size.len() == 2)
    }

    /// Returns the plan of a stage.
    ///
    /// # Errors
    /// [`Error::Value`] naming the existing stages.
    pub fn stage(&self, stage: usize) -> Result<&StagePlan, Error> {
        self.plans_per_stage.get(&stage).ok_or_else(|| {
            let known: Vec<_> = self.plans_per_stage.keys().map(usize::to_string).collect();
            Error::Value {
                record: "plans",
                problem: format!(
                    "stage {stage} does not exist; the plans have the stages {}",
                    known.join(", ")
                ),
            }
        })
    }

    /// Returns the name of the folder with a stage's preprocessed cases.
    pub fn data_folder(&self, stage: usize) -> String {
        format!("{}_stage{stage}", self.data_identifier)
    }
}
