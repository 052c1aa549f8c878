//! Events that a verb reports.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::CaseFailure;

/// Receives the events of a verb. Any thread may call it.
pub trait Sink: Send + Sync {
    /// Receives one event. Must return quickly, because the verb waits for it.
    fn emit(&self, event: Event);
}

/// Discards every event.
pub struct NullSink;

impl Sink for NullSink {
    fn emit(&self, _: Event) {}
}

/// The kind of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CheckpointKind {
    /// `model_latest`: the state to resume from.
    Latest,
    /// `model_best`: the best moving average of the validation metric.
    Best,
    /// `model_final_checkpoint`: the end of the training.
    Final,
}

/// Measurements of one training epoch. Of an epoch that was interrupted and continued, times, rates and the
/// norm of the gradients are those after the interruption.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EpochReport {
    /// The finished epoch, counted from 0.
    pub epoch: u64,
    /// Total epochs of the schedule.
    pub epochs: u64,
    /// Mean training loss; null if no training batch had an annotated voxel.
    pub train_loss: Option<f64>,
    /// Mean validation loss; null if no validation batch had an annotated voxel.
    pub validation_loss: Option<f64>,
    /// Online Dice of each foreground class on validation patches; null if the class did not occur.
    pub dice: Vec<Option<f64>>,
    /// Whether the moving average of the metric is the best so far. If so, `model_best` is written.
    pub best: bool,
    /// Learning rate of this epoch.
    pub learning_rate: f64,
    /// Wall time of this epoch in seconds.
    pub seconds: f64,
    /// Estimated remaining time in seconds.
    pub seconds_left: f64,
    /// Share of the epoch's time that was spent waiting for batches of the loaders, from 0 to 1.
    pub wait_share: f64,
    /// Training iterations in a second, without validation.
    pub iterations_per_second: f64,
    /// Mean norm of the gradients before clipping, over the iterations where it is finite; null without any.
    pub gradient_norm: Option<f64>,
    /// Memory of this process at the end of the epoch in bytes; null if the system does not report it.
    pub host_memory: Option<u64>,
    /// Largest memory that libtorch has taken on the device since the start, in bytes; null on CPU.
    pub device_memory: Option<u64>,
}

/// Whole-case validation of a fold.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValidationReport {
    /// Folder of the segmentations and of `summary.json`: `validation_raw`.
    pub folder: PathBuf,
    /// Mean Dice of each foreground class over the cases; null if it occurs in none.
    pub dice: Vec<Option<f64>>,
    /// The cases, in order.
    pub cases: Vec<ValidatedCase>,
    /// Labels that keep only their largest component, in order; null if that was not determined. A list of several
    /// labels is their union. `postprocessing.json` holds the same.
    pub postprocessing: Option<Vec<Vec<i16>>>,
    /// Mean Dice of each foreground class after postprocessing; null if it was not determined.
    pub postprocessed_dice: Option<Vec<Option<f64>>>,
    /// Cases that failed while the others continued.
    pub failures: Vec<CaseFailure>,
}

/// Scores of one case of a validation.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValidatedCase {
    /// The case.
    pub case: String,
    /// Dice of each foreground class; null if neither reference nor segmentation has it.
    pub dice: Vec<Option<f64>>,
}

/// An event of a running verb. Serialises as `{ "type": "progress", ... }` in camelCase.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    /// The verb starts.
    Started {
        /// Name of the verb, as on the command line.
        verb: &'static str,
        /// Decisions made before the start (device, precision, memory), as JSON.
        #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
        settings: serde_json::Value,
    },
    /// `done` of `total` units are finished.
    Progress {
        /// Finished units.
        done: u64,
        /// Total units.
        total: u64,
        /// Name of the unit: `cases`, `tiles`, `iterations`.
        unit: &'static str,
        /// The case, if the event concerns one.
        case: Option<String>,
    },
    /// A training iteration finished.
    Iteration {
        /// Epoch, counted from 0.
        epoch: u64,
        /// Total epochs of the schedule.
        epochs: u64,
        /// Iteration in the epoch, counted from 0.
        iteration: u64,
        /// Training iterations per epoch.
        iterations: u64,
        /// Loss of this iteration.
        loss: f64,
        /// Estimated remaining time of the whole run in seconds.
        seconds_left: f64,
    },
    /// A training epoch finished.
    Epoch(EpochReport),
    /// The fold's validation cases were segmented and evaluated.
    Validation(ValidationReport),
    /// A checkpoint was completely written.
    Checkpoint {
        /// The `.model` file.
        path: PathBuf,
        /// Its kind.
        kind: CheckpointKind,
    },
    /// Upper bound of the memory of one part of the verb, known before it starts.
    Memory {
        /// Name of the part: `loader`, or `prediction` of a case.
        part: &'static str,
        /// The case, if the event concerns one.
        case: Option<String>,
        /// How a softmax is computed: `whole`, or in `slabs` of planes; null for other parts.
        strategy: Option<&'static str>,
        /// Upper bound in bytes.
        bytes: u64,
        /// Composition of the bound in bytes, as JSON.
        #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
        parts: serde_json::Value,
    },
    /// A problem that does not stop the verb.
    Warning {
        /// Stable identifier such as `WARN_SINGLE_CASE`.
        code: &'static str,
        /// The problem and the remedy.
        message: String,
        /// The case, if the event concerns one.
        case: Option<String>,
    },
}

/// The kind of an event: its `type` in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// [`Event::Started`].
    Started,
    /// [`Event::Progress`].
    Progress,
    /// [`Event::Iteration`].
    Iteration,
    /// [`Event::Epoch`].
    Epoch,
    /// [`Event::Validation`].
    Validation,
    /// [`Event::Checkpoint`].
    Checkpoint,
    /// [`Event::Memory`].
    Memory,
    /// [`Event::Warning`].
    Warning,
}

impl EventKind {
    /// The value of `type` in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Progress => "progress",
            Self::Iteration => "iteration",
            Self::Epoch => "epoch",
            Self::Validation => "validation",
            Self::Checkpoint => "checkpoint",
            Self::Memory => "memory",
            Self::Warning => "warning",
        }
    }
}

impl Event {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Started { .. } => EventKind::Started,
            Self::Progress { .. } => EventKind::Progress,
            Self::Iteration { .. } => EventKind::Iteration,
            Self::Epoch(_) => EventKind::Epoch,
            Self::Validation(_) => EventKind::Validation,
            Self::Checkpoint { .. } => EventKind::Checkpoint,
            Self::Memory { .. } => EventKind::Memory,
            Self::Warning { .. } => EventKind::Warning,
        }
    }
}
