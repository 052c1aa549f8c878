//! Training of one fold (`nnUNetTrainerV2.run_training`).

mod background;
mod buffers;
mod clock;
mod curves;
mod error;
mod evaluation;
mod input;
mod loaders;
mod local;
mod mean;
mod measures;
mod pictures;
mod present;
mod ranks;
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
mod validation;
mod warm_start;

pub use error::{Error, Result};

use std::time::Instant;

use engine::device_name;
use run::Context;
use settings::{TrainOptions, TrainSummary, TrainedFold};

use ranks::{Place, Ranks};
use run_loop::Run;
use setup::Setup;
use start::Start;

/// Trains folds of a configuration, one after the other. Writes nnU-Net v1's files (checkpoints with their `.pkl`,
/// `plans.pkl`, `debug.json`, the training log, `progress.png`, the validation), `progress.jsonl` and `progress.csv`.
///
/// An epoch runs training batches and validation batches, sets the learning rate of the next epoch, and
/// updates the moving averages. It writes `model_best` if the average metric is the best so far, and
/// `model_latest` every `saveEvery` epochs. On cancellation, at the end of its time, and on an error of the data, it
/// writes `model_latest`. `continue` resumes from it in the middle of the epoch. On a CPU with the same number of
/// threads, the result is bit-identical to an uninterrupted run.
///
/// In the environment of `torchrun` (`RANK`, `WORLD_SIZE`, `MASTER_ADDR`, `MASTER_PORT`), this process is one of several
/// ranks that share each batch.
///
/// # Errors
/// [`Error::Cancelled`]; [`Error::TimeLimit`]; [`Error::RankFailed`]; [`Error::FoldExists`]; [`Error::ModelPlans`];
/// [`storage::Error::Locked`]; [`Error::Diverged`] if the loss is not finite; [`engine::Error::OutOfMemory`]; errors of
/// options, plans, data and files.
pub fn train(options: &TrainOptions, context: &Context) -> Result<TrainSummary> {
    run::validate(options)?;
    run::switches::warn_of_unknown(context);
    let place = Place::from_environment()?;
    if options.gpus.is_some_and(|gpus| gpus > 1) {
        let problem = "several ranks are started by the command line and the functions of TypeScript, in processes of their own";
        return Err(run::OptionError::new("gpus", problem).into());
    }
    match place {
        Some(place) => train_rank(&place, options, context),
        None => train_folds(options, &Ranks::alone(), context),
    }
}

/// Trains as one of several ranks.
fn train_rank(place: &Place, options: &TrainOptions, context: &Context) -> Result<TrainSummary> {
    let (options, context) = (place.options(options)?, place.context(context));
    let ranks = Ranks::join(place, &options, &context)?;
    let result = train_folds(&options, &ranks, &context).map_err(|error| ranks.explain(error));
    ranks.leave(&result);
    result
}

fn train_folds(options: &TrainOptions, ranks: &Ranks, context: &Context) -> Result<TrainSummary> {
    let started = Instant::now();
    tch::set_num_threads(i32::try_from(context.workers()).unwrap_or(1));
    let folds = options.folds.clone().unwrap_or_else(|| vec![options.data.fold]);
    let runs = folds
        .iter()
        .map(|&fold| {
            let mut options = options.clone();
            options.data.fold = fold;
            let setup = ranks.first(context, || Setup::new(&options, started, context)?.shared(ranks))?;
            // A fold that cannot begin is refused before the first one trains for a day.
            Start::find(&options, &setup.model.fold(fold), &Context::silent(1))?;
            validation::check(&options, &setup)?;
            Ok((options, setup))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut trained = Vec::new();
    let mut summary = None;
    for (options, setup) in &runs {
        let one = train_fold(options, setup, ranks, context).map_err(|error| advise(error, setup))?;
        trained.push(TrainedFold {
            fold: options.data.fold,
            checkpoint: one.checkpoint.clone(),
            validation: one.validation.clone(),
        });
        summary = Some(one);
    }
    let nothing = || run::OptionError::expected("folds", "at least one fold", "none");
    Ok(TrainSummary {
        folds: trained,
        seconds: started.elapsed().as_secs_f64(),
        ..summary.ok_or_else(nothing)?
    })
}

/// Adds to a lack of memory which batch or patch size takes less.
fn advise(error: Error, setup: &Setup) -> Error {
    match error {
        Error::Engine(error) => Error::Engine(error.advise(|| {
            let plan = &setup.data.plan;
            smaller::advice(&setup.architecture, plan.batch_size, &plan.patch_size)
        })),
        other => other,
    }
}

fn train_fold(
    options: &TrainOptions,
    setup: &Setup,
    ranks: &Ranks,
    context: &Context,
) -> Result<TrainSummary> {
    let started = Instant::now();
    setup.compute.set_math(options.deterministic)?;
    let mut run = Run::open(options, setup, ranks, context)?;
    if !options.validation_only {
        run.finish()?;
    }
    let validation = run.validate_cases()?;
    let last = run.last_epoch();
    Ok(TrainSummary {
        folder: run.folder().to_owned(),
        checkpoint: run.checkpoint_path(run::CheckpointKind::Final),
        epochs: run.epochs(),
        train_loss: last.as_ref().and_then(|r| r.train_loss),
        validation_loss: last.as_ref().and_then(|r| r.validation_loss),
        dice: last.map(|r| r.dice.clone()).unwrap_or_default(),
        validation,
        folds: Vec::new(),
        device: device_name(setup.compute.device),
        precision: setup.compute.precision_name().to_owned(),
        seconds: started.elapsed().as_secs_f64(),
    })
}

#[cfg(test)]
mod tests;
