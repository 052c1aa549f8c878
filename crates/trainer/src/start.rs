//! What a run finds in its fold's folder, and its claim on the folder.

use std::fs;
use std::path::{Path, PathBuf};

use dataset::results::{fold_lock, FoldFolder, BEST_CHECKPOINT, FINAL_CHECKPOINT, LATEST_CHECKPOINT};
use dataset::Plans;
use engine::checkpoint::Checkpoint;
use run::{Context, NotFound};
use settings::TrainOptions;
use storage::Lock;

use crate::record::epochs_in;
use crate::setup::Setup;
use crate::{Error, Result};

/// Returns the checkpoint to continue from. nnU-Net v1 prefers a final checkpoint. Here `model_latest` comes
/// first: a finished run removes it, so if both exist, `model_latest` belongs to a run that was continued
/// after its end.
pub(crate) fn last_checkpoint(fold: &FoldFolder) -> Option<PathBuf> {
    let names = [LATEST_CHECKPOINT, FINAL_CHECKPOINT, BEST_CHECKPOINT];
    names
        .into_iter()
        .map(|name| fold.checkpoint(name))
        .find(|path| path.is_file())
}

/// How a run begins.
pub(crate) enum Start {
    /// In a fold without checkpoints.
    New,
    /// From the beginning; the fold's folder is moved aside.
    Replace,
    /// From this checkpoint.
    Continue(PathBuf),
    /// Nothing is trained; this final checkpoint is validated.
    Validate(PathBuf),
}

impl Start {
    /// Decides by the options and the fold's checkpoints. Writes nothing.
    ///
    /// # Errors
    /// [`Error::FoldExists`] if the run would replace checkpoints without being told to.
    pub fn find(options: &TrainOptions, fold: &FoldFolder, context: &Context) -> Result<Self> {
        if options.validation_only {
            let path = fold.checkpoint(FINAL_CHECKPOINT);
            let advice =
                "the fold's training is not finished; run without --validation-only, with --continue";
            NotFound::unless_exists("final checkpoint", &path, advice)?;
            return Ok(Self::Validate(path));
        }
        match last_checkpoint(fold) {
            Some(path) if options.resume => Ok(Self::Continue(path)),
            None if options.resume => {
                let message = format!(
                    "{} holds no checkpoint to continue from; training starts from the beginning",
                    fold.path.display()
                );
                context.warn("WARN_NOTHING_TO_CONTINUE", message, None);
                Ok(Self::New)
            }
            Some(_) if options.overwrite => Ok(Self::Replace),
            Some(path) => Err(Error::FoldExists {
                epochs: epochs_in(&fold.path),
                path,
            }),
            None => Ok(Self::New),
        }
    }

    /// The checkpoint to continue from, read; the default one for a new run.
    ///
    /// # Errors
    /// [`Error::DamagedLatest`] if `model_latest` cannot be read, but another checkpoint of the fold can.
    pub fn checkpoint(&self, fold: &FoldFolder) -> Result<Checkpoint> {
        let path = match self {
            Self::New | Self::Replace => return Ok(Checkpoint::default()),
            Self::Continue(path) | Self::Validate(path) => path,
        };
        Checkpoint::read(path).map_err(|error| {
            let others = [FINAL_CHECKPOINT, BEST_CHECKPOINT].map(|name| fold.checkpoint(name));
            let whole = others
                .into_iter()
                .filter(|other| other != path)
                .find_map(|other| Some((Checkpoint::read(&other).ok()?.epochs, other)));
            match whole {
                Some((epochs, whole)) => Error::DamagedLatest {
                    path: path.clone(),
                    problem: error.to_string(),
                    whole,
                    epochs,
                },
                None => error.into(),
            }
        })
    }
}

/// The right to write into a fold's folder, and the model's plans in place.
pub(crate) struct Claim {
    /// Deleted when the run ends. `None` in all ranks but the first, which holds it for them.
    _lock: Option<Lock>,
}

