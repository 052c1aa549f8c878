//! Training data of a configuration, resolved and checked before anything is written.

use std::path::PathBuf;

use augment::cascade::CascadeOptions;
use augment::PipelineOptions;
use dataset::results::ModelFolder;
use dataset::splits::{
    check_fold, default_splits, ensure_splits, read_splits, split_for_fold, Split, SPLITS_FILE,
};
use dataset::{Configuration, Fold, Folders, Plans, StagePlan, Task};
use loader::{LoaderOptions, Phase};
use run::{Context, NotFound};

use crate::cases::preprocessed_cases;
use crate::present::{self, PresentLabels};
use crate::{DataOptions, Recipe, Result};

/// A preprocessed configuration of a task, with a recipe.
#[derive(Clone, Debug)]
pub struct TrainingData {
    /// The task.
    pub task: Task,
    /// nnU-Net's folders, including those from the environment.
    pub folders: Folders,
    /// Folder of the preprocessed task.
    pub preprocessed: PathBuf,
    /// File of the plans.
    pub plans_file: PathBuf,
    /// The plans, with the patch and batch size of the options in their stage.
    pub plans: Plans,
    /// Stage of the configuration in the plans.
    pub stage: usize,
    /// The plan of that stage.
    pub plan: StagePlan,
    /// Whether this is a cascade's second stage.
    pub cascade: bool,
    /// Folder of the preprocessed configuration.
    pub folder: PathBuf,
    /// All cases of that folder, sorted.
    pub cases: Vec<String>,
    /// Training and validation cases of the fold.
    pub split: Split,
    /// Sampling, ignore label, weights and loss.
    pub recipe: Recipe,
    /// The cases that are annotated for some of the classes only.
    pub present: PresentLabels,
    /// Folder of the previous stage's segmentations, for a cascade's second stage.
    pub previous_stage: Option<PathBuf>,
}

impl TrainingData {
    /// Resolves options, folders, plans and splits. Writes nothing. If the task has no splits, nnU-Net's
    /// splits are used.
    ///
    /// # Errors
    /// [`crate::Error::Option`], [`crate::Error::NotFound`], [`crate::Error::NoCases`],
    /// [`crate::Error::Dataset`].
    pub fn resolve(options: &DataOptions, context: &Context) -> Result<Self> {
        let recipe = options.recipe();
        recipe.validate_data()?;
        let folders = options.folders.resolve(context);
        let task = Task::resolve(&options.task, &folders)?;
        let preprocessed = task.preprocessed_folder(&folders)?;
        let plans_file = preprocessed.join(options.configuration.plans_file());
        let advice = format!(
            "run `nnunet-diag preprocess {} -c {}` first",
            task.name, options.configuration
        );
        NotFound::unless_exists("plans", &plans_file, &advice)?;
        let mut plans = Plans::read(&plans_file)?;
        let stage = options.configuration.stage(&plans)?;
        let mut plan = plans.stage(stage)?.clone();
        plan.batch_size = options.batch_size.unwrap_or(plan.batch_size);
        plan.patch_size = options.patch_size.clone().unwrap_or(plan.patch_size);
        plans.plans_per_stage.insert(stage, plan.clone());

        let folder = preprocessed.join(plans.data_folder(stage));
        let cases = preprocessed_cases(&folder, &advice)?;
        let splits_file = preprocessed.join(SPLITS_FILE);
        let splits = match options.fold {
            Fold::All => Vec::new(),
            Fold::Index(_) if splits_file.is_file() => read_splits(&splits_file)?,
            Fold::Index(_) => default_splits(&cases)?,
        };
        if !options.random_split {
            check_fold(&splits, options.fold)?;
        }
        let split = split_for_fold(&splits, &cases, options.fold)?;

        let cascade = options.configuration == Configuration::CascadeFullRes;
        let previous_stage = match (&options.previous_stage, cascade) {
            (_, false) => None,
            (Some(folder), true) => Some(folder.clone()),
            (None, true) => {
                let lower =
                    ModelFolder::locate(&folders, Configuration::LowRes, &task, options.trainer.name())?;
                Some(lower.path.join("pred_next_stage"))
            }
        };
        let present = present::read(
            options.present_labels.as_ref(),
            &preprocessed,
            &cases,
            plans.num_classes,
        )?;
        Ok(Self {
            present,
            task,
            folders,
            preprocessed,
            plans_file,
            plans,
            stage,
            plan,
            cascade,
            folder,
            cases,
            split,
            recipe,
            previous_stage,
        })
    }

    /// Writes nnU-Net's five folds to the preprocessed task if it has no splits, like nnU-Net before
    /// training.
    ///
    /// # Errors
    /// [`crate::Error::Dataset`] with the path.
    pub fn keep_splits(&self, fold: Fold) -> Result<()> {
        if let Fold::Index(_) = fold {
            ensure_splits(&self.preprocessed, &self.cases)?;
        }
        Ok(())
    }

    /// Options of the loader of a phase, for seed 0 and nnU-Net's schedule. The trainer overrides both.
    pub fn loader(&self, phase: Phase) -> LoaderOptions {
        let cases = match phase {
            Phase::Training => &self.split.train,
            Phase::Validation => &self.split.val,
        };
        LoaderOptions {
            previous_stage: self.previous_stage.clone(),
            batch_size: self.plan.batch_size,
            sampling: self.recipe.sampling,
            phase,
            ignored_labels: self.recipe.ignored_labels.clone(),
            highest_label: i16::try_from(self.plans.num_classes).ok(),
            ..LoaderOptions::new(&self.folder, cases.clone(), self.pipeline())
        }
    }

    fn pipeline(&self) -> PipelineOptions {
        let (plans, plan) = (&self.plans, &self.plan);
        let axes = plan.patch_size.len();
        let mut factor = vec![1.0; axes];
        let mut scales = vec![factor.clone()];
        // The coarsest decoder stage has one pooling less than the bottleneck.
        for pool in plan.pool_op_kernel_sizes.iter().rev().skip(1).rev() {
            factor.iter_mut().zip(pool).for_each(|(f, &p)| *f /= p as f64);
            scales.push(factor.clone());
        }
        let classes = || (1..=plans.num_classes as i16).collect();
        PipelineOptions {
            dummy_2d: plan.do_dummy_2d_data_aug && axes == 3,
            ignore_label: self.recipe.ignore_label,
            weightmap: self.recipe.voxel_weights,
            use_mask_for_norm: plans.use_mask_for_norm.values().copied().collect(),
            deep_supervision_scales: scales,
            reference_rules: self.recipe.augmentation.reference_rules,
            cascade: self.cascade.then(|| CascadeOptions::new(classes())),
            ..PipelineOptions::new(&plan.patch_size, plans.num_modalities)
        }
    }
}
