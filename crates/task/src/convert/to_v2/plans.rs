//! `plans.json` and `dataset.json` of a model.

use std::path::Path;

use dataset::{DatasetJson, Plans, StagePlan};
use pickle::Value;
use preprocess::fingerprint::Intensities;
use preprocess::normalise::Scheme;
use preprocess::stage::Target;
use resample::Order;
use serde_json::{json, Map, Value as Json};

use super::weights::Network;
use crate::Error;

/// Name of v2's plans.
pub(super) const PLANS: &str = "nnUNetPlans";

/// What the plans of v1 say, in the words of v2.
pub(super) struct Converted {
    /// `plans.json`
    pub plans: Json,
    /// `dataset.json`
    pub dataset: Json,
}

/// Converts the plans of a model.
///
/// # Errors
/// [`Error::NotInV2`] for a preprocessing that v2 does not have.
pub(super) fn convert(
    path: &Path,
    plans: &Plans,
    stage: usize,
    (name, configuration): (&str, &str),
    network: &Network,
    raw: Option<&DatasetJson>,
) -> Result<Converted, Error> {
    let refused = |problem: String| Error::NotInV2 {
        path: path.to_owned(),
        problem,
    };
    let target = Target::of_plans(plans, stage).map_err(|error| refused(error.to_string()))?;
    let plan = plans.stage(stage)?;
    let flat = plan.patch_size.len() == 2;
    if target.kept != [flat, false, false] {
        let preprocessor = &plans.preprocessor_name;
        return Err(refused(format!(
            "preprocessor_name is {preprocessor}, which nnU-Net v2 does not have"
        )));
    }
    let (schemes, intensities) = normalisation(&target).map_err(refused)?;
    let order = match target.order {
        Order::Nearest => 0,
        Order::Linear => 1,
        Order::Cubic => 3,
    };
    let resampling = |is_seg: bool, order: i64| json!({"is_seg": is_seg, "order": order, "order_z": 0, "force_separate_z": null});
    let function = "resample_data_or_seg_to_shape";
    let axis = usize::from(flat);
    let mut entry = json!({
        "data_identifier": format!("{PLANS}_{configuration}"),
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": plan.batch_size,
        "patch_size": plan.patch_size,
        "median_image_size_in_voxels": plan.median_patient_size_in_voxels[axis..],
        "spacing": plan.current_spacing[axis..],
        "normalization_schemes": schemes,
        "use_mask_for_norm": target.use_mask,
        "resampling_fn_data": function,
        "resampling_fn_seg": function,
        "resampling_fn_data_kwargs": resampling(false, order),
        "resampling_fn_seg_kwargs": resampling(true, 1),
        "resampling_fn_probabilities": function,
        "resampling_fn_probabilities_kwargs": resampling(false, 1),
        "architecture": architecture(plan, network),
        "batch_dice": flat,
    });
    if configuration == "3d_cascade_fullres" {
        entry["previous_stage"] = "3d_lowres".into();
    }
    let plans_json = json!({
        "dataset_name": name,
        "plans_name": PLANS,
        "original_median_spacing_after_transp": plan.original_spacing,
        "original_median_shape_after_transp": plan.median_patient_size_in_voxels,
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": plans.transpose_forward,
        "transpose_backward": plans.transpose_backward,
        "configurations": {configuration: entry},
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": intensities,
    });
    Ok(Converted {
        plans: plans_json,
        dataset: dataset(plans, raw),
    })
}

/// Normalisation of each channel, and its intensities.
fn normalisation(target: &Target) -> Result<(Vec<&'static str>, Map<String, Json>), String> {
    let mut intensities = Map::new();
    let mut schemes = Vec::new();
    for (channel, scheme) in target.schemes.iter().enumerate() {
        // nnunetv2 reads an entry for every channel, but only CTNormalization uses it; v1 has none without CT.
        let unused = json!({
            "max": 0.0, "mean": 0.0, "median": 0.0, "min": 0.0, "percentile_00_5": 0.0, "percentile_99_5": 0.0, "std": 1.0,
        });
        intensities.insert(channel.to_string(), unused);
        schemes.push(match scheme {
            Scheme::Ct(_) if target.use_mask[channel] => {
                return Err(format!(
                    "channel {channel} is normalised as CT within the non-zero mask, but v2's CTNormalization has no mask"
                ))
            }
            Scheme::Ct(all) => {
                intensities.insert(channel.to_string(), statistics(all));
                "CTNormalization"
            }
            Scheme::Ct2(_) => {
                return Err(format!(
                    "channel {channel} has the normalisation CT2, which nnU-Net v2 does not have"
                ))
            }
            Scheme::ZScore => "ZScoreNormalization",
            Scheme::None => "NoNormalization",
        });
    }
    Ok((schemes, intensities))
}

fn statistics(all: &Intensities) -> Json {
    json!({
        "max": all.maximum, "mean": all.mean, "median": all.median, "min": all.minimum,
        "percentile_00_5": all.percentile_00_5, "percentile_99_5": all.percentile_99_5, "std": all.deviation,
    })
}

fn architecture(plan: &StagePlan, network: &Network) -> Json {
    let (axes, stages) = (plan.patch_size.len(), network.features.len());
    json!({
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
        "arch_kwargs": {
            "n_stages": stages,
            "features_per_stage": network.features,
            "conv_op": format!("torch.nn.modules.conv.Conv{axes}d"),
            "kernel_sizes": network.kernels,
            "strides": network.strides,
            "n_conv_per_stage": vec![network.convolutions; stages],
            "n_conv_per_stage_decoder": vec![network.convolutions; stages - 1],
            "conv_bias": true,
            "norm_op": format!("torch.nn.modules.instancenorm.InstanceNorm{axes}d"),
            "norm_op_kwargs": {"eps": 1e-5, "affine": true},
            "dropout_op": null,
            "dropout_op_kwargs": null,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": true},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    })
}

/// Channels and labels; their names are those of the raw task, if it is there.
fn dataset(plans: &Plans, raw: Option<&DatasetJson>) -> Json {
    let channels: Map<String, Json> = (0..plans.num_modalities)
        .map(|channel| {
            let name = plans.modalities.get(&channel).map_or("MR", String::as_str);
            (channel.to_string(), name.into())
        })
        .collect();
    let mut labels = Map::new();
    labels.insert("background".to_owned(), 0.into());
    for label in 1..=plans.num_classes as i64 {
        let name = raw.and_then(|raw| raw.labels.get(&label)).map(String::as_str);
        let name = name.filter(|name| !matches!(*name, "ignore") && !labels.contains_key(*name));
        labels.insert(
            name.map_or_else(|| format!("label_{label}"), str::to_owned),
            label.into(),
        );
    }
    json!({
        "channel_names": channels,
        "labels": labels,
        "numTraining": plans.list_of_npz_files.len(),
        "file_ending": ".nii.gz",
    })
}

/// A JSON value as Python's own types.
pub(super) fn pickled(json: &Json) -> Value {
    match json {
        Json::Null => Value::None,
        Json::Bool(flag) => (*flag).into(),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64().map_or(Value::None, Value::Float),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => Value::list(items.iter().map(pickled)),
        Json::Object(map) => {
            let mut dict = pickle::Dict::new();
            map.iter()
                .for_each(|(key, value)| dict.set(key.as_str(), pickled(value)));
            dict.into()
        }
    }
}
