//! The data loaders of a run.

use loader::{Batch, Loader, Phase};
use run::{Context, Event};
use serde_json::json;

use super::record::Log;
use super::setup::Setup;
use crate::buffers::buffers_for;
use crate::{Error, Result};
use settings::TrainOptions;

/// The running loaders of both phases.
pub(crate) struct Loaders {
    pub training: Loader,
    pub validation: Loader,
}

impl Loaders {
    /// Opens both loaders, reports their memory, and starts them. Training batches begin at `iteration` of
    /// `epoch`, or with the next epoch if this one's training iterations are finished. Validation batches
    /// begin with `epoch`.
    pub fn start(
        setup: &Setup,
        options: &TrainOptions,
        (epoch, iteration): (u64, u64),
        context: &Context,
        log: &Log,
    ) -> Result<Self> {
        let (first_epoch, first) = if iteration >= options.iterations {
            (epoch + 1, 0)
        } else {
            (epoch, iteration)
        };
        let open = |phase, epoch, iteration| {
            let options = setup.loader(options, phase, epoch, iteration);
            loader::PreparedLoader::open(&options, context).map_err(|e| loader_error(&e))
        };
        let training = open(Phase::Training, first_epoch, first)?;
        let validation = open(Phase::Validation, epoch, 0)?;
        report_memory(&training, &validation, context, log);
        let start = |prepared: loader::PreparedLoader| {
            let buffers = buffers_for(setup.compute.device);
            prepared.start(buffers).map_err(|e| loader_error(&e))
        };
        Ok(Self {
            training: start(training)?,
            validation: start(validation)?,
        })
    }
}

/// The next batch of a loader.
pub(crate) fn next_batch(loader: &Loader) -> Result<Batch> {
    loader.next().map_err(|e| loader_error(&e))
}

/// Reports the memory of the loaders before they start.
fn report_memory(
    training: &loader::PreparedLoader,
    validation: &loader::PreparedLoader,
    context: &Context,
    log: &Log,
) {
    let bytes = training.estimated_bytes() + validation.estimated_bytes();
    let parts = json!({ "training": training.memory(), "validation": validation.memory() });
    log.line(&format!("loaders hold at most {bytes} bytes: {parts}"));
    context.emit(Event::Memory {
        part: "loader",
        bytes: bytes as u64,
        parts,
    });
}

/// Maps a cancelled loader to a cancelled run.
fn loader_error(error: &loader::Error) -> Error {
    match error {
        loader::Error::Cancelled(cancelled) => Error::Cancelled(*cancelled),
        other => other.clone().into(),
    }
}
