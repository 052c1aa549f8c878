//! Metrics of one region.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Metrics of one region in one case, or their means over cases, with nnU-Net's names.
///
/// An undefined metric is NaN, and null in JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "LabelMetrics")]
pub struct Scores {
    /// (TP + TN) / all.
    #[serde(rename = "Accuracy", deserialize_with = "number")]
    pub accuracy: f64,
    /// 2 TP / (2 TP + FP + FN); undefined if neither segmentation contains the region.
    #[serde(rename = "Dice", deserialize_with = "number")]
    pub dice: f64,
    /// 1 - precision.
    #[serde(rename = "False Discovery Rate", deserialize_with = "number")]
    pub false_discovery_rate: f64,
    /// 1 - recall.
    #[serde(rename = "False Negative Rate", deserialize_with = "number")]
    pub false_negative_rate: f64,
    /// FN / (FN + TN); undefined if every voxel of the prediction belongs to the region.
    #[serde(rename = "False Omission Rate", deserialize_with = "number")]
    pub false_omission_rate: f64,
    /// 1 - true negative rate.
    #[serde(rename = "False Positive Rate", deserialize_with = "number")]
    pub false_positive_rate: f64,
    /// 95th percentile of the distances between both surfaces in mm. Absent unless requested; undefined if
    /// either segmentation is empty or full, or has no surface between labelled voxels.
    #[serde(
        rename = "Hausdorff Distance 95",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub hausdorff_distance_95: Option<f64>,
    /// TP / (TP + FP + FN); undefined if neither segmentation contains the region.
    #[serde(rename = "Jaccard", deserialize_with = "number")]
    pub jaccard: f64,
    /// 1 - false omission rate.
    #[serde(rename = "Negative Predictive Value", deserialize_with = "number")]
    pub negative_predictive_value: f64,
    /// TP / (TP + FP); undefined if the prediction lacks the region.
    #[serde(rename = "Precision", deserialize_with = "number")]
    pub precision: f64,
    /// TP / (TP + FN); undefined if the reference lacks the region.
    #[serde(rename = "Recall", deserialize_with = "number")]
    pub recall: f64,
    /// Number of voxels of the region in the reference.
    #[serde(
        rename = "Total Positives Reference",
        deserialize_with = "number",
        serialize_with = "count"
    )]
    pub total_positives_reference: f64,
    /// Number of voxels of the region in the prediction.
    #[serde(
        rename = "Total Positives Test",
        deserialize_with = "number",
        serialize_with = "count"
    )]
    pub total_positives_test: f64,
    /// TN / (TN + FP); undefined if every voxel of the reference belongs to the region.
    #[serde(rename = "True Negative Rate", deserialize_with = "number")]
    pub true_negative_rate: f64,
}

/// Reads null as NaN.
pub(crate) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// Reads null as NaN if the key exists.
pub(crate) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    number(deserializer).map(Some)
}

/// Writes a whole number without a fraction, as nnU-Net writes counts.
fn count<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    // Up to 2^53 a float64 holds every count exactly.
    if value.fract() == 0.0 && value.abs() < 9e15 {
        serializer.serialize_u64(*value as u64)
    } else {
        serializer.serialize_f64(*value)
    }
}

impl Scores {
    /// The same counts, with every metric undefined.
    pub(crate) fn undefined(&self) -> Self {
        let nothing = f64::NAN;
        Self {
            accuracy: nothing,
            dice: nothing,
            false_discovery_rate: nothing,
            false_negative_rate: nothing,
            false_omission_rate: nothing,
            false_positive_rate: nothing,
            hausdorff_distance_95: self.hausdorff_distance_95.map(|_| nothing),
            jaccard: nothing,
            negative_predictive_value: nothing,
            precision: nothing,
            recall: nothing,
            true_negative_rate: nothing,
            ..self.clone()
        }
    }

    /// Returns the metrics in a fixed order, for averaging.
    pub(crate) fn values(&self) -> [f64; 14] {
        [
            self.accuracy,
            self.dice,
            self.false_discovery_rate,
            self.false_negative_rate,
            self.false_omission_rate,
            self.false_positive_rate,
            self.hausdorff_distance_95.unwrap_or(f64::NAN),
            self.jaccard,
            self.negative_predictive_value,
            self.precision,
            self.recall,
            self.total_positives_reference,
            self.total_positives_test,
            self.true_negative_rate,
        ]
    }

    /// The inverse of [`Scores::values`]. `hausdorff` is true if that metric was requested.
    pub(crate) fn from_values(values: [f64; 14], hausdorff: bool) -> Self {
        let [accuracy, dice, fdr, fnr, fomr, fpr, hd95, jaccard, npv, precision, recall, reference, test, tnr] =
            values;
        Self {
            accuracy,
            dice,
            false_discovery_rate: fdr,
            false_negative_rate: fnr,
            false_omission_rate: fomr,
            false_positive_rate: fpr,
            hausdorff_distance_95: hausdorff.then_some(hd95),
            jaccard,
            negative_predictive_value: npv,
            precision,
            recall,
            total_positives_reference: reference,
            total_positives_test: test,
            true_negative_rate: tnr,
        }
    }
}
