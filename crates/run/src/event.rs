//! The typed events that a verb reports.

use std::path::PathBuf;

use serde::Serialize;

/// Receives the events of a verb; called from any of its threads.
pub trait Sink: Send + Sync {
    /// Takes one event. Must not block for long: the verb waits meanwhile.
    fn emit(&self, event: Event);
}

/// Discards every event.
pub struct NullSink;

impl Sink for NullSink {
    fn emit(&self, _: Event) {}
}

/// Which checkpoint of a fold was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CheckpointKind {
    /// `model_latest`: to resume from.
    Latest,
    /// `model_best`: best moving average of the validation metric.
    Best,
    /// `model_final_checkpoint`: the finished fold.
    Final,
}

/// What one training epoch measured.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EpochReport {
    /// Epoch just finished, counted from 0.
    pub epoch: u64,
    /// Epochs in the whole schedule.
    pub epochs: u64,
    /// Mean training loss.
    pub train_loss: f64,
    /// Mean validation loss; null where no validation batch had an annotated voxel.
    pub validation_loss: Option<f64>,
    /// Online Dice of each foreground class on validation patches; null where the class never occurred.
    pub dice: Vec<Option<f64>>,
    /// Whether the moving average of the metric is the best so far: `model_best` is written.
    pub best: bool,
    /// Learning rate used.
    pub learning_rate: f64,
    /// Wall time of this epoch in seconds.
    pub seconds: f64,
    /// Estimated wall time left in seconds.
    pub seconds_left: f64,
}

/// Something a verb reports while it runs. Serialises as `{ "type": "progress", ... }` in camelCase.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    /// Work begins.
    Started {
        /// The verb, as on the command line.
        verb: &'static str,
        /// What was decided before the start (device, precision, memory), as JSON.
        #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
        settings: serde_json::Value,
    },
    /// `done` of `total` units are finished.
    Progress {
        /// Units finished.
        done: u64,
        /// Units in all.
        total: u64,
        /// What a unit is: `cases`, `tiles`, `iterations`.
        unit: &'static str,
        /// The case concerned, where there is one.
        case: Option<String>,
    },
    /// A training iteration finished.
    Iteration {
        /// Epoch, counted from 0.
        epoch: u64,
        /// Epochs in the whole schedule.
        epochs: u64,
        /// Iteration in the epoch, counted from 0.
        iteration: u64,
        /// Training iterations in an epoch.
        iterations: u64,
        /// Loss of this iteration.
        loss: f64,
        /// Estimated wall time left in seconds for the whole run.
        seconds_left: f64,
    },
    /// A training epoch finished.
    Epoch(EpochReport),
    /// A checkpoint was written, whole.
    Checkpoint {
        /// The `.model` file.
        path: PathBuf,
        /// Which one.
        kind: CheckpointKind,
    },
    /// Memory that a part of the verb will hold at most, known before it starts.
    Memory {
        /// The part: `loader`.
        part: &'static str,
        /// Bytes at most.
        bytes: u64,
        /// What they are for, in bytes, as JSON.
        #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
        parts: serde_json::Value,
    },
    /// Something the user should know that does not stop the verb.
    Warning {
        /// Stable identifier such as `WARN_SINGLE_CASE`.
        code: &'static str,
        /// What was found, and what to do.
        message: String,
        /// The case concerned, where there is one.
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
            Self::Checkpoint { .. } => EventKind::Checkpoint,
            Self::Memory { .. } => EventKind::Memory,
            Self::Warning { .. } => EventKind::Warning,
        }
    }
}
