//! Training one fold (`nnUNetTrainerV2.run_training`).

mod clock;
mod curves;
mod evaluation;
mod loaders;
mod mean;
mod overflows;
mod record;
mod resume;
mod run_loop;
mod session;
mod setup;

pub use record::PROGRESS_FILE;

use std::time::Instant;

use run::{Context, Event};
use settings::{TrainOptions, TrainSummary};

use crate::{device_name, Result};
use run_loop::Run;
use setup::Setup;

/// Trains one fold of a configuration and writes nnU-Net v1's files: checkpoints with their `.pkl`, `plans.pkl`,
/// `debug.json`, the training log, and `progress.jsonl`.
///
/// An epoch is: training batches, validation batches, learning rate for the next epoch, moving averages, `model_best` where
/// the average metric is the best so far, and `model_latest` every `saveEvery` epochs. On cancellation, and on an error of
/// the data, `model_latest` is written first, from which `continue` goes on in the middle of the epoch; on a CPU with the
/// same number of threads to the same bits as an uninterrupted run.
///
/// # Errors
/// [`crate::Error::Cancelled`]; [`crate::Error::Diverged`] when the loss is not a number; [`crate::Error::OutOfMemory`];
/// errors of options, plans, data and files.
pub fn train(options: &TrainOptions, context: &Context) -> Result<TrainSummary> {
    let started = Instant::now();
    run::validate(options)?;
    let setup = Setup::new(options, context)?;
    tch::set_num_threads(i32::try_from(context.workers()).unwrap_or(1));
    if setup.compute.device.is_cuda() {
        tch::Cuda::cudnn_set_benchmark(!options.deterministic);
    }
    let mut run = Run::open(options, &setup, context)?;
    context.emit(Event::Started {
        verb: "train",
        settings: run.reported_settings(),
    });
    run.finish()?;
    let last = run.last_epoch();
    Ok(TrainSummary {
        folder: run.folder().to_owned(),
        checkpoint: run.checkpoint_path(run::CheckpointKind::Final),
        epochs: run.epochs(),
        train_loss: last.as_ref().map_or(f64::NAN, |r| r.train_loss),
        validation_loss: last.as_ref().and_then(|r| r.validation_loss),
        dice: last.map(|r| r.dice.clone()).unwrap_or_default(),
        device: device_name(setup.compute.device),
        precision: setup.compute.precision_name().to_owned(),
        seconds: started.elapsed().as_secs_f64(),
    })
}

#[cfg(test)]
mod tests;
