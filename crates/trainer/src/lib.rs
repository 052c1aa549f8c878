//! Training of one fold (`nnUNetTrainerV2.run_training`).

mod background;
mod buffers;
mod clock;
mod curves;
mod error;
mod evaluation;
mod input;
mod loaders;
mod mean;
mod record;
mod resume;
mod run_loop;
mod session;
mod setup;
mod skipped_steps;
mod smaller;
mod start;
mod targets;
mod time_limit;

pub use error::{Error, Result};
pub use record::PROGRESS_FILE;

use std::time::Instant;

use engine::device_name;
use run::Context;
use settings::{TrainOptions, TrainSummary};

use run_loop::Run;
use setup::Setup;

/// Trains one fold of a configuration. Writes nnU-Net v1's files (checkpoints with their `.pkl`, `plans.pkl`,
/// `debug.json`, the training log) and `progress.jsonl`.
///
/// An epoch runs training batches and validation batches, sets the learning rate of the next epoch, and
/// updates the moving averages. It writes `model_best` if the average metric is the best so far, and
/// `model_latest` every `saveEvery` epochs. On cancellation, and on an error of the data, it writes
/// `model_latest`. `continue` resumes from it in the middle of the epoch. On a CPU with the same number of
/// threads, the result is bit-identical to an uninterrupted run.
///
/// # Errors
/// [`Error::Cancelled`]; [`Error::Diverged`] if the loss is not finite;
/// [`engine::Error::OutOfMemory`]; errors of options, plans, data and files.
pub fn train(options: &TrainOptions, context: &Context) -> Result<TrainSummary> {
    run::validate(options)?;
    let setup = Setup::new(options, context)?;
    train_as(&setup, options, context).map_err(|error| match error {
        Error::Engine(error) => Error::Engine(error.advise(|| {
            let plan = &setup.plan;
            smaller::advice(&setup.architecture, plan.batch_size, &plan.patch_size)
        })),
        other => other,
    })
}

/// Trains with a resolved setup.
fn train_as(setup: &Setup, options: &TrainOptions, context: &Context) -> Result<TrainSummary> {
    let started = Instant::now();
    tch::set_num_threads(i32::try_from(context.workers()).unwrap_or(1));
    setup.compute.set_math(options.deterministic)?;
    let mut run = Run::open(options, setup, context)?;
    run.finish()?;
    let last = run.last_epoch();
    Ok(TrainSummary {
        folder: run.folder().to_owned(),
        checkpoint: run.checkpoint_path(run::CheckpointKind::Final),
        epochs: run.epochs(),
        train_loss: last.as_ref().and_then(|r| r.train_loss),
        validation_loss: last.as_ref().and_then(|r| r.validation_loss),
        dice: last.map(|r| r.dice.clone()).unwrap_or_default(),
        device: device_name(setup.compute.device),
        precision: setup.compute.precision_name().to_owned(),
        seconds: started.elapsed().as_secs_f64(),
    })
}

#[cfg(test)]
mod tests;
