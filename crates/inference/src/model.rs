//! A trained model: its plans, and the network of each fold.

use std::path::Path;

use dataset::results::ModelFolder;
use dataset::{trains_second_stage, trains_with_mirroring, Fold, Plans, StagePlan};
use engine::checkpoint::{Checkpoint, Info};
use engine::network::GenericUNet;
use engine::Architecture;
use pickle::Value;
use run::{NotFound, OptionError};
use tch::Device;

use crate::digest::Digest;
use crate::Error;

/// What the folds of a model say, without their networks.
pub struct Model {
    /// Plans of the training.
    pub plans: Plans,
    /// Stage of the plans.
    pub stage: usize,
    /// The loaded folds.
    pub folds: Vec<Fold>,
    /// Folds that would be used by default, but do not have the checkpoint.
    pub unfinished: Vec<Fold>,
    /// Name of the trainer of the first fold.
    pub trainer: String,
    /// Whether the networks also take the segmentation of a first stage.
    pub cascade: bool,
    /// Whether every fold was trained with mirroring.
    pub mirrored: bool,
    /// Digest of the plans and weights.
    pub digest: Digest,
}

/// What the plans of a model say, without its networks.
pub(crate) struct Peek {
    /// Whether it is the second stage of a cascade.
    pub cascade: bool,
    /// Number of classes without the background.
    pub classes: usize,
}

impl Model {
    /// Reads the settings of the first fold that [`Model::load`] would load.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub(crate) fn peek(folder: &Path, folds: Option<&[Fold]>, checkpoint: &str) -> Result<Peek, Error> {
        let model = ModelFolder::new(folder);
        let folds = match folds {
            Some(folds) => chosen(&model, folds, checkpoint)?,
            None => model.default_folds(checkpoint)?.finished,
        };
        let first = folds
            .first()
            .ok_or_else(|| OptionError::expected("folds", "at least one fold", "none"))?;
        let record = record(&model.fold(*first).checkpoint_info(checkpoint))?;
        Ok(Peek {
            cascade: trains_second_stage(&record.trainer),
            classes: record.plans.num_classes,
        })
    }

    /// Loads `checkpoint` of the given folds, or of nnU-Net's default ones.
    ///
    /// Source: `nnunet.training.model_restore.load_model_and_checkpoint_files`.
    ///
    /// # Errors
    /// [`Error::NotFound`] or [`Error::Dataset`] for a missing folder or fold; [`Error::FoldPlans`] if the folds have different plans; [`Error::Engine`] if the checkpoint
    /// does not fit its plans.
    pub fn load(
        folder: &Path,
        folds: Option<&[Fold]>,
        checkpoint: &str,
        device: Device,
    ) -> Result<(Self, Vec<GenericUNet>), Error> {
        let model = ModelFolder::new(folder);
        let (folds, unfinished) = match folds {
            Some(folds) => (chosen(&model, folds, checkpoint)?, Vec::new()),
            None => {
                let found = model.default_folds(checkpoint)?;
                (found.finished, found.unfinished)
            }
        };
        let first = folds
            .first()
            .ok_or_else(|| OptionError::expected("folds", "at least one fold", "none"))?;
        let of_fold = |fold: Fold| record(&model.fold(fold).checkpoint_info(checkpoint));
        let Record {
            plans,
            stage,
            trainer,
        } = of_fold(*first)?;
        let mut mirrored = trains_with_mirroring(&trainer);
        let cascade = trains_second_stage(&trainer);
        for fold in &folds[1..] {
            let other = of_fold(*fold)?;
            let mut differences = plans.differences(&other.plans, stage);
            if other.stage != stage || trains_second_stage(&other.trainer) != cascade {
                differences.push("stage");
            }
            if !differences.is_empty() {
                return Err(Error::FoldPlans {
                    folder: folder.to_owned(),
                    first: first.folder(),
                    fold: fold.folder(),
                    differences: differences.into_iter().map(str::to_owned).collect(),
                });
            }
            mirrored &= trains_with_mirroring(&other.trainer);
        }
        let architecture = Architecture::from_plans(&plans, stage, cascade).map_err(engine::Error::from)?;
        let mut digest = Digest::default();
        digest.text(&format!("{plans:?} {stage}"));
        let networks = folds
            .iter()
            .map(|&fold| {
                let checkpoint = Checkpoint::read(&model.fold(fold).checkpoint(checkpoint))?;
                for (name, values) in &checkpoint.state {
                    digest.text(name);
                    digest.floats(values.iter());
                }
                Ok(GenericUNet::from_state(
                    architecture.clone(),
                    &checkpoint.state,
                    device,
                )?)
            })
            .collect::<Result<_, Error>>()?;
        let model = Self {
            plans,
            stage,
            folds,
            unfinished,
            trainer,
            cascade,
            mirrored,
            digest,
        };
        Ok((model, networks))
    }

    /// The plan of the model's stage.
    ///
    /// # Errors
    /// [`Error::Dataset`] if the plans lack it.
    pub fn stage_plan(&self) -> Result<&StagePlan, Error> {
        Ok(self.plans.stage(self.stage)?)
    }
}

/// The named folds, if each has the checkpoint.
fn chosen(model: &ModelFolder, folds: &[Fold], checkpoint: &str) -> Result<Vec<Fold>, Error> {
    let trained = model.folds(checkpoint)?;
    if let Some(missing) = folds.iter().find(|fold| !trained.contains(fold)) {
        let trained: Vec<_> = trained.iter().map(|fold| fold.folder()).collect();
        let advice = format!(
            "there is one in {}; train the fold, or choose another",
            trained.join(", ")
        );
        let path = model.fold(*missing).checkpoint(checkpoint);
        return Err(NotFound::new("checkpoint", path, advice).into());
    }
    Ok(folds.to_vec())
}

/// What a checkpoint's `.model.pkl` says of its training.
struct Record {
    plans: Plans,
    stage: usize,
    trainer: String,
}

/// Reads a checkpoint's `.model.pkl`.
fn record(file: &Path) -> Result<Record, Error> {
    let info = Info::read(file)?;
    let plans = Plans::from_value(&info.plans).map_err(|e| dataset::Error::from(e.in_file(file)))?;
    // init = (plans_file, fold, output_folder, dataset_directory, batch_dice, stage, ...)
    let init = info.init.as_items().unwrap_or_default();
    let stage = init
        .get(5)
        .and_then(Value::as_i64)
        .and_then(|stage| usize::try_from(stage).ok());
    let last = plans.plans_per_stage.keys().next_back().copied().unwrap_or(0);
    Ok(Record {
        plans,
        stage: stage.unwrap_or(last),
        trainer: info.name,
    })
}
