//! Pickled form of fingerprint and plans, as in nnU-Net v1.

use std::collections::BTreeMap;

use dataset::{Plans, StagePlan};
use pickle::{Dict, NdArray, Value};

use crate::fingerprint::{Fingerprint, Intensities, ModalityIntensities};
use crate::plan::stage::{Stage, CONVOLUTIONS_PER_STAGE};
use crate::plan::Planned;
use crate::rules::{Crop, CROP};

impl Fingerprint {
    /// Returns the content of `dataset_properties.pkl`.
    pub fn to_value(&self) -> Value {
        let reductions = std::iter::zip(&self.cases, &self.size_reductions)
            .fold(Dict::ordered(), |all, (case, &r)| {
                all.with(case.as_str(), Value::numpy_f64(r))
            });
        let modalities = self
            .modalities
            .iter()
            .fold(Dict::new(), |all, (&i, name)| all.with(i, name.as_str()));
        let mut out = Dict::new()
            .with(
                "all_sizes",
                Value::list(self.sizes.iter().map(|&s| Value::tuple(s))),
            )
            .with(
                "all_spacings",
                Value::list(self.spacings.iter().map(|s| NdArray::from_f64(s))),
            )
            .with("all_classes", Value::list(self.classes.iter().copied()))
            .with("modalities", modalities)
            .with("intensityproperties", self.intensities_value())
            .with("size_reductions", reductions);
        if let Some(rule) = self.crop.record() {
            out.set(CROP, rule);
        }
        out.into()
    }

    /// Returns the content of `intensityproperties.pkl`, or `None` without intensities.
    pub fn intensities_value(&self) -> Value {
        let Some(intensities) = &self.intensities else {
            return Value::None;
        };
        let mut all = Dict::ordered();
        for (&modality, found) in intensities {
            let cases = std::iter::zip(&self.cases, &found.cases).fold(Dict::ordered(), |all, (case, i)| {
                all.with(case.as_str(), i.entries(Dict::ordered()))
            });
            all.set(
                modality,
                found.all.entries(Dict::ordered().with("local_props", cases)),
            );
        }
        all.into()
    }

    /// Reads the pickled form of [`Fingerprint::to_value`] or of nnU-Net v1. The cases are those of
    /// `size_reductions`.
    pub fn from_value(value: &Value) -> Result<Self, pickle::Error> {
        let dict = value.expect_as("dataset_properties", "a dictionary", Value::as_dict)?;
        let reductions = dict.require_as("size_reductions", "a dictionary", Value::as_dict)?;
        let text = |v: &Value| v.as_str().map(str::to_owned);
        let cases: Option<Vec<String>> = reductions.iter().map(|(case, _)| text(case)).collect();
        let three = |v: &Value| -> Option<[f64; 3]> { v.to_f64s()?.try_into().ok() };
        let sizes = |v: &Value| Some(three(v)?.map(|n| n as usize));
        let cases = cases.ok_or_else(|| wrong("size_reductions", "case names as keys", value))?;
        let intensities = match dict.get("intensityproperties") {
            None | Some(Value::None) => None,
            Some(found) => Some(
                modalities(found, |v| ModalityIntensities::from_value(v, &cases))
                    .ok_or_else(|| wrong("intensityproperties", "statistics by modality", found))?,
            ),
        };
        Ok(Self {
            crop: Crop::of(dict.get(CROP)),
            sizes: dict.require_as("all_sizes", "three integers per case", |v| each(v, sizes))?,
            spacings: dict.require_as("all_spacings", "three numbers per case", |v| each(v, three))?,
            classes: dict.require_as("all_classes", "integers", Value::to_i64s)?,
            modalities: dict.require_as("modalities", "names by number", |v| modalities(v, text))?,
            size_reductions: dict.require_as("size_reductions", "a number per case", |_| {
                reductions.iter().map(|(_, r)| r.as_f64()).collect()
            })?,
            intensities,
            cases,
        })
    }
}

fn wrong(key: &str, expected: &'static str, found: &Value) -> pickle::Error {
    pickle::Error::Type {
        key: key.to_owned(),
        expected,
        found: found.type_name(),
    }
}

fn each<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_items()?.iter().map(read).collect()
}