impl Claim {
    /// Takes the lock of the fold, moves a replaced fold aside, and writes the model's `plans.pkl` if this is its
    /// first fold. Called when the first batch is ready: a run that fails before leaves the folder as it was.
    ///
    /// # Errors
    /// [`storage::Error::Locked`]; [`Error::FoldExists`] if another run finished since the start;
    /// [`Error::ModelPlans`] if the model's other folds have other plans.
    pub fn take(options: &TrainOptions, setup: &Setup, start: &Start, context: &Context) -> Result<Self> {
        let fold = setup.model.fold(options.data.fold);
        let folder = &setup.model.path;
        fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
        let lock = Lock::acquire(&fold_lock(&fold.path))?;
        if let (Start::New, Some(path)) = (start, last_checkpoint(&fold)) {
            let epochs = epochs_in(&fold.path);
            return Err(Error::FoldExists { path, epochs });
        }
        let replaced = match start {
            Start::Replace => Some(storage::move_aside(&fold.path)?),
            _ => None,
        };
        if let Some(error) = plans_problem(options, setup, start)? {
            if let Some(aside) = &replaced {
                // The old fold is what the model's other folds go with.
                let _ = fs::rename(aside, &fold.path);
            }
            return Err(error);
        }
        if let Some(aside) = replaced {
            let message = format!("the previous run was moved to {}", aside.display());
            context.warn("WARN_FOLD_REPLACED", message, None);
        }
        fs::create_dir_all(&fold.path).map_err(|e| Error::io(&fold.path, e))?;
        Ok(Self { _lock: Some(lock) })
    }

    /// The part of the other ranks in the claim of the first, which has it already.
    pub fn of_first_rank() -> Self {
        Self { _lock: None }
    }
}

/// Refuses early if another process trains the fold. [`Claim::take`] decides.
///
/// # Errors
/// [`storage::Error::Locked`].
pub(crate) fn refuse_locked(fold: &FoldFolder) -> Result<()> {
    Ok(Lock::refuse_held(&fold_lock(&fold.path))?)
}

/// Compares the run's plans with the model's, and writes them if the model has none, or no fold that goes with them.
fn plans_problem(options: &TrainOptions, setup: &Setup, start: &Start) -> Result<Option<Error>> {
    let path = setup.model.plans();
    if !path.is_file() {
        setup.write_plans(&path)?;
        return Ok(None);
    }
    let differences = differences(&Plans::read(&path)?, &setup.data.plans, setup.data.stage);
    if differences.is_empty() {
        return Ok(None);
    }
    let continues = matches!(start, Start::Continue(_) | Start::Validate(_));
    if !continues && !has_other_folds(&setup.model.path, &setup.model.fold(options.data.fold))? {
        setup.write_plans(&path)?;
        return Ok(None);
    }
    Ok(Some(Error::ModelPlans {
        path,
        differences: differences.join("; "),
    }))
}

/// Whether another fold of the model has a checkpoint.
fn has_other_folds(model: &Path, this: &FoldFolder) -> Result<bool> {
    for entry in fs::read_dir(model).map_err(|e| Error::io(model, e))? {
        let entry = entry.map_err(|e| Error::io(model, e))?;
        let fold = entry.file_name().to_str().and_then(dataset::Fold::from_folder);
        if let Some(fold) = fold.filter(|fold| *fold != this.fold) {
            let path = entry.path();
            if last_checkpoint(&FoldFolder { path, fold }).is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Entries of the plans that decide about the network or its input, where they differ.
fn differences(found: &Plans, expected: &Plans, stage: usize) -> Vec<String> {
    let mut all = Vec::new();
    macro_rules! compare {
        ($($name:literal: $a:expr, $b:expr;)*) => {$(
            if $a != $b {
                all.push(format!("{} {:?}, this run {:?}", $name, $a, $b));
            }
        )*};
    }
    compare! {
        "num_modalities": found.num_modalities, expected.num_modalities;
        "num_classes": found.num_classes, expected.num_classes;
        "base_num_features": found.base_num_features, expected.base_num_features;
        "conv_per_stage": found.conv_per_stage, expected.conv_per_stage;
        "transpose_forward": found.transpose_forward, expected.transpose_forward;
        "normalization_schemes": found.normalization_schemes, expected.normalization_schemes;
        "use_mask_for_norm": found.use_mask_for_norm, expected.use_mask_for_norm;
    }
    let intensities = |plans: &Plans| plans.dataset_properties.get("intensityproperties").cloned();
    if intensities(found) != intensities(expected) {
        all.push("the intensities of the training cases (intensityproperties)".to_owned());
    }
    match (
        found.plans_per_stage.get(&stage),
        expected.plans_per_stage.get(&stage),
    ) {
        (Some(a), Some(b)) => {
            compare! {
                "patch_size": a.patch_size, b.patch_size;
                "batch_size": a.batch_size, b.batch_size;
                "pool_op_kernel_sizes": a.pool_op_kernel_sizes, b.pool_op_kernel_sizes;
                "conv_kernel_sizes": a.conv_kernel_sizes, b.conv_kernel_sizes;
                "current_spacing": a.current_spacing, b.current_spacing;
                "do_dummy_2D_data_aug": a.do_dummy_2d_data_aug, b.do_dummy_2d_data_aug;
            }
        }
        _ => all.push(format!("it has no stage {stage}")),
    }
    all
}
