//! Verb that crops the cases, computes the fingerprint and writes plans.

use std::path::PathBuf;

use dataset::{CaseProperties, Configuration, Plans, PLANS_2D_FILE, PLANS_3D_FILE};
use run::{Context, OptionError};
use serde::Serialize;
use storage::{copy_file, Links};

use crate::collect::{collect, crop_selected};
use crate::files::create;
use crate::fingerprint::Fingerprint;
use crate::plan::{plan_2d, plan_3d, Planned};
use crate::record::{plans, Places};
use crate::session::Session;
use crate::task_cases::TaskCases;
use crate::{Error, Options};

/// Result of planning.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanSummary {
    /// `TaskXXX_NAME`
    pub task: String,
    /// Number of training cases; with `shard`, of its part.
    pub cases: usize,
    /// File of the fingerprint; null with `shard`, which only crops.
    pub fingerprint: Option<PathBuf>,
    /// Written plans files.
    pub plans: Vec<PathBuf>,
    /// Every planned configuration, lowest resolution first.
    pub configurations: Vec<ConfigurationSummary>,
}

/// A planned configuration, for display.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PlannedConfiguration")]
pub struct ConfigurationSummary {
    /// The configuration.
    pub configuration: Configuration,
    /// Stage of the configuration in the plans.
    pub stage: usize,
    /// Patch size in voxels after the transpose.
    pub patch_size: Vec<usize>,
    /// Number of samples per batch.
    pub batch_size: usize,
    /// Spacing in mm after the transpose.
    pub spacing: [f64; 3],
    /// Median shape after the transpose.
    pub median_shape: [usize; 3],
    /// Number of feature map values of one forward pass, proportional to memory.
    pub vram_estimate: u64,
    /// Maximum of the estimate at batch size 2.
    pub vram_reference: f64,
}

/// Crops every training case, computes the task's fingerprint, and writes the plans of the requested
/// configurations. Files and names are those of nnU-Net v1's `nnUNet_plan_and_preprocess -no_pp`.
///
/// Cropped cases are not read again. If a case fails, the others continue, and then planning fails.
///
/// With `shard`, only crops the cases of the part, into `nnUNet_cropped_data`. After all parts, a run without `shard`
/// computes the fingerprint from the cropped cases and writes the same files as one run alone.
pub fn plan_experiment(options: &Options, context: &Context) -> Result<PlanSummary, Error> {
    plan(&Session::start("plan", options, context)?)
}

/// Runs [`plan_experiment`] for a verb that has already started.
pub(crate) fn plan(session: &Session<'_>) -> Result<PlanSummary, Error> {
    let Session {
        task, options, cases, ..
    } = session;
    if options.shard.is_some() {
        return crop_part(session);
    }
    let fingerprint = collect(session)?;
    let summary = write_plans(task, &fingerprint, options, cases.context())?;
    mark_cropped(task, &fingerprint, &summary, options)?;
    Ok(summary)
}

/// Crops the cases of a part.
fn crop_part(session: &Session<'_>) -> Result<PlanSummary, Error> {
    if session.task.cropped.is_none() || !session.options.keep_cropped {
        let problem =
            "keeps its result in the cropped data: expected keepCropped, and the folder of raw data, where \
                       nnUNet_cropped_data lies";
        return Err(OptionError::new("shard", problem).into());
    }
    Ok(PlanSummary {
        task: session.task.name.clone(),
        cases: crop_selected(session)?,
        fingerprint: None,
        plans: vec![],
        configurations: vec![],
    })
}

