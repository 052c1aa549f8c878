//! Start of a run.

use run::{Context, EpochReport};

use super::Run;
use crate::clock::Clock;
use crate::curves::Averages;
use crate::mean::Mean;
use crate::record::{write_settings, Log, Progress};
use crate::resume::{last_checkpoint, warn_of_changes, warn_replaced_run};
use crate::session::Session;
use crate::setup::{learning_rate, Setup};
use crate::skipped_steps::SkippedSteps;
use crate::{Error, Result};
use engine::checkpoint::Checkpoint;
use settings::TrainOptions;

impl<'a> Run<'a> {
    /// A new run, or one that continues from the last checkpoint of the fold.
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
                "{} holds no checkpoint to continue from; training starts from the beginning",
                fold.path.display()
            );
            context.warn("WARN_NOTHING_TO_CONTINUE", message, None);
        }
        let replaces = !options.resume && warn_replaced_run(&fold, context);
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
        let rate = |epoch| learning_rate(options, epoch);
        let mut run = Self {
            averages: Averages::replay(&checkpoint.curves, rate),
            progress: Progress::open(&fold.path, checkpoint.epochs),
            log: Log::start(&fold.path)?,
            curves: checkpoint.curves,
            iteration: position.iteration,
            losses: Mean {
                sum: position.losses.0,
                count: position.losses.1,
            },
            skipped_steps: SkippedSteps::default(),
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

    /// Report of the last finished epoch of the previous run.
    fn recorded_epoch(&self) -> Option<EpochReport> {
        let number = |values: &[f64]| values.last().copied().filter(|v| v.is_finite());
        Some(EpochReport {
            epoch: self.epochs().checked_sub(1)?,
            epochs: self.options.epochs,
            train_loss: number(&self.curves.train_loss)?,
            validation_loss: number(&self.curves.validation_loss),
            dice: self.progress.last_dice(),
            best: false,
            learning_rate: 0.0,
            seconds: 0.0,
            seconds_left: 0.0,
        })
    }
}
