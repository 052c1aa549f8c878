//! Setup of a run: options, folders and plans, resolved and checked before anything is written.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use dataset::results::ModelFolder;
use dataset::{Configuration, Fold};
use loader::{Element, Format, LoaderOptions, Phase};
use pickle::Value;
use recipe::{Trainer, TrainingData};
use run::{Context, OptionError};
use tch::Kind;

use crate::ranks::{samples, Ranks};
use crate::time_limit::TimeLimit;
use crate::Result;
use engine::checkpoint::Info;
use engine::optimizer::poly_learning_rate;
use engine::{Architecture, Compute, Kernels};
use settings::{ClassWeights, TrainOptions};

/// The resolved setup of a run.
pub(crate) struct Setup {
    pub data: TrainingData,
    pub compute: Compute,
    pub architecture: Architecture,
    pub batch_dice: bool,
    pub model: ModelFolder,
    pub info: Info,
    /// Folder of the reference segmentations, on the images' own grids.
    pub references: PathBuf,
    pub time_limit: TimeLimit,
    /// The samples of each batch that this process makes, where several ranks share it.
    pub samples: Option<Range<usize>>,
    /// Number of ranks.
    pub ranks: usize,
    /// A text that the ranks of this training share, and no other training of this machine has.
    pub key: String,
}

impl Setup {
    /// Resolves options, folders and plans.
    pub fn new(options: &TrainOptions, started: Instant, context: &Context) -> Result<Self> {
        let time_limit = TimeLimit::new(options, started);
        let compute = Compute::new(&options.compute)?;
        let data = TrainingData::resolve(&options.weighted_data(), context)?;
        let (plans, cascade) = (&data.plans, data.cascade);
        let architecture = Architecture::from_plans(plans, data.stage, cascade)?;
        let size: Vec<i64> = data.plan.patch_size.iter().map(|&n| n as i64).collect();
        architecture.validate_patch(&size)?;
        let classes = plans.num_classes + 1;
        let mut recipe = data.recipe.clone();
        match &options.class_weights {
            Some(weights @ ClassWeights::Values(values)) if values.len() != classes => {
                let expected = format!("{classes} weights (background first)");
                return Err(OptionError::expected("classWeights", expected, weights).into());
            }
            // The weights are computed when the run begins; any valid ones stand for them here.
            Some(ClassWeights::Auto) => recipe.loss.set_class_weights(&vec![1.0; classes]),
            _ => {}
        }
        recipe.validate(options.data.trainer, classes)?;
        data.keep_splits(options.data.fold)?;

        let trainer = if cascade && options.data.trainer == Trainer::V2 {
            "nnUNetTrainerV2CascadeFullRes" // nnU-Net v1 uses another class for this stage
        } else {
            options.data.trainer.name()
        };
        let model = match &options.output_folder {
            Some(folder) => ModelFolder::new(folder),
            None => ModelFolder::locate(&data.folders, options.data.configuration, &data.task, trainer)?,
        };
        // v1's get_default_configuration: Dice is over the batch in 2D, and in full resolution after low
        // resolution.
        let two_stages = plans.plans_per_stage.len() > 1;
        let batch_dice = match options.data.configuration {
            Configuration::TwoD => true,
            Configuration::LowRes => false,
            _ => two_stages,
        };
        let init = [
            text(&data.plans_file),
            match options.data.fold {
                Fold::Index(fold) => Value::Int(fold.into()),
                Fold::All => Value::from("all"),
            },
            text(&model.path),
            text(&data.preprocessed),
            batch_dice.into(),
            Value::Int(data.stage as i64),
            options.unpack.into(),
            options.deterministic.into(),
            (compute.kind == Kind::Half).into(),
        ];
        let info = Info {
            init: Value::Tuple(init.to_vec()),
            name: trainer.to_owned(),
            class: python_class(trainer),
            plans: if options.data.batch_size.is_some() || options.data.patch_size.is_some() {
                // Prediction reads the patch size from here.
                plans.to_value()
            } else {
                pickle::read_file(&data.plans_file)?
            },
        };
        Ok(Self {
            time_limit,
            samples: None,
            ranks: 1,
            key: std::process::id().to_string(),
            compute,
            architecture,
            batch_dice,
            model,
            info,
            references: data.preprocessed.join("gt_segmentations"),
            data,
        })
    }

