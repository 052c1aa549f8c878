//! Metrics of one region in one case.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::LesionCounts;
use crate::scores::present;

/// A metric in tables.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    /// Name of the member.
    pub key: &'static str,
    /// Name for readers.
    pub title: &'static str,
    /// Whether it measures the quality of a prediction, so that predictions are compared by it.
    pub quality: bool,
    /// The value, if it was computed.
    pub value: fn(&RegionMetrics) -> Option<f64>,
}

macro_rules! metrics {
    ($($(#[$documentation:meta])* $field:ident = $key:literal, $title:literal, $quality:literal;)*) => {
        /// Metrics of one region in one case. Those of groups that were not requested are absent; undefined
        /// ones are null.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct RegionMetrics {
            $($(#[$documentation])*
            #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
            pub $field: Option<f64>,)*
            /// Lesions by size, from small to large.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub lesions_by_size: Option<Vec<LesionCounts>>,
        }

        /// Every metric, in the order of tables.
        pub(crate) const COLUMNS: &[Column] = &[
            $(Column { key: $key, title: $title, quality: $quality, value: |metrics| metrics.$field },)*
        ];
    };
}

metrics! {
    /// Dice of voxels, as in `summary.json`. Null if neither segmentation has the region.
    dice = "dice", "Dice", true;
    /// 95th percentile of surface distances in mm (`surface-distance`), by area of the surface: the
    /// larger one of both directions. Null if either segmentation lacks the region. This is not the
    /// "Hausdorff Distance 95" of nnU-Net v1, which counts voxels and takes both directions together.
    hd95 = "hd95", "HD95 (mm)", true;
    /// Average symmetric surface distance in mm: mean over both surfaces, by area. Null if either
    /// segmentation lacks the region.
    assd = "assd", "ASSD (mm)", true;
    /// Normalised surface Dice (`surface-distance`): share of both surfaces, by area, at most
    /// `surfaceTolerance` from the other one. 0 if one segmentation lacks the region, null if both do.
    surface_dice = "surfaceDice", "Surface Dice", true;
    /// Volume of the reference in mm³.
    reference_volume = "referenceVolume", "Reference volume (mm³)", false;
    /// Volume of the prediction in mm³.
    predicted_volume = "predictedVolume", "Predicted volume (mm³)", false;
    /// Volume of the prediction minus that of the reference, in mm³.
    volume_error = "volumeError", "Volume error (mm³)", false;
    /// `volumeError` / `referenceVolume`. Null if the reference lacks the region.
    relative_volume_error = "relativeVolumeError", "Relative volume error", false;
    /// `relativeVolumeError` without its sign.
    absolute_relative_volume_error = "absoluteRelativeVolumeError", "Absolute relative volume error", true;
    /// Lesions (connected components) of the reference.
    reference_lesions = "referenceLesions", "Reference lesions", false;
    /// Lesions of the reference that the prediction overlaps by more than `lesionOverlap`.
    detected_lesions = "detectedLesions", "Detected lesions", false;
    /// Lesions of the prediction.
    predicted_lesions = "predictedLesions", "Predicted lesions", false;
    /// Lesions of the prediction that the reference overlaps by more than `lesionOverlap`.
    correct_lesions = "correctLesions", "Correct lesions", false;
    /// `detectedLesions` / `referenceLesions`. Null if the reference has none.
    lesion_sensitivity = "lesionSensitivity", "Lesion sensitivity", true;
    /// `correctLesions` / `predictedLesions`. Null if the prediction has none.
    lesion_precision = "lesionPrecision", "Lesion precision", true;
    /// Harmonic mean of sensitivity and precision of lesions. 0 if only one segmentation has lesions,
    /// null if neither has.
    lesion_f1 = "lesionF1", "Lesion F1", true;
    /// Expected calibration error of the probability of the region. Null without a softmax, or if its
    /// network predicts regions instead of classes.
    calibration_error = "calibrationError", "Calibration error", true;
}

/// Name for readers of a metric, a member of [`RegionMetrics`].
#[must_use]
pub fn metric_title(key: &str) -> Option<&'static str> {
    let column = COLUMNS.iter().find(|column| column.key == key)?;
    Some(column.title)
}

impl RegionMetrics {
    /// The metric with this name, if it was computed; NaN if it is undefined.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<f64> {
        let column = COLUMNS.iter().find(|column| column.key == key)?;
        (column.value)(self)
    }
}

/// Metrics of one case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EvaluateReportCase")]
pub struct CaseMetrics {
    /// Name of the case.
    pub case: String,
    /// Expected calibration error of the predicted class, over all classes. Absent unless requested;
    /// null without a softmax, or if its network predicts regions instead of classes.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub calibration_error: Option<f64>,
    /// Metrics by region.
    pub regions: BTreeMap<String, RegionMetrics>,
}

impl CaseMetrics {
    /// Every computed value, by region and metric. The calibration error of all classes has no region.
    pub(crate) fn values(&self) -> Vec<((Option<String>, usize), f64)> {
        let mut values = Vec::new();
        let last = COLUMNS.len() - 1;
        if let Some(error) = self.calibration_error {
            values.push(((None, last), error));
        }
        for (region, metrics) in &self.regions {
            let computed = COLUMNS
                .iter()
                .enumerate()
                .filter_map(|(i, column)| Some((i, (column.value)(metrics)?)));
            values.extend(computed.map(|(i, value)| ((Some(region.clone()), i), value)));
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_tables_are_the_members() {
        let metrics = RegionMetrics {
            dice: Some(f64::NAN),
            hd95: Some(1.0),
            ..RegionMetrics::default()
        };
        assert_eq!(
            serde_json::to_string(&metrics).unwrap(),
            r#"{"dice":null,"hd95":1.0}"#
        );
        let schema = run::schema_of::<RegionMetrics>();
        let members = schema["properties"].as_object().unwrap();
        assert_eq!(members.len(), COLUMNS.len() + 1);
        assert!(COLUMNS.iter().all(|column| members.contains_key(column.key)));
        assert_eq!(COLUMNS[COLUMNS.len() - 1].key, "calibrationError");
    }
}
