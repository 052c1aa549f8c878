//! The loop over epochs.

mod divergence;
mod open;
mod run_settings;
mod save;

use std::path::Path;
use std::time::Instant;

use dataset::results::FoldFolder;
use loader::{Batch, Loader};
use run::{CheckpointKind, Context, EpochReport, Event, ValidationReport};

use super::background::Background;
use super::clock::Clock;
use super::curves::Averages;
use super::evaluation::OnlineEvaluation;
use super::loaders::{next_batch, Loaders};
use super::mean::Mean;
use super::measures::Measures;
use super::pictures::Pictures;
use super::ranks::Ranks;
use super::record::{Log, Progress};
use super::session::{Launched, Session, Validated};
use super::setup::{learning_rate, Setup};
use super::skipped_steps::SkippedSteps;
use super::start::Claim;
use super::validation::Validation;
use crate::{Error, Result};
use engine::checkpoint::Curves;
use settings::TrainOptions;

/// A running training.
pub(crate) struct Run<'a> {
    options: &'a TrainOptions,
    setup: &'a Setup,
    ranks: &'a Ranks,
    context: &'a Context,
    fold: FoldFolder,
    session: Session,
    curves: Curves,
    averages: Averages,
    /// Finished training iterations of the current epoch.
    iteration: u64,
    /// A training iteration that a device still works on.
    running: Option<Iteration>,
    /// Losses of the iterations whose batches have annotated voxels.
    losses: Mean,
    measures: Measures,
    skipped_steps: SkippedSteps,
    last: Option<EpochReport>,
    progress: Progress,
    pictures: Pictures,
    log: Log,
    clock: Clock,
    /// Checkpoints that are written beside the training; before the claim on the fold ends.
    checkpoints: Background,
    /// `None` if every epoch is finished.
    loaders: Option<Loaders>,
    claim: Claim,
}

/// A training iteration that was started.
struct Iteration {
    launched: Launched,
    /// Its batch, kept for copies to the device that may still read it.
    batch: Batch,
    annotated: bool,
}

/// A validation batch that was started, with its batch as in [`Iteration`].
struct ValidationBatch {
    validated: Validated,
    batch: Batch,
    annotated: bool,
}

/// Results of an epoch's validation batches.
struct OnlineValidation {
    /// Mean loss of the batches with annotated voxels.
    loss: Option<f64>,
    /// Dice of each foreground class.
    dice: Vec<Option<f64>>,
}