/// Plans from the fingerprint and writes the plans.
fn write_plans(
    task: &TaskCases,
    fingerprint: &Fingerprint,
    options: &Options,
    context: &Context,
) -> Result<PlanSummary, Error> {
    let properties = task.preprocessed.join("dataset_properties.pkl");
    create(&task.preprocessed)?;
    pickle::write_file(&properties, &fingerprint.to_value())?;
    copy_file(
        &task.dataset_json,
        &task.preprocessed.join("dataset.json"),
        Links::Follow,
    )?;
    let mut summary = PlanSummary {
        task: task.name.clone(),
        cases: fingerprint.cases.len(),
        fingerprint: Some(properties),
        plans: vec![],
        configurations: vec![],
    };
    let full = options.overrides_of(Configuration::FullRes);
    let three = [
        Configuration::LowRes,
        Configuration::FullRes,
        Configuration::CascadeFullRes,
    ];
    if three.into_iter().any(|c| options.wants(c)) {
        let low = options.overrides_of(Configuration::LowRes);
        let planned = plan_3d(fingerprint, &options.rules, &full, &low)?;
        summary.add(task, fingerprint, &planned, PLANS_3D_FILE, context)?;
        if planned.stages.len() == 1 {
            warn_of_missing_stage(options, context);
        }
    }
    if options.wants(Configuration::TwoD) {
        let over = options.overrides_of(Configuration::TwoD);
        let planned = plan_2d(fingerprint, &options.rules, &over)?;
        summary.add(task, fingerprint, &planned, PLANS_2D_FILE, context)?;
    }
    Ok(summary)
}

/// Warns that a requested configuration was not planned.
fn warn_of_missing_stage(options: &Options, context: &Context) {
    for wanted in [Configuration::LowRes, Configuration::CascadeFullRes] {
        if options.names(wanted) {
            let message = format!(
                "{wanted} was not planned: one patch of 3d_fullres covers enough of a case; train 3d_fullres, or set a \
                 spacing for 3d_lowres"
            );
            context.warn("WARN_ONE_STAGE", message, None);
        }
    }
}

impl PlanSummary {
    fn add(
        &mut self,
        task: &TaskCases,
        fingerprint: &Fingerprint,
        planned: &Planned,
        file: &'static str,
        context: &Context,
    ) -> Result<(), Error> {
        let flat = file == PLANS_2D_FILE;
        let cropped = task.cropped.clone().unwrap_or_default();
        let npz = |case: &String| cropped.join(format!("{case}.npz")).to_string_lossy().into_owned();
        let places = Places {
            cropped_files: fingerprint.cases.iter().map(npz).collect(),
            preprocessed_folder: task.preprocessed.to_string_lossy().into_owned(),
        };
        let path = task.preprocessed.join(file);
        plans(fingerprint, planned, places, flat).write(&path)?;
        self.plans.push(path);
        for (stage, found) in planned.stages.iter().enumerate() {
            let configuration = match (flat, stage + 1 == planned.stages.len()) {
                (true, _) => Configuration::TwoD,
                (false, true) => Configuration::FullRes,
                (false, false) => Configuration::LowRes,
            };
            let summary = ConfigurationSummary {
                configuration,
                stage,
                patch_size: found.pooling.patch.clone(),
                batch_size: found.batch_size,
                spacing: found.spacing,
                median_shape: found.median_shape,
                vram_estimate: found.vram,
                vram_reference: found.vram_reference,
            };
            summary.warn_if_large(context);
            self.configurations.push(summary);
        }
        Ok(())
    }
}

impl ConfigurationSummary {
    /// The planner stays within its reference. An overridden patch or batch size may exceed it.
    fn warn_if_large(&self, context: &Context) {
        let needed = self.vram_estimate as f64 * self.batch_size as f64 / 2.0;
        if needed > self.vram_reference {
            let message = format!(
                "{}: patch {:?} with batch size {} needs about {:.1} times the GPU memory that nnU-Net plans for; \
                 reduce either if training runs out of memory",
                self.configuration,
                self.patch_size,
                self.batch_size,
                needed / self.vram_reference
            );
            context.warn("WARN_VRAM", message, None);
        }
    }
}

/// Records in the cropped cases whether masks are used, as nnU-Net v1's planner does.
fn mark_cropped(
    task: &TaskCases,
    fingerprint: &Fingerprint,
    summary: &PlanSummary,
    options: &Options,
) -> Result<(), Error> {
    let (Some(folder), true, Some(path)) = (&task.cropped, options.keep_cropped, summary.plans.first())
    else {
        return Ok(());
    };
    let use_mask = Plans::read(path)?.use_mask_for_norm;
    for case in &fingerprint.cases {
        let pkl = folder.join(format!("{case}.pkl"));
        let mut properties = CaseProperties::read(&pkl)?;
        if properties.use_nonzero_mask_for_norm().ok().as_ref() != Some(&use_mask) {
            properties.set_use_nonzero_mask_for_norm(use_mask.clone());
            properties.write(&pkl)?;
        }
    }
    Ok(())
}
