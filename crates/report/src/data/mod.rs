//! Data of a report: what the page reads.

mod model;
mod scores;
mod task;
mod view;

pub use model::{Model, Run, RunState, Series, SeriesGroup};
pub use scores::{
    ComparedCase, ComparedMetric, Comparison, Metric, Predictions, ScoreSummary, ScoredCase, ScoredClass,
    Scores,
};
pub use task::{CaseSize, Cell, Column, Finding, Histogram, Patch, Row, Severity, Table, Task};
pub use view::{Layer, LayerRole, ViewCase, ViewLabel};

use schemars::JsonSchema;
use serde::Serialize;

/// Version of these data. The page shows no other.
pub const VERSION: u32 = 1;

/// Data of a report.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Version of the data.
    pub version: u32,
    /// Title of the page.
    pub title: String,
    /// Time when the data were collected (UTC, ISO 8601).
    pub made: String,
    /// Name and version of this program.
    pub program: String,
    /// Number of cases whose images are left out, because not even small ones fit the size limit.
    pub cases_left_out: usize,
    /// Sections, in order.
    pub sections: Vec<Section>,
}

/// A section of a report, distinguished by `kind`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Section {
    /// A trained model or fold.
    Model(Model),
    /// A raw or preprocessed task.
    Task(Task),
    /// A folder of predictions.
    Predictions(Predictions),
    /// A paired comparison of two models or folders.
    Comparison(Comparison),
}

/// A fact, as text for readers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fact {
    /// Name of the fact.
    pub name: String,
    /// Its value.
    pub value: String,
}
