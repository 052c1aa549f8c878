//! What a run needs, resolved and checked before anything is written.

use std::path::{Path, PathBuf};

use augment::cascade::CascadeOptions;
use augment::PipelineOptions;
use dataset::results::ModelFolder;
use dataset::splits::{ensure_splits, split_for_fold, Split};
use dataset::{Configuration, Fold, Plans, StagePlan, Task};
use loader::{LoaderOptions, Phase};
use pickle::Value;
use run::Context;

use super::options::TrainOptions;
use crate::checkpoint::Info;
use crate::network::Architecture;
use crate::{Compute, Error, Recipe, Result};

/// A run, resolved.
pub(super) struct Setup {
    pub recipe: Recipe,
    pub compute: Compute,
    pub architecture: Architecture,
    pub plan: StagePlan,
    pub split: Split,
    pub batch_dice: bool,
    /// Folder of the preprocessed configuration.
    pub data: PathBuf,
    pub model: ModelFolder,
    pub info: Info,
    pipeline: PipelineOptions,
    previous_stage: Option<PathBuf>,
}

impl Setup {
    /// Resolves options against folders and plans.
    pub fn new(options: &TrainOptions, context: &Context) -> Result<Self> {
        check_counts(options)?;
        let recipe = options.recipe()?;
        let compute = Compute::new(&options.device, options.precision)?;
        let folders = options.folders.resolve(context);
        let part = |e: dataset::Error| Error::part(&e);
        let task = Task::resolve(&options.task, &folders).map_err(part)?;
        let preprocessed = task.preprocessed_folder(&folders).map_err(part)?;
        let plans_file = preprocessed.join(options.configuration.plans_file());
        let mut plans_value = pickle::read_file(&plans_file).map_err(|e| Error::part(&e))?;
        let mut plans = Plans::read(&plans_file).map_err(part)?;
        let stage = options.configuration.stage(&plans).map_err(part)?;
        let mut plan = plans.stage(stage).map_err(part)?.clone();
        let cascade = options.configuration == Configuration::CascadeFullRes;
        let architecture = Architecture::from_plans(&plans, stage, cascade)?;
        if options.batch_size.is_some() || options.patch_size.is_some() {
            plan.batch_size = options.batch_size.unwrap_or(plan.batch_size);
            plan.patch_size = options.patch_size.clone().unwrap_or(plan.patch_size);
            plans.plans_per_stage.insert(stage, plan.clone());
            // Prediction takes the patch size from here.
            plans_value = plans.to_value();
        }
        let size: Vec<i64> = plan.patch_size.iter().map(|&n| n as i64).collect();
        architecture.validate_patch(&size)?;
        recipe.validate(&options.trainer, plans.num_classes + 1)?;

        let data = preprocessed.join(plans.data_folder(stage));
        let cases = preprocessed_cases(&data)?;
        let splits = match options.fold {
            Fold::All => Vec::new(),
            Fold::Index(_) => ensure_splits(&preprocessed, &cases).map_err(part)?,
        };
        let split = split_for_fold(&splits, &cases, options.fold).map_err(part)?;

        let trainer = if cascade && options.trainer == "nnUNetTrainerV2" {
            "nnUNetTrainerV2CascadeFullRes" // nnU-Net v1 has its own class for this stage
        } else {
            &options.trainer
        };
        let model = match &options.output_folder {
            Some(folder) => ModelFolder::new(folder),
            None => ModelFolder::locate(&folders, options.configuration, &task, trainer).map_err(part)?,
        };
        let previous_stage = match (&options.previous_stage, cascade) {
            (_, false) => None,
            (Some(folder), true) => Some(folder.clone()),
            (None, true) => {
                let lower = ModelFolder::locate(&folders, Configuration::LowRes, &task, &options.trainer);
                Some(lower.map_err(part)?.path.join("pred_next_stage"))
            }
        };
        // v1's get_default_configuration: the batch is one pseudo volume in 2D and for full resolution after low.
        let two_stages = plans.plans_per_stage.len() > 1;
        let batch_dice = match options.configuration {
            Configuration::TwoD => true,
            Configuration::LowRes => false,
            _ => two_stages,
        };
        let init = [
            text(&plans_file),
            match options.fold {
                Fold::Index(fold) => Value::Int(fold.into()),
                Fold::All => Value::from("all"),
            },
            text(&model.path),
            text(&preprocessed),
            batch_dice.into(),
            Value::Int(stage as i64),
            options.unpack.into(),
            options.deterministic.into(),
            (compute.kind == tch::Kind::Half).into(),
        ];
        let info = Info {
            init: Value::Tuple(init.to_vec()),
            name: trainer.to_owned(),
            class: python_class(trainer),
            plans: plans_value,
        };
        let pipeline = pipeline(&plans, &plan, &recipe, cascade);
        Ok(Self {
            recipe,
            compute,
            architecture,
            plan,
            split,
            batch_dice,
            data,
            model,
            info,
            pipeline,
            previous_stage,
        })
    }