fn modalities<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<BTreeMap<usize, T>> {
    let entry = |(key, value): (&Value, &Value)| Some((usize::try_from(key.as_i64()?).ok()?, read(value)?));
    value.as_dict()?.iter().map(entry).collect()
}

impl ModalityIntensities {
    fn from_value(value: &Value, cases: &[String]) -> Option<Self> {
        let local = value.get("local_props")?;
        let cases = cases.iter().map(|case| Intensities::from_value(local.get(case)?));
        Some(Self {
            all: Intensities::from_value(value)?,
            cases: cases.collect::<Option<_>>()?,
        })
    }
}

impl Intensities {
    /// Adds the statistics to `dict`, in nnU-Net v1's order and numpy's types.
    fn entries(&self, dict: Dict) -> Dict {
        dict.with("median", Value::numpy_f32(self.median))
            .with("mean", Value::numpy_f32(self.mean))
            .with("sd", Value::numpy_f32(self.deviation))
            .with("mn", Value::numpy_f32(self.minimum))
            .with("mx", Value::numpy_f32(self.maximum))
            .with("percentile_99_5", Value::numpy_f64(self.percentile_99_5))
            .with("percentile_00_5", Value::numpy_f64(self.percentile_00_5))
    }

    /// Reads the statistics from a dictionary.
    pub(crate) fn from_value(value: &Value) -> Option<Self> {
        let get = |key: &str| value.get(key)?.as_f64();
        Some(Self {
            median: get("median")? as f32,
            mean: get("mean")? as f32,
            deviation: get("sd")? as f32,
            minimum: get("mn")? as f32,
            maximum: get("mx")? as f32,
            percentile_99_5: get("percentile_99_5")?,
            percentile_00_5: get("percentile_00_5")?,
        })
    }
}

/// File locations recorded in the plans.
pub(crate) struct Places {
    pub cropped_files: Vec<String>,
    pub preprocessed_folder: String,
}

/// Returns the plans in nnU-Net v1's form. `flat` selects the 2D planner.
pub(crate) fn plans(fingerprint: &Fingerprint, planned: &Planned, places: Places, flat: bool) -> Plans {
    let stage = |stage: &Stage| StagePlan {
        batch_size: stage.batch_size,
        num_pool_per_axis: stage.pooling.per_axis.clone(),
        patch_size: stage.pooling.patch.clone(),
        median_patient_size_in_voxels: stage.median_shape.map(|n| n as i64),
        current_spacing: stage.spacing,
        original_spacing: stage.original_spacing,
        do_dummy_2d_data_aug: stage.dummy_2d,
        pool_op_kernel_sizes: stage.pooling.kernels.clone(),
        conv_kernel_sizes: stage.pooling.convolutions.clone(),
        extra: Dict::new(),
    };
    Plans {
        num_stages: planned.stages.len(),
        num_modalities: fingerprint.modalities.len(),
        modalities: fingerprint.modalities.clone(),
        normalization_schemes: planned.normalization_schemes.clone(),
        dataset_properties: fingerprint.to_value(),
        list_of_npz_files: places.cropped_files,
        original_spacings: fingerprint.spacings.clone(),
        original_sizes: fingerprint.sizes.iter().map(|s| s.map(|n| n as i64)).collect(),
        preprocessed_data_folder: places.preprocessed_folder,
        num_classes: fingerprint.classes.len(),
        all_classes: fingerprint.classes.clone(),
        base_num_features: crate::plan::stage::BASE_FEATURES,
        use_mask_for_norm: planned.use_mask_for_norm.clone(),
        keep_only_largest_region: Value::None,
        min_region_size_per_class: Value::None,
        min_size_per_class: Value::None,
        transpose_forward: planned.transpose_forward,
        transpose_backward: planned.transpose_backward,
        data_identifier: if flat {
            "nnUNetData_plans_v2.1_2D"
        } else {
            "nnUNetData_plans_v2.1"
        }
        .to_owned(),
        plans_per_stage: planned.stages.iter().map(stage).enumerate().collect(),
        preprocessor_name: if flat {
            "PreprocessorFor2D"
        } else {
            "GenericPreprocessor"
        }
        .to_owned(),
        conv_per_stage: CONVOLUTIONS_PER_STAGE,
        extra: Dict::new(),
    }
}
