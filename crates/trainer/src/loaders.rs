//! The data loaders of a run.

use loader::{Batch, Loader, Phase};
use run::{Cancel, Context, Event};
use serde_json::json;

use super::setup::Setup;
use crate::buffers::buffers_for;
use crate::local::LocalCases;
use crate::{Error, Result};
use settings::TrainOptions;

/// The running loaders of both phases.
pub(crate) struct Loaders {
    training: Loader,
    /// The first training batch, made before anything was written.
    first: Option<Batch>,
    pub validation: Loader,
    /// Removed after the loaders.
    _local: Option<LocalCases>,
    /// A line for the log about the loaders' memory.
    pub memory: String,
}

impl Loaders {
    /// Opens both loaders, reports their memory, starts them, and waits for the first batch. Training batches begin at `iteration` of
    /// `epoch`, or with the next epoch if this one's training iterations are finished. Validation batches
    /// begin with `epoch`.
    pub fn start(
        setup: &Setup,
        options: &TrainOptions,
        (epoch, iteration): (u64, u64),
        context: &Context,
    ) -> Result<Self> {
        let (first_epoch, first) = if iteration >= options.iterations {
            (epoch + 1, 0)
        } else {
            (epoch, iteration)
        };
        let local = LocalCases::copy(options, &setup.data, &setup.key, context)?;
        let open = |phase, epoch, iteration| {
            let mut options = setup.loader(options, phase, epoch, iteration);
            if let Some(local) = &local {
                options.folder.clone_from(&local.cases);
                options.previous_stage.clone_from(&local.previous_stage);
            }
            loader::PreparedLoader::open(&options, context).map_err(|e| loader_error(&e))
        };
        // Ranks stop together, between iterations.
        let open = |phase, epoch, iteration| match setup.ranks {
            1 => open(phase, epoch, iteration),
            _ => Ok(open(phase, epoch, iteration)?.with_cancel(Cancel::new())),
        };
        let training = open(Phase::Training, first_epoch, first)?;
        let validation = open(Phase::Validation, epoch, 0)?;
        let memory = report_memory(&training, &validation, context);
        let start = |prepared: loader::PreparedLoader| {
            let buffers = buffers_for(setup.compute.device);
            prepared.start(buffers).map_err(|e| loader_error(&e))
        };
        let (training, validation) = (start(training)?, start(validation)?);
        // After the last epoch's training iterations, only validation batches are left.
        let first = if first_epoch < options.epochs {
            Some(next_batch(&training)?)
        } else {
            None
        };
        Ok(Self {
            training,
            first,
            validation,
            _local: local,
            memory,
        })
    }

    /// The next training batch.
    pub fn next(&mut self) -> Result<Batch> {
        match self.first.take() {
            Some(batch) => Ok(batch),
            None => next_batch(&self.training),
        }
    }

    /// Gives the memory of a training batch back.
    pub fn recycle(&self, batch: Batch) {
        self.training.recycle(batch);
    }
}

/// The next batch of a loader.
pub(crate) fn next_batch(loader: &Loader) -> Result<Batch> {
    loader.next().map_err(|e| loader_error(&e))
}

/// Reports the memory of the loaders before they start. Returns a line for the log.
fn report_memory(
    training: &loader::PreparedLoader,
    validation: &loader::PreparedLoader,
    context: &Context,
) -> String {
    let bytes = training.estimated_bytes() + validation.estimated_bytes();
    let parts = json!({ "training": training.memory(), "validation": validation.memory() });
    let line = format!("loaders hold at most {bytes} bytes: {parts}");
    context.emit(Event::Memory {
        part: "loader",
        case: None,
        strategy: None,
        bytes: bytes as u64,
        parts,
    });
    line
}

/// Maps a cancelled loader to a cancelled run.
fn loader_error(error: &loader::Error) -> Error {
    match error {
        loader::Error::Cancelled(cancelled) => Error::Cancelled(*cancelled),
        other => other.clone().into(),
    }
}
