//! The loop over epochs.

use std::path::{Path, PathBuf};
use std::time::Instant;

use dataset::results::{FoldFolder, BEST_CHECKPOINT, FINAL_CHECKPOINT, LATEST_CHECKPOINT};
use loader::{Loader, Phase};
use run::{CheckpointKind, Context, EpochReport, Event};
use serde_json::json;

use super::clock::Clock;
use super::curves::Averages;
use super::evaluation::OnlineEvaluation;
use super::overflows::Overflows;
use super::record::{write_settings, Log, Progress};
use super::resume::{last_checkpoint, warn_of_changes, warn_of_former};
use super::session::Session;
use super::setup::Setup;
use crate::buffers::buffers_for;
use crate::checkpoint::{Checkpoint, Curves, Position};
use crate::optimizer::poly_learning_rate;
use crate::{device_name, Error, Result};
use settings::TrainOptions;

/// A training in progress.
pub(super) struct Run<'a> {
    options: &'a TrainOptions,
    setup: &'a Setup,
    context: &'a Context,
    fold: FoldFolder,
    /// Whether a former run left checkpoints in the fold, which this one does not go on from.
    replaces: bool,
    session: Session,
    curves: Curves,
    averages: Averages,
    /// Training iterations done of the current epoch, sum of their losses, and how many of them count.
    iteration: u64,
    losses: (f64, u64),
    overflows: Overflows,
    last: Option<EpochReport>,
    progress: Progress,
    log: Log,
    clock: Clock,
}

impl<'a> Run<'a> {
    /// A new run, or one that goes on from the fold's last checkpoint.
    pub fn open(options: &'a TrainOptions, setup: &'a Setup, context: &'a Context) -> Result<Self> {
        let fold = setup.model.fold(options.data.fold);
        std::fs::create_dir_all(&fold.path).map_err(|e| Error::io(&fold.path, e))?;
        let found = if options.resume {
            last_checkpoint(&fold)
        } else {
            None
        };
        if options.resume && found.is_none() {
            let message = format!(
                "{} holds no checkpoint to continue from; training starts anew",
                fold.path.display()
            );
            context.warn("WARN_NOTHING_TO_CONTINUE", message, None);
        }
        let replaces = !options.resume && warn_of_former(&fold, context);
        let mut session = Session::new(setup, options.data.seed)?;
        let checkpoint = match found {
            Some(path) => {
                let checkpoint = Checkpoint::read(&path)?;
                session.load(&checkpoint)?;
                warn_of_changes(&checkpoint, &path, options, setup, context);
                checkpoint
            }
            None => Checkpoint::default(),
        };
        let position = checkpoint.position.unwrap_or_default();
        let rate = |epoch| poly_learning_rate(epoch, options.epochs, options.initial_lr);
        let mut run = Self {
            averages: Averages::replay(&checkpoint.curves, rate),
            progress: Progress::open(&fold.path, checkpoint.epochs),
            log: Log::start(&fold.path)?,
            curves: checkpoint.curves,
            iteration: position.iteration,
            losses: position.losses,
            overflows: Overflows::default(),
            last: None,
            clock: Clock::default(),
            options,
            setup,
            context,
            fold,
            replaces,
            session,
        };
        run.last = run.recorded_epoch();
        setup.plans_file(&setup.model.plans())?;
        write_settings(&run.fold.debug(), &run.settings())?;
        run.log.line(&format!("TRAINING KEYS:\n {:?}", setup.split.train));
        run.log.line(&format!("VALIDATION KEYS:\n {:?}", setup.split.val));
        run.log.line(&format!("lr: {}", rate(run.epochs())));
        Ok(run)
    }