    /// The setup of one of several ranks.
    ///
    /// # Errors
    /// [`OptionError`] if a rank would have no sample.
    pub fn shared(mut self, ranks: &Ranks) -> Result<Self> {
        if ranks.size() > 1 {
            self.samples = Some(samples(self.data.plan.batch_size, ranks.rank(), ranks.size())?);
            self.ranks = ranks.size();
            self.key = ranks.key();
        }
        Ok(self)
    }

    /// Writes the plans of the training to the model folder.
    pub fn write_plans(&self, path: &Path) -> Result<()> {
        Ok(pickle::write_file(path, &self.info.plans)?)
    }

    /// Options of a phase's loader, beginning at (epoch, iteration).
    pub fn loader(&self, options: &TrainOptions, phase: Phase, epoch: u64, iteration: u64) -> LoaderOptions {
        let (threads, iterations) = match phase {
            Phase::Training => (options.loader_threads, options.iterations),
            // Validation batches are not rotated, so they need little time.
            Phase::Validation => (1, options.validation_iterations),
        };
        LoaderOptions {
            seed: options.data.seed,
            threads,
            first_epoch: epoch,
            first_iteration: iteration,
            iterations,
            epochs: Some(options.epochs),
            unpack: options.unpack,
            format: self.batch_format(),
            samples: self.samples.clone(),
            ..self.data.loader(phase)
        }
    }

    /// Content of the batches: for this crate's own kernels, which are for CPUs, all of it; else what the
    /// device needs, to spare the bus.
    fn batch_format(&self) -> Format {
        match (self.compute.kernels, self.compute.kind) {
            (Kernels::Fused, _) => Format::Full,
            (Kernels::Composed, Kind::Half) => Format::Compact {
                image: Element::Float16,
            },
            (Kernels::Composed, Kind::BFloat16) => Format::Compact {
                image: Element::BFloat16,
            },
            (Kernels::Composed, _) => Format::Compact {
                image: Element::Float32,
            },
        }
    }

    /// For each deep-supervision scale and axis, the voxels of the finest target that it consists of.
    pub fn target_sources(&self) -> Result<Vec<Vec<Vec<u32>>>> {
        Ok(self.data.loader(Phase::Training).target_sources()?)
    }
}

/// Learning rate of an epoch: nnU-Net's poly schedule.
pub(crate) fn learning_rate(options: &TrainOptions, epoch: u64) -> f64 {
    poly_learning_rate(epoch, options.epochs, options.initial_lr)
}

fn text(path: &Path) -> Value {
    Value::from(path.to_string_lossy().into_owned())
}

/// Python class of a trainer, as nnU-Net v1 and DIAG's fork write it into checkpoints.
fn python_class(trainer: &str) -> String {
    let module = match trainer {
        "nnUNetTrainerV2Sparse" | "nnUNetTrainerV2SparseNormalSampling" => "diag.nnUNetTrainerV2Sparse",
        "nnUNetTrainerV2Weighted" => "diag.nnUNetTrainerV2Weighted",
        "nnUNetTrainerV2CascadeFullRes" => "nnUNetTrainerV2_CascadeFullRes",
        "nnUNetTrainer_V2_Loss_CEandDice_Weighted" => {
            "nnUNet_variants.loss_function.nnUNetTrainerV2_Loss_CEandDice_Weighted"
        }
        other => other,
    };
    format!("<class 'nnunet.training.network_training.{module}.{trainer}'>")
}