impl Run<'_> {
    /// Finished epochs.
    pub fn epochs(&self) -> u64 {
        self.curves.train_loss.len() as u64
    }

    /// The fold's folder.
    pub fn folder(&self) -> &Path {
        &self.fold.path
    }

    /// Report of the last finished epoch.
    pub fn last_epoch(&self) -> Option<&EpochReport> {
        self.last.as_ref()
    }

    /// Trains to the end of the schedule and writes the final checkpoint.
    pub fn finish(&mut self) -> Result<()> {
        if let Some(mut loaders) = self.loaders.take() {
            if let Err(error) = self.train_epochs(&mut loaders) {
                let error = self.save_stopped(error)?;
                self.log.line(&format!("stopped: {error}"));
                return Err(error);
            }
        }
        self.save(CheckpointKind::Final)?;
        self.remove_latest()
    }

    fn train_epochs(&mut self, loaders: &mut Loaders) -> Result<()> {
        while self.epochs() < self.options.epochs && !self.out_of_patience() {
            let started = Instant::now();
            let rate = learning_rate(self.options, self.epochs());
            while self.iteration + u64::from(self.running.is_some()) < self.options.iterations {
                self.train_iteration(loaders, rate)?;
            }
            self.settle()?;
            let validation = self.validate(&loaders.validation)?;
            self.end_epoch(rate, validation, started)?;
        }
        Ok(())
    }

    fn train_iteration(&mut self, loaders: &mut Loaders, rate: f64) -> Result<()> {
        self.check()?;
        let started = Instant::now();
        let batch = loaders.next()?;
        self.measures.waited(started);
        let input = self.session.take(&batch)?;
        let annotated = self.agree(input.annotated)?;
        let launched = self.session.train(input, rate)?;
        let iteration = Iteration {
            launched,
            batch,
            annotated,
        };
        let due = self.session.due(&mut self.running, iteration);
        if let Some(batch) = due.map(|due| self.end_iteration(due)).transpose()? {
            loaders.recycle(batch);
        }
        let seconds = started.elapsed().as_secs_f64();
        self.clock.training.add(seconds);
        self.measures.iteration(seconds);
        Ok(())
    }

    /// Ends the iteration that a device still works on.
    fn settle(&mut self) -> Result<()> {
        if let Some(running) = self.running.take() {
            self.end_iteration(running)?;
        }
        Ok(())
    }

    /// Reads and reports the results of an iteration. Returns its batch.
    fn end_iteration(&mut self, ended: Iteration) -> Result<Batch> {
        let (batch, step) = (ended.batch, self.session.settle(ended.launched)?);
        let is_float16 = self.session.loss_scale.is_some();
        let skipped = if step.loss.is_finite() && step.norm.is_finite() {
            self.skipped_steps.add(&step, &[], is_float16)
        } else {
            self.skipped_steps
                .add(&step, &self.together(&batch.cases)?, is_float16)
        };
        if let Some((quantity, value)) = skipped {
            return Err(self.diverged(quantity, value, &batch)?);
        }
        if ended.annotated && step.loss.is_finite() {
            self.losses.add(step.loss);
        }
        let iteration = self.iteration;
        self.iteration += 1;
        self.measures.norm(step.norm);
        self.context.emit(Event::Iteration {
            epoch: self.epochs(),
            epochs: self.options.epochs,
            iteration,
            iterations: self.options.iterations,
            loss: step.loss,
            seconds_left: self.seconds_left(),
        });
        Ok(batch)
    }

    fn validate(&mut self, loader: &Loader) -> Result<OnlineValidation> {
        let classes = self.setup.architecture.classes as usize;
        let empty = OnlineEvaluation::new(classes, self.setup.data.recipe.ignore_label)
            .with_weights(self.setup.data.recipe.weights_dice());
        let mut evaluation = empty.clone();
        let mut losses = Mean::default();
        let mut end = |ended: ValidationBatch| -> Result<()> {
            let (loss, counts) = ended.validated.finish()?;
            evaluation.add(&counts);
            loader.recycle(ended.batch);
            if ended.annotated {
                losses.add(loss);
            }
            Ok(())
        };
        let mut running = None;
        for _ in 0..self.options.validation_iterations {
            self.check()?;
            let started = Instant::now();
            let batch = next_batch(loader)?;
            self.measures.waited(started);
            let input = self.session.take(&batch)?;
            let annotated = self.agree(input.annotated)?;
            let validated = self.session.validate(input, &empty)?;
            let validation = ValidationBatch {
                validated,
                batch,
                annotated,
            };
            let due = self.session.due(&mut running, validation);
            due.map(&mut end).transpose()?;
            self.clock.validation.add(started.elapsed().as_secs_f64());
        }
        running.map(&mut end).transpose()?;
        if let Some(group) = self.ranks.group() {
            evaluation.sum_over(group)?;
        }
        Ok(OnlineValidation {
            loss: losses.value(),
            dice: evaluation.dice(),
        })
    }

    /// Adds the epoch to the curves, reports it, and writes the due checkpoints.
    fn end_epoch(&mut self, rate: f64, validation: OnlineValidation, started: Instant) -> Result<()> {
        let epoch = self.epochs();
        let train_loss = self.losses.value();
        let metric = OnlineEvaluation::metric(&validation.dice);
        self.curves.train_loss.push(train_loss.unwrap_or(f64::NAN));
        self.curves
            .validation_loss
            .push(validation.loss.unwrap_or(f64::NAN));
        self.curves.metric.push(metric);
        (self.iteration, self.losses) = (0, Mean::default());
        self.report_skipped_steps();
        let next_rate = learning_rate(self.options, epoch + 1);
        let improved = self
            .averages
            .update(epoch, train_loss.unwrap_or(f64::NAN), metric, next_rate);
        if epoch == 100 && metric == 0.0 {
            self.restart_weights()?;
        }
        let seconds = started.elapsed().as_secs_f64();
        let measures = std::mem::take(&mut self.measures);
        let report = EpochReport {
            epoch,
            epochs: self.options.epochs,
            train_loss,
            validation_loss: validation.loss,
            dice: validation.dice,
            best: improved,
            learning_rate: rate,
            seconds,
            seconds_left: self.seconds_left(),
            wait_share: measures.wait_share(seconds),
            iterations_per_second: measures.iterations_per_second(),
            gradient_norm: measures.gradient_norm(),
            host_memory: run::resident_memory(),
            device_memory: engine::device_memory(self.setup.compute.device),
        };
        if self.ranks.is_first() {
            self.log.epoch(&report, next_rate);
            self.progress.add(&report)?;
            self.pictures.write(self.progress.reports(), self.context);
        }
        self.context.emit(Event::Epoch(report.clone()));
        self.last = Some(report);
        if improved {
            self.save_beside(CheckpointKind::Best)?;
        }
        if epoch % self.options.save_every == self.options.save_every - 1 {
            self.save_beside(CheckpointKind::Latest)?;
        }
        Ok(())
    }

    /// Fails if the run is cancelled or its time is over. Ranks decide that together; see [`agree`](Self::agree).
    fn check(&self) -> Result<()> {
        if self.ranks.size() > 1 {
            return Ok(());
        }
        self.context.check()?;
        if self.setup.time_limit.is_over() {
            return Err(self.time_over());
        }
        Ok(())
    }

    /// Fails in all ranks if one is cancelled or its time is over. Returns whether a rank's part of the batch is annotated.
    fn agree(&self, annotated: bool) -> Result<bool> {
        let limit = &self.setup.time_limit;
        self.ranks
            .agree(annotated, limit, self.context, || self.time_over())
    }

    fn time_over(&self) -> Error {
        let latest = self.checkpoint_path(CheckpointKind::Latest);
        self.setup.time_limit.error(self.epochs(), latest)
    }

    /// Whether the metric has not improved for as many epochs as the options allow.
    fn out_of_patience(&self) -> bool {
        let stalled = self.averages.epochs_without_best(self.epochs());
        let found = self.options.patience.filter(|&patience| stalled >= patience);
        if let Some(patience) = found {
            self.log.line(&format!(
                "no new best validation Dice in {patience} epochs: training ends"
            ));
        }
        found.is_some()
    }

    /// Validates on whole cases, as far as the options ask for it.
    pub fn validate_cases(&self) -> Result<Option<ValidationReport>> {
        let validation = Validation {
            ranks: self.ranks,
            options: self.options,
            setup: self.setup,
            network: &self.session.network,
            context: self.context,
        };
        let report = validation.run(&self.claim)?;
        if let Some(report) = &report {
            let dice: Vec<String> = report
                .dice
                .iter()
                .map(|d| d.map_or("none".to_owned(), |d| format!("{d:.4}")))
                .collect();
            let cases = report.cases.len();
            self.log.line(&format!(
                "validation of {cases} whole cases, mean Dice: [{}]",
                dice.join(", ")
            ));
        }
        Ok(report)
    }

    fn seconds_left(&self) -> f64 {
        let options = self.options;
        let epochs = options.epochs - self.epochs();
        self.clock.left(
            epochs * options.iterations - self.iteration.min(epochs * options.iterations),
            epochs * options.validation_iterations,
        )
    }
}