    /// Writes the plans that the model was trained with to its folder.
    pub fn plans_file(&self, path: &Path) -> Result<()> {
        pickle::write_file(path, &self.info.plans).map_err(|e| Error::part(&e))
    }

    /// Options of the loader of a phase that begins at (epoch, iteration).
    pub fn loader(&self, options: &TrainOptions, phase: Phase, epoch: u64, iteration: u64) -> LoaderOptions {
        let training = phase == Phase::Training;
        let cases = if training {
            &self.split.train
        } else {
            &self.split.val
        };
        LoaderOptions {
            previous_stage: self.previous_stage.clone(),
            batch_size: self.plan.batch_size,
            sampling: self.recipe.sampling,
            phase,
            seed: options.seed,
            // Validation batches are cheap: nothing is turned.
            threads: if training { options.loader_threads } else { 1 },
            first_epoch: epoch,
            first_iteration: iteration,
            iterations: if training {
                options.iterations
            } else {
                options.validation_iterations
            },
            epochs: Some(options.epochs),
            unpack: options.unpack,
            ..LoaderOptions::new(&self.data, cases.clone(), self.pipeline.clone())
        }
    }
}

fn check_counts(options: &TrainOptions) -> Result<()> {
    let counts = [
        ("epochs", options.epochs),
        ("iterations", options.iterations),
        ("validationIterations", options.validation_iterations),
        ("saveEvery", options.save_every),
        ("batchSize", options.batch_size.unwrap_or(1) as u64),
    ];
    if let Some((option, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
        return Err(Error::Option {
            option,
            problem: "expected at least 1, found 0".to_owned(),
        });
    }
    if !(options.initial_lr.is_finite() && options.initial_lr > 0.0) {
        let problem = format!("expected a positive number, found {}", options.initial_lr);
        return Err(Error::Option {
            option: "initialLr",
            problem,
        });
    }
    Ok(())
}

/// Cases of a preprocessed configuration: the npz files that are not a previous stage's segmentation.
fn preprocessed_cases(folder: &Path) -> Result<Vec<String>> {
    let mut cases = Vec::new();
    let missing = |problem: String| Error::Input {
        folder: folder.to_owned(),
        problem,
    };
    let entries = std::fs::read_dir(folder).map_err(|e| {
        missing(format!(
            "{e}; expected preprocessed cases, preprocess this configuration first"
        ))
    })?;
    for entry in entries {
        let name = entry.map_err(|e| Error::io(folder, e))?.file_name();
        if let Some(case) = name.to_str().and_then(|n| n.strip_suffix(".npz")) {
            if !case.ends_with("segFromPrevStage") && !case.starts_with('.') {
                cases.push(case.to_owned());
            }
        }
    }
    if cases.is_empty() {
        return Err(missing(
            "holds no preprocessed case (*.npz); preprocess this configuration first".to_owned(),
        ));
    }
    cases.sort();
    Ok(cases)
}

fn pipeline(plans: &Plans, plan: &StagePlan, recipe: &Recipe, cascade: bool) -> PipelineOptions {
    let axes = plan.patch_size.len();
    let mut factor = vec![1.0; axes];
    let mut scales = vec![factor.clone()];
    // The coarsest decoder stage has one pooling less than the bottleneck.
    for pool in plan.pool_op_kernel_sizes.iter().rev().skip(1).rev() {
        factor.iter_mut().zip(pool).for_each(|(f, &p)| *f /= p as f64);
        scales.push(factor.clone());
    }
    PipelineOptions {
        dummy_2d: plan.do_dummy_2d_data_aug && axes == 3,
        ignore_label: recipe.ignore_label.map(|_| sampling::UNLABELLED),
        weightmap: recipe.voxel_weights,
        use_mask_for_norm: plans.use_mask_for_norm.values().copied().collect(),
        deep_supervision_scales: scales,
        cascade: cascade.then(|| CascadeOptions::new((1..=plans.num_classes as i16).collect())),
        ..PipelineOptions::new(&plan.patch_size, plans.num_modalities)
    }
}

fn text(path: &Path) -> Value {
    Value::from(path.to_string_lossy().into_owned())
}

/// A trainer's Python class as nnU-Net v1 and DIAG's fork write it into checkpoints.
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