    /// Settings of the run, for events and `debug.json`.
    pub fn settings(&self) -> serde_json::Value {
        let (setup, options) = (self.setup, self.options);
        let parameters: usize = self
            .session
            .network
            .parameters()
            .iter()
            .map(tch::Tensor::numel)
            .sum();
        json!({
            "trainer": setup.info.name,
            "recipe": setup.recipe,
            "configuration": options.data.configuration,
            "fold": options.data.fold,
            "device": device_name(setup.compute.device),
            "precision": setup.compute.precision_name(),
            "precision_reason": setup.compute.reason,
            "threads": self.context.workers(),
            "seed": options.data.seed,
            "epoch": self.epochs(),
            "max_num_epochs": options.epochs,
            "num_batches_per_epoch": options.iterations,
            "num_val_batches_per_epoch": options.validation_iterations,
            "initial_lr": options.initial_lr,
            "weight_decay": crate::optimizer::WEIGHT_DECAY,
            "momentum": self.session.optimizer.momentum,
            "batch_size": setup.plan.batch_size,
            "patch_size": setup.plan.patch_size,
            "batch_dice": setup.batch_dice,
            "net_num_pool_op_kernel_sizes": setup.plan.pool_op_kernel_sizes,
            "net_conv_kernel_sizes": setup.plan.conv_kernel_sizes,
            "base_num_features": setup.architecture.base_features,
            "num_parameters": parameters,
            "num_input_channels": setup.architecture.input_channels,
            "num_classes": setup.architecture.classes,
            "do_dummy_2D_aug": setup.plan.do_dummy_2d_data_aug,
            "training_cases": setup.split.train.len(),
            "validation_cases": setup.split.val.len(),
            "folder_with_preprocessed_data": setup.data,
            "output_folder": self.fold.path,
        })
    }

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

    /// Where a checkpoint goes.
    pub fn checkpoint_path(&self, kind: CheckpointKind) -> PathBuf {
        self.fold.checkpoint(match kind {
            CheckpointKind::Latest => LATEST_CHECKPOINT,
            CheckpointKind::Best => BEST_CHECKPOINT,
            CheckpointKind::Final => FINAL_CHECKPOINT,
        })
    }

