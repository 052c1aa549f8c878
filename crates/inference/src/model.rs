//! A trained model: its plans, and the network of each fold.

use std::path::{Path, PathBuf};

use dataset::results::ModelFolder;
use dataset::{Fold, Plans, StagePlan};
use engine::checkpoint::{Checkpoint, Info};
use engine::network::GenericUNet;
use engine::Architecture;
use pickle::Value;
use run::{NotFound, OptionError};
use tch::Device;

use crate::Error;

/// The folds of a model on one device.
pub struct Model {
    /// Plans of the training.
    pub plans: Plans,
    /// Stage of the plans.
    pub stage: usize,
    /// One network per fold, in the requested order.
    pub networks: Vec<GenericUNet>,
}

impl Model {
    /// Loads `checkpoint` of the given folds, or of all folds that have it.
    ///
    /// Source: `nnunet.training.model_restore.load_model_and_checkpoint_files`.
    ///
    /// # Errors
    /// [`Error::NotFound`] or [`Error::Dataset`] for a missing folder or fold; [`Error::Model`] for a second
    /// stage of a cascade; [`Error::Engine`] if the checkpoint does not fit its plans.
    pub fn load(
        folder: &Path,
        folds: Option<&[Fold]>,
        checkpoint: &str,
        device: Device,
    ) -> Result<Self, Error> {
        let model = ModelFolder::new(folder);
        let trained = model.folds(checkpoint)?;
        let folds = folds.map_or_else(|| trained.clone(), <[Fold]>::to_vec);
        if let Some(missing) = folds.iter().find(|fold| !trained.contains(fold)) {
            let trained: Vec<_> = trained.iter().map(|fold| fold.folder()).collect();
            let advice = format!(
                "there is one in {}; train the fold, or choose another",
                trained.join(", ")
            );
            let path = model.fold(*missing).checkpoint(checkpoint);
            return Err(NotFound::new("checkpoint", path, advice).into());
        }
        let first = folds
            .first()
            .ok_or_else(|| OptionError::expected("folds", "at least one fold", "none"))?;
        let (plans, stage) = record(&model.fold(*first).checkpoint_info(checkpoint), folder)?;
        let architecture = Architecture::from_plans(&plans, stage, false).map_err(engine::Error::from)?;
        let networks = folds
            .iter()
            .map(|&fold| {
                let checkpoint = Checkpoint::read(&model.fold(fold).checkpoint(checkpoint))?;
                Ok(GenericUNet::from_state(
                    architecture.clone(),
                    &checkpoint.state,
                    device,
                )?)
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self {
            plans,
            stage,
            networks,
        })
    }

    /// The plan of the model's stage.
    ///
    /// # Errors
    /// [`Error::Dataset`] if the plans lack it.
    pub fn stage_plan(&self) -> Result<&StagePlan, Error> {
        Ok(self.plans.stage(self.stage)?)
    }
}

/// Plans and stage in a checkpoint's `.model.pkl`.
fn record(file: &Path, folder: &Path) -> Result<(Plans, usize), Error> {
    let info = Info::read(file)?;
    if info.name.contains("Cascade") {
        let problem = format!(
            "{} is the second stage of a cascade, which needs the first stage's predictions; predict with a 3d_fullres, \
             3d_lowres or 2d model",
            info.name
        );
        return Err(Error::model(folder, problem));
    }
    let plans = Plans::from_value(&info.plans).map_err(|e| dataset::Error::from(e.in_file(file)))?;
    // init = (plans_file, fold, output_folder, dataset_directory, batch_dice, stage, ...)
    let init = info.init.as_items().unwrap_or_default();
    let stage = init
        .get(5)
        .and_then(Value::as_i64)
        .and_then(|stage| usize::try_from(stage).ok());
    let last = plans.plans_per_stage.keys().next_back().copied().unwrap_or(0);
    Ok((plans, stage.unwrap_or(last)))
}

impl Error {
    pub(crate) fn model(folder: &Path, problem: String) -> Self {
        Self::Model {
            folder: PathBuf::from(folder),
            problem,
        }
    }
}
