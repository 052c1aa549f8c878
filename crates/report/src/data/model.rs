//! Data of a trained model: its runs and their curves.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Fact, Scores, ViewCase};

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
