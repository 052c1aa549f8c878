//! Start of a run.

use run::{Context, EpochReport};
use serde_json::Value;

use super::Run;
use crate::background::Background;
use crate::clock::Clock;
use crate::curves::Averages;
use crate::loaders::Loaders;
use crate::mean::Mean;
use crate::measures::Measures;
use crate::pictures::Pictures;
use crate::ranks::Ranks;
use crate::record::{write_settings, Log, Progress};
use crate::resume::{conditions, warn_of_changes};
use crate::run_loop::run_settings::{reported, settings};
use crate::session::Session;
use crate::setup::{learning_rate, Setup};
use crate::skipped_steps::SkippedSteps;
use crate::start::{refuse_locked, Claim, Start};
use crate::{warm_start, Result};
use run::Event;
use settings::{ClassWeights, TrainOptions};

impl<'a> Run<'a> {
    /// A new run, or one that continues from the last checkpoint of the fold. Everything is read and the first batch is
    /// ready before anything is written.
    pub fn open(
        options: &'a TrainOptions,
        setup: &'a Setup,
        ranks: &'a Ranks,
        context: &'a Context,
    ) -> Result<Self> {
        let fold = setup.model.fold(options.data.fold);
        let start = Start::find(options, &fold, context)?;
        if ranks.is_first() {
            refuse_locked(&fold)?;
        }
        let checkpoint = start.checkpoint(&fold)?;
        let mut session = Session::new(setup, options, ranks)?;
        if let Start::Continue(path) | Start::Validate(path) = &start {
            session.load(&checkpoint)?;
            warn_of_changes(&checkpoint, path, options, setup, context);
        } else if let Some(path) = &options.pretrained {
            warm_start::load(&mut session.network, path, context)?;
        }
        if ranks.size() > 1 {
            let conditions = Value::Object(conditions(options, setup, context));
            let text = format!("{} {conditions}", options.data.seed);
            ranks.compare("options, plans or cases", &text)?;
            let position = checkpoint.position.as_ref().map(|position| position.iteration);
            let parameters = session.fingerprint()?;
            let text = format!("{} {position:?} {parameters:?}", checkpoint.epochs);
            ranks.compare("weights to begin with", &text)?;
        }
        let mut settings = settings(options, setup, &session, checkpoint.epochs, context);
        context.emit(Event::Started {
            verb: "train",
            settings: reported(&settings),
        });
        if !options.validation_only {
            ranks.first(context, || Ok(setup.data.check_cases(context)?))?;
        }
        if let (Some(ClassWeights::Auto), false) = (&options.class_weights, options.validation_only) {
            let weights = || Ok(setup.data.balanced_class_weights(context)?);
            let weights = ranks.first(context, weights)?;
            session.weigh_classes(setup, &weights, ranks)?;
            settings["class_weights"] = weights.into();
        }
        let position = checkpoint.position.unwrap_or_default();
        let loaders = if checkpoint.epochs < options.epochs && !options.validation_only {
            let first = (checkpoint.epochs, position.iteration);
            Some(ranks.first(context, || Loaders::start(setup, options, first, context))?)
        } else {
            None
        };
        let claim = ranks.first(context, || {
            if ranks.is_first() {
                Claim::take(options, setup, &start, context)
            } else {
                Ok(Claim::of_first_rank())
            }
        })?;
        let rate = |epoch| learning_rate(options, epoch);
        let mut run = Self {
            averages: Averages::replay(&checkpoint.curves, rate),
            progress: Progress::open(&fold.path, checkpoint.epochs),
            pictures: Pictures::new(options, setup, &fold.path),
            log: if ranks.is_first() {
                Log::start(&fold.path)?
            } else {
                Log::none()
            },
            curves: checkpoint.curves,
            iteration: position.iteration,
            running: None,
            losses: Mean {
                sum: position.losses.0,
                count: position.losses.1,
            },
            measures: Measures::resumed(Mean {
                sum: position.norms.0,
                count: position.norms.1,
            }),
            skipped_steps: SkippedSteps::default(),
            last: None,
            clock: Clock::default(),
            checkpoints: Background::default(),
            options,
            setup,
            ranks,
            context,
            fold,
            session,
            loaders,
            claim,
        };
        run.last = run.recorded_epoch();
        if ranks.is_first() {
            write_settings(&run.fold.debug(), &settings)?;
        }
        run.log
            .line(&format!("TRAINING KEYS:\n {:?}", setup.data.split.train));
        run.log
            .line(&format!("VALIDATION KEYS:\n {:?}", setup.data.split.val));
        run.log.line(&format!("lr: {}", rate(run.epochs())));
        if let Some(loaders) = &run.loaders {
            run.log.line(&loaders.memory);
        }
        Ok(run)
    }

    /// Report of the last finished epoch of the previous run.
    fn recorded_epoch(&self) -> Option<EpochReport> {
        let number = |values: &[f64]| values.last().copied().filter(|v| v.is_finite());
        Some(EpochReport {
            epoch: self.epochs().checked_sub(1)?,
            epochs: self.options.epochs,
            train_loss: number(&self.curves.train_loss),
            validation_loss: number(&self.curves.validation_loss),
            dice: self.progress.last_dice(),
            ..EpochReport::default()
        })
    }
}
