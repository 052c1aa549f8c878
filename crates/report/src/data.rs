//! Data of a report: what the page reads.

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

/// A trained model, one of its folds, or the runs of several of them.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// Always `model`.
    #[schemars(extend("const" = "model"))]
    pub kind: &'static str,
    /// Name of the model or fold.
    pub name: String,
    /// Its folder.
    pub path: String,
    /// Task, trainer, seed, device, time and so on.
    pub facts: Vec<Fact>,
    /// The recipe of the training as a sentence; empty if it is not recorded.
    pub recipe: String,
    /// Command that repeats the training; empty if it is not recorded.
    pub command: String,
    /// Curves of each fold or run, laid over one another.
    pub runs: Vec<Run>,
    /// Scores of the validation cases; null without a validation.
    pub scores: Option<Scores>,
    /// Validation cases to look at, worst first.
    pub cases: Vec<ViewCase>,
}

/// State of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RunState {
    /// A process writes to it.
    Running,
    /// No process writes to it, and it is not finished.
    Stopped,
    /// The final checkpoint is there.
    Finished,
}

/// Curves of one run.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Name of the run, such as `fold_0`.
    pub name: String,
    /// Finished epochs, counted from 0: the x values of every series.
    pub epochs: Vec<u64>,
    /// The curves.
    pub series: Vec<Series>,
    /// First epochs after an interruption.
    pub resumptions: Vec<u64>,
    /// State of the run.
    pub state: RunState,
}

/// What a curve shows. Curves of one group share a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SeriesGroup {
    /// Training and validation loss.
    Loss,
    /// Online Dice of each class.
    Dice,
    /// Learning rate.
    LearningRate,
    /// Time of an epoch.
    Time,
    /// Share of the time that was spent waiting for data.
    Wait,
    /// Memory of the process and of the device.
    Memory,
    /// Norm of the gradients.
    Gradient,
}

/// A curve: one value for each epoch of its run.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Series {
    /// Name of the curve.
    pub name: String,
    /// What it shows.
    pub group: SeriesGroup,
    /// Class of the curve; null for curves of no single class.
    pub class: Option<String>,
    /// Unit of the values; empty without one.
    pub unit: String,
    /// Values; null where the value is undefined.
    pub values: Vec<Option<f64>>,
}

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

/// A label of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViewLabel {
    /// Value.
    pub value: i64,
    /// Name.
    pub name: String,
}

/// A case to look at: the part of its image where something is.
///
/// Arrays of three have the order z, y, x unless said otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViewCase {
    /// Name of the case.
    pub name: String,
    /// Drawn voxels.
    pub shape: [usize; 3],
    /// First voxel of the crop in the image.
    pub offset: [usize; 3],
    /// Voxels of the image.
    pub full: [usize; 3],
    /// Distance of drawn voxels in mm.
    pub spacing: [f64; 3],
    /// Voxels of the image for one drawn voxel; above 1 where the image was thinned to fit the size limit. Drawn voxel
    /// `i` is voxel `offset + step * i` of the image.
    pub step: [usize; 3],
    /// Row-major matrix from a drawn voxel (x, y, z, 1) to millimetres (LPS).
    pub affine: [f64; 16],
    /// Labels that occur in the layers, without the background.
    pub labels: Vec<ViewLabel>,
    /// Layers, each with as many bytes as there are drawn voxels.
    pub layers: Vec<Layer>,
    /// Mean Dice of the classes; null without a reference.
    pub score: Option<f64>,
    /// A drawn voxel in the middle of the largest connected error; null without one.
    pub largest_error: Option<[usize; 3]>,
    /// Compressed bytes of all layers.
    pub bytes: u64,
}

/// Role of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LayerRole {
    /// Intensities.
    Image,
    /// Labels of the reference.
    Reference,
    /// Labels of the prediction.
    Prediction,
    /// Weights of voxels.
    Weightmap,
}

/// A layer of a case: bytes in C order (z, y, x), compressed with gzip.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Layer {
    /// Its role.
    pub role: LayerRole,
    /// Name for readers.
    pub name: String,
    /// Number of its blob.
    pub blob: usize,
    /// Always `uint8`.
    #[serde(rename = "type")]
    #[schemars(extend("const" = "uint8"))]
    pub element: &'static str,
    /// A value is `slope * byte + intercept`.
    pub slope: f64,
    /// A value is `slope * byte + intercept`.
    pub intercept: f64,
    /// Values that are drawn black and white at first.
    pub window: [f64; 2],
    /// Whether the values are Hounsfield units.
    pub ct: bool,
    /// Byte that means -1 (unlabelled); null for layers without labels, and without unlabelled voxels.
    pub unlabelled: Option<u8>,
}
