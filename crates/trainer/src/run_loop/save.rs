//! Checkpoints of a run.

use std::path::PathBuf;

use dataset::results::{BEST_CHECKPOINT, FINAL_CHECKPOINT, LATEST_CHECKPOINT};
use run::{CheckpointKind, Context, Event};
use serde_json::Value;

use super::Run;
use crate::resume::conditions;
use crate::setup::learning_rate;
use crate::{Error, Result};
use engine::checkpoint::{Checkpoint, Info, Position};

/// A checkpoint that is not written yet.
struct Snapshot {
    checkpoint: Checkpoint,
    info: Info,
    path: PathBuf,
    kind: CheckpointKind,
    context: Context,
}

impl Snapshot {
    fn write(self) -> Result<()> {
        // The small file first: once the large one exists, the checkpoint is complete.
        self.info.write(&self.path.with_extension("model.pkl"))?;
        self.checkpoint.write(&self.path)?;
        self.context.emit(Event::Checkpoint {
            path: self.path,
            kind: self.kind,
        });
        Ok(())
    }
}

impl Run<'_> {
    /// Path of a checkpoint.
    pub fn checkpoint_path(&self, kind: CheckpointKind) -> PathBuf {
        self.fold.checkpoint(match kind {
            CheckpointKind::Latest => LATEST_CHECKPOINT,
            CheckpointKind::Best => BEST_CHECKPOINT,
            CheckpointKind::Final => FINAL_CHECKPOINT,
        })
    }

    /// Writes a checkpoint of the current state.
    /// The first rank writes for all.
    pub(super) fn save(&self, kind: CheckpointKind) -> Result<()> {
        if !self.ranks.is_first() {
            return Ok(());
        }
        let before = self.checkpoints.finish();
        self.snapshot(kind)?.write()?;
        before
    }

    /// Writes a checkpoint of the current state while the training continues. An error appears at the next
    /// checkpoint.
    pub(super) fn save_beside(&self, kind: CheckpointKind) -> Result<()> {
        if !self.ranks.is_first() {
            return Ok(());
        }
        // First, so that there is only one copy of the state at a time.
        self.checkpoints.finish()?;
        let snapshot = self.snapshot(kind)?;
        let path = snapshot.path.clone();
        self.checkpoints.start(&path, move || snapshot.write())
    }

    /// A copy of the current state.
    fn snapshot(&self, kind: CheckpointKind) -> Result<Snapshot> {
        let options = self.options;
        let rate = learning_rate(options, self.epochs());
        let checkpoint = Checkpoint {
            epochs: self.epochs(),
            state: self.session.network.state()?,
            optimizer: Some(self.session.optimizer_state(rate)?),
            curves: self.curves.clone(),
            best: self.averages.best,
            loss_scale: self.session.loss_scale,
            position: Some(Position {
                seed: options.data.seed,
                iteration: self.iteration,
                losses: (self.losses.sum, self.losses.count),
                norms: (self.measures.norms.sum, self.measures.norms.count),
                options: Value::Object(conditions(options, self.setup, self.context)).to_string(),
            }),
        };
        Ok(Snapshot {
            checkpoint,
            info: self.setup.info.clone(),
            path: self.checkpoint_path(kind),
            kind,
            context: self.context.clone(),
        })
    }

    /// Removes the latest checkpoint, which the final one supersedes.
    pub(super) fn remove_latest(&self) -> Result<()> {
        if !self.ranks.is_first() {
            return Ok(());
        }
        for path in [
            self.checkpoint_path(CheckpointKind::Latest),
            self.fold.checkpoint_info(LATEST_CHECKPOINT),
        ] {
            if path.exists() {
                std::fs::remove_file(&path).map_err(|e| Error::io(&path, e))?;
            }
        }
        Ok(())
    }
}
