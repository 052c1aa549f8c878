//! Data of a task: findings, tables, histograms and sizes.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Fact, ViewCase};

/// Weight of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// It must be repaired.
    Error,
    /// It may be a mistake.
    Warning,
    /// It is worth knowing.
    Note,
}

/// A problem that `check` found.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Its weight.
    pub severity: Severity,
    /// Kind of the problem, as `check` names it.
    pub code: String,
    /// The case, if it concerns one.
    pub case: Option<String>,
    /// The problem and the remedy.
    pub message: String,
}

impl Finding {
    /// The failure of a case.
    pub(crate) fn failed(failure: &run::CaseFailure) -> Self {
        Self {
            severity: Severity::Error,
            code: failure.code.clone(),
            case: Some(failure.case.clone()),
            message: failure.message.clone(),
        }
    }
}

/// A histogram.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Histogram {
    /// What is counted.
    pub name: String,
    /// Unit of the edges.
    pub unit: String,
    /// Edges of the bins, one more than counts.
    pub edges: Vec<f64>,
    /// Counts.
    pub counts: Vec<u64>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Column {
    /// Name of the column.
    pub name: String,
    /// Unit of its values; empty without one.
    pub unit: String,
}

/// A value of a table.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Cell {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Nothing.
    None(()),
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Name of the case.
    pub case: String,
    /// Values, one a column.
    pub values: Vec<Cell>,
}

/// A table with one row a case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// Columns besides the case.
    pub columns: Vec<Column>,
    /// Rows.
    pub rows: Vec<Row>,
}

/// The planned patch of a configuration.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Patch {
    /// Name of the configuration.
    pub configuration: String,
    /// Size in voxels along the axes of the network; two values in 2D.
    pub patch: Vec<usize>,
    /// Spacing in mm along the same axes.
    pub spacing: Vec<f64>,
    /// Axis of the image (0 is z, 1 is y, 2 is x) for each of these axes.
    pub axes: Vec<usize>,
    /// Samples of a batch.
    pub batch: usize,
}

/// Extent of a case.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaseSize {
    /// Name of the case.
    pub case: String,
    /// Extent in mm along the axes of the image (z, y, x).
    pub size: [f64; 3],
}

/// A raw or preprocessed task.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// Always `task`.
    #[schemars(extend("const" = "task"))]
    pub kind: &'static str,
    /// Name of the task.
    pub name: String,
    /// Its folder.
    pub path: String,
    /// Numbers of cases, channels, labels, and the fingerprint.
    pub facts: Vec<Fact>,
    /// What `check` found.
    pub findings: Vec<Finding>,
    /// Histograms of spacing, size and annotated share.
    pub histograms: Vec<Histogram>,
    /// Size, spacing, volume of each label and annotated share of each case.
    pub table: Table,
    /// The planned patches; empty before planning.
    pub patches: Vec<Patch>,
    /// Extents of the cases.
    pub sizes: Vec<CaseSize>,
    /// Cases to look at.
    pub cases: Vec<ViewCase>,
}
