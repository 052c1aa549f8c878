//! nnU-Net v2's `summary.json`.
//!
//! Source: `nnunetv2.evaluation.evaluate_predictions.compute_metrics_on_folder`.

use std::collections::BTreeMap;
use std::path::Path;

use run::CaseFailure;
use serde::{Deserialize, Serialize};
use serde_json::{json, Map, Value as Json};

use crate::mean::nanmean;
use crate::metrics::Confusion;
use crate::summary::write_python_json;
use crate::{Error, Region};

/// Which nnU-Net's form a `summary.json` has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SummaryFormat {
    /// nnU-Net v1.
    #[default]
    V1,
    /// nnU-Net v2: Dice, IoU and the counts of voxels for each label other than the background, and their mean over labels.
    V2,
}

/// A case of the summary.
pub(crate) struct Case<'a> {
    pub reference: String,
    pub prediction: String,
    /// Voxels that were compared.
    pub voxels: u64,
    /// Counts by [`Region::key`]. A region without a count is in neither segmentation.
    pub regions: &'a BTreeMap<String, Confusion>,
}

/// Metrics of one region: name and value, in v2's order of a sorted file.
type Metrics = [(&'static str, f64); 8];

fn metrics(case: &Case<'_>, region: &str) -> Metrics {
    let absent = Confusion {
        tn: case.voxels,
        ..Confusion::default()
    };
    let Confusion { tp, fp, fn_, tn } = case.regions.get(region).unwrap_or(&absent);
    // 0 / 0 is NaN, as for a region that is in neither segmentation.
    let ratio = |over: u64, under: u64| over as f64 / under as f64;
    [
        ("Dice", ratio(2 * tp, 2 * tp + fp + fn_)),
        ("FN", *fn_ as f64),
        ("FP", *fp as f64),
        ("IoU", ratio(*tp, tp + fp + fn_)),
        ("TN", *tn as f64),
        ("TP", *tp as f64),
        ("n_pred", (fp + tp) as f64),
        ("n_ref", (fn_ + tp) as f64),
    ]
}

/// Writes the summary of `cases`. Every case has every region that a case has, or `requested`, without the background.
///
/// # Errors
/// [`Error::Storage`].
pub(crate) fn write(
    path: &Path,
    cases: &[Case<'_>],
    requested: Option<&[Region]>,
    failures: &[CaseFailure],
    bare_nan: bool,
) -> Result<(), Error> {
    let mut regions: Vec<String> = match requested {
        Some(regions) => regions.iter().map(Region::key).collect(),
        None => cases
            .iter()
            .flat_map(|case| case.regions.keys().cloned())
            .collect(),
    };
    regions.retain(|region| region != "0");
    regions.sort();
    regions.dedup();
    let mut means: Map<String, Json> = Map::new();
    let mut foreground: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut per_case: Vec<Map<String, Json>> = cases.iter().map(|_| Map::new()).collect();
    for region in &regions {
        let all: Vec<Metrics> = cases.iter().map(|case| metrics(case, region)).collect();
        let mut mean = Map::new();
        for index in 0..all.first().map_or(0, |first| first.len()) {
            let name = all[0][index].0;
            let value = nanmean(&all.iter().map(|one| one[index].1).collect::<Vec<_>>());
            mean.insert(name.to_owned(), json!(value));
            foreground.entry(name).or_default().push(value);
        }
        means.insert(region.clone(), Json::Object(mean));
        for (found, values) in per_case.iter_mut().zip(all) {
            let values = values
                .into_iter()
                .map(|(name, value)| (name.to_owned(), number(name, value)));
            found.insert(region.clone(), Json::Object(values.collect()));
        }
    }
    // As in v2, an undefined mean of one region makes that of all undefined.
    let foreground: Map<String, Json> = foreground
        .into_iter()
        .map(|(name, values)| {
            (
                name.to_owned(),
                json!(values.iter().sum::<f64>() / values.len() as f64),
            )
        })
        .collect();
    let per_case = cases.iter().zip(per_case).map(|(case, metrics)| {
        json!({ "metrics": metrics, "prediction_file": case.prediction, "reference_file": case.reference })
    });
    let mut summary = json!({
        "foreground_mean": foreground, "mean": means, "metric_per_case": per_case.collect::<Vec<_>>(),
    });
    if !failures.is_empty() {
        summary["failures"] = json!(failures);
    }
    write_python_json(path, &summary, bare_nan)
}

/// Counts are whole numbers in the file.
fn number(name: &str, value: f64) -> Json {
    match name {
        "Dice" | "IoU" => json!(value),
        _ => json!(value as u64),
    }
}
