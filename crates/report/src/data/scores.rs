//! Scores of cases, and comparisons of them.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Fact, ViewCase};

/// A class of scores.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScoredClass {
    /// Label value; null for a union of labels.
    pub label: Option<i64>,
    /// Name of the class.
    pub name: String,
}

/// A metric of scores.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metric {
    /// Name in files, a member of `RegionMetrics`.
    pub key: String,
    /// Name for readers.
    pub name: String,
    /// Unit; empty without one.
    pub unit: String,
    /// Whether larger values are better.
    pub higher_is_better: bool,
}

/// Scores of one case.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScoredCase {
    /// Name of the case.
    pub name: String,
    /// Values by class, then by metric; null where undefined.
    pub values: Vec<Vec<Option<f64>>>,
}

/// Statistics of a metric of one class over the cases.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScoreSummary {
    /// Index of the class in `classes`.
    pub class: usize,
    /// Key of the metric.
    pub metric: String,
    /// Cases where the metric is defined.
    pub n: usize,
    /// Mean.
    pub mean: Option<f64>,
    /// Standard deviation (n - 1).
    pub sd: Option<f64>,
    /// Median.
    pub median: Option<f64>,
    /// Lower end of the bootstrap confidence interval of the mean.
    pub low: Option<f64>,
    /// Upper end of it.
    pub high: Option<f64>,
}

/// Scores of several cases.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Scores {
    /// The classes.
    pub classes: Vec<ScoredClass>,
    /// The metrics.
    pub metrics: Vec<Metric>,
    /// The cases, worst first.
    pub cases: Vec<ScoredCase>,
    /// Statistics by class and metric.
    pub summary: Vec<ScoreSummary>,
}

/// A folder of predictions.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Predictions {
    /// Always `predictions`.
    #[schemars(extend("const" = "predictions"))]
    pub kind: &'static str,
    /// Name of the folder.
    pub name: String,
    /// The folder.
    pub path: String,
    /// Folder of the references; null without them.
    pub reference: Option<String>,
    /// Number of cases and so on.
    pub facts: Vec<Fact>,
    /// Scores; null without a reference.
    pub scores: Option<Scores>,
    /// Cases to look at, worst first.
    pub cases: Vec<ViewCase>,
}

/// A metric of one class in two folders of predictions.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComparedMetric {
    /// Name of the class.
    pub class: String,
    /// Key of the metric.
    pub metric: String,
    /// Cases where it is defined in both.
    pub n: usize,
    /// Mean of the first.
    pub first: Option<f64>,
    /// Mean of the second.
    pub second: Option<f64>,
    /// Mean difference, second minus first.
    pub difference: Option<f64>,
    /// Lower end of its bootstrap confidence interval.
    pub low: Option<f64>,
    /// Upper end of it.
    pub high: Option<f64>,
    /// P-value of Wilcoxon's signed-rank test.
    pub p: Option<f64>,
    /// P-value adjusted for all rows (Holm).
    pub adjusted: Option<f64>,
    /// Matched-pairs rank-biserial correlation.
    pub effect: Option<f64>,
}

/// A metric of one class of one case in both folders.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComparedCase {
    /// Name of the class.
    pub class: String,
    /// Key of the metric.
    pub metric: String,
    /// Name of the case.
    pub case: String,
    /// Value of the first.
    pub first: Option<f64>,
    /// Value of the second.
    pub second: Option<f64>,
}

/// Paired comparison of two models or folders of predictions, as `compare` makes it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// Always `comparison`.
    #[schemars(extend("const" = "comparison"))]
    pub kind: &'static str,
    /// Name of the first.
    pub first: String,
    /// Name of the second.
    pub second: String,
    /// Tests by class and metric.
    pub rows: Vec<ComparedMetric>,
    /// Values by class, metric and case.
    pub pairs: Vec<ComparedCase>,
}