    /// Trains to the end of the schedule and writes the final checkpoint.
    pub fn finish(&mut self) -> Result<()> {
        if self.replaces {
            // Should this run be killed early, the former one's checkpoints must not be taken for its own.
            self.save(CheckpointKind::Latest)?;
        }
        if self.epochs() < self.options.epochs {
            if let Err(error) = self.train_epochs() {
                // What a later run can go on from, unless the network itself is in doubt.
                if !matches!(
                    error,
                    Error::Diverged { .. } | Error::OutOfMemory { .. } | Error::Torch { .. }
                ) {
                    self.save(CheckpointKind::Latest)?;
                }
                self.log.line(&format!("stopped: {error}"));
                return Err(error);
            }
        }
        self.save(CheckpointKind::Final)?;
        // The final checkpoint holds the same and more recent things.
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

    fn train_epochs(&mut self) -> Result<()> {
        let (options, epoch) = (self.options, self.epochs());
        let whole = self.iteration >= options.iterations;
        let (first_epoch, first) = if whole {
            (epoch + 1, 0)
        } else {
            (epoch, self.iteration)
        };
        let open = |phase, epoch, iteration| {
            let options = self.setup.loader(options, phase, epoch, iteration);
            loader::PreparedLoader::open(&options, self.context).map_err(|e| loader_error(&e))
        };
        let training = open(Phase::Training, first_epoch, first)?;
        let validation = open(Phase::Validation, epoch, 0)?;
        self.report_memory(&training, &validation);
        let start = |prepared: loader::PreparedLoader| {
            let buffers = buffers_for(self.setup.compute.device);
            prepared.start(buffers).map_err(|e| loader_error(&e))
        };
        let (training, validation) = (start(training)?, start(validation)?);
        while self.epochs() < options.epochs {
            let started = Instant::now();
            let epoch = self.epochs();
            let rate = poly_learning_rate(epoch, options.epochs, options.initial_lr);
            while self.iteration < options.iterations {
                self.train_iteration(&training, epoch, rate)?;
            }
            let (validation_loss, dice) = self.validate(&validation)?;
            self.end_epoch(epoch, rate, validation_loss, dice, started)?;
        }
        Ok(())
    }

    /// Tells the memory that the loaders will hold, before they start.
    fn report_memory(&self, training: &loader::PreparedLoader, validation: &loader::PreparedLoader) {
        let bytes = training.estimated_bytes() + validation.estimated_bytes();
        let parts = json!({ "training": training.memory(), "validation": validation.memory() });
        self.log
            .line(&format!("loaders hold at most {bytes} bytes: {parts}"));
        self.context.emit(Event::Memory {
            part: "loader",
            bytes: bytes as u64,
            parts,
        });
    }

    fn train_iteration(&mut self, loader: &Loader, epoch: u64, rate: f64) -> Result<()> {
        self.context.check()?;
        let started = Instant::now();
        let batch = loader.next().map_err(|e| loader_error(&e))?;
        let input = self.session.take(&batch)?;
        let step = self.session.train(&input, rate)?;
        let diverged = self.overflows.add(&step, &batch.cases);
        if let Some((quantity, value)) = diverged {
            return Err(Error::Diverged {
                quantity,
                value,
                epoch,
                iteration: self.iteration,
                cases: batch.cases.join(", "),
                kept: last_checkpoint(&self.fold)
                    .map_or_else(|| "none".to_owned(), |p| p.display().to_string()),
            });
        }
        loader.recycle(batch);
        if input.annotated {
            self.losses = (self.losses.0 + step.loss, self.losses.1 + 1);
        }
        let iteration = self.iteration;
        self.iteration += 1;
        self.clock.training = (
            self.clock.training.0 + started.elapsed().as_secs_f64(),
            self.clock.training.1 + 1,
        );
        self.context.emit(Event::Iteration {
            epoch,
            iteration,
            iterations: self.options.iterations,
            loss: step.loss,
            seconds_left: self.seconds_left(),
        });
        Ok(())
    }

    /// Mean loss (of batches with annotation) and Dice of each foreground class over an epoch's validation batches.
    fn validate(&mut self, loader: &Loader) -> Result<(Option<f64>, Vec<Option<f64>>)> {
        let classes = self.setup.architecture.classes as usize;
        let mut evaluation = OnlineEvaluation::new(classes, self.setup.recipe.ignore_label);
        let mut losses = (0.0, 0u64);
        for _ in 0..self.options.validation_iterations {
            self.context.check()?;
            let started = Instant::now();
            let batch = loader.next().map_err(|e| loader_error(&e))?;
            let input = self.session.take(&batch)?;
            let loss = self.session.validate(&input, &mut evaluation)?;
            loader.recycle(batch);
            if input.annotated {
                losses = (losses.0 + loss, losses.1 + 1);
            }
            let clock = &mut self.clock.validation;
            *clock = (clock.0 + started.elapsed().as_secs_f64(), clock.1 + 1);
        }
        Ok((Clock::mean(losses), evaluation.dice()))
    }

    fn end_epoch(
        &mut self,
        epoch: u64,
        rate: f64,
        validation_loss: Option<f64>,
        dice: Vec<Option<f64>>,
        started: Instant,
    ) -> Result<()> {
        let train_loss = Clock::mean(self.losses).unwrap_or(0.0);
        let metric = OnlineEvaluation::metric(&dice);
        self.curves.train_loss.push(train_loss);
        self.curves
            .validation_loss
            .push(validation_loss.unwrap_or(f64::NAN));
        self.curves.metric.push(metric);
        (self.iteration, self.losses) = (0, (0.0, 0));
        self.report_overflows();
        let next_rate = poly_learning_rate(epoch + 1, self.options.epochs, self.options.initial_lr);
        let improved = self.averages.update(epoch, train_loss, metric, next_rate);
        if epoch == 100 && metric == 0.0 {
            self.start_anew()?;
        }
        let report = EpochReport {
            epoch,
            epochs: self.options.epochs,
            train_loss,
            validation_loss,
            dice,
            learning_rate: rate,
            seconds: started.elapsed().as_secs_f64(),
            seconds_left: self.seconds_left(),
        };
        self.log.epoch(&report, next_rate);
        self.progress.add(&report)?;
        self.context.emit(Event::Epoch(report.clone()));
        self.last = Some(report);
        if improved {
            self.save(CheckpointKind::Best)?;
        }
        if epoch % self.options.save_every == self.options.save_every - 1 {
            self.save(CheckpointKind::Latest)?;
        }
        Ok(())
    }

    /// nnU-Net v1's remedy where nothing was learnt in 100 epochs (`nnUNetTrainerV2.on_epoch_end`).
    fn start_anew(&mut self) -> Result<()> {
        let message = "At epoch 100, the mean foreground Dice was 0. This can be caused by a too high momentum: momentum has \
                       now been reduced to 0.95 and the network weights have been reinitialised";
        self.session.optimizer.momentum = 0.95;
        self.session.network.reinitialise(self.options.data.seed, 1)?;
        self.context.warn("WARN_REINITIALISED", message, None);
        self.log.line(message);
        Ok(())
    }

    /// Logs the epoch's iterations that changed nothing, and warns of the first. float16 training finds its loss scale by
    /// them, which needs no warning.
    fn report_overflows(&mut self) {
        let Some(found) = self
            .overflows
            .take_epoch()
            .filter(|_| self.session.loss_scale.is_none())
        else {
            return;
        };
        let message = format!(
            "{} of {} iterations of this epoch changed nothing, as their gradients were not finite (the last one's cases: {}); \
             if this goes on, lower the initial learning rate or train with --precision float32",
            found.count, self.options.iterations, found.cases
        );
        self.log.line(&message);
        if found.first {
            let message = format!("{message} (later ones are in the training log)");
            self.context.warn("WARN_GRADIENT_OVERFLOW", message, None);
        }
    }

    fn save(&self, kind: CheckpointKind) -> Result<()> {
        let options = self.options;
        let precision = self.setup.compute.precision_name();
        let rate = poly_learning_rate(self.epochs(), options.epochs, options.initial_lr);
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
                losses: self.losses,
                options: options.fingerprint(&self.setup.recipe, precision),
            }),
        };
        let path = self.checkpoint_path(kind);
        // The small file first: with the large one in place, the checkpoint is complete.
        self.setup.info.write(&path.with_extension("model.pkl"))?;
        checkpoint.write(&path)?;
        self.context.emit(Event::Checkpoint { path, kind });
        Ok(())
    }

    fn seconds_left(&self) -> f64 {
        let options = self.options;
        let epochs = options.epochs - self.epochs();
        self.clock.left(
            epochs * options.iterations - self.iteration.min(epochs * options.iterations),
            epochs * options.validation_iterations,
        )
    }

    /// Report of the last finished epoch as a former run left it.
    fn recorded_epoch(&self) -> Option<EpochReport> {
        let number = |values: &[f64]| values.last().copied().filter(|v| v.is_finite());
        Some(EpochReport {
            epoch: self.epochs().checked_sub(1)?,
            epochs: self.options.epochs,
            train_loss: number(&self.curves.train_loss)?,
            validation_loss: number(&self.curves.validation_loss),
            dice: self.progress.last_dice(),
            learning_rate: 0.0,
            seconds: 0.0,
            seconds_left: 0.0,
        })
    }
}

/// A loader that was cancelled is a cancelled run.
fn loader_error(error: &loader::Error) -> Error {
    match error {
        loader::Error::Cancelled(cancelled) => Error::Cancelled(*cancelled),
        other => Error::part(other),
    }
}
