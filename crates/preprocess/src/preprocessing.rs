//! The verb that writes preprocessed cases.

use std::path::PathBuf;

use run::{CaseFailure, Context, Job, Progress};
use serde::Serialize;
use storage::{copy_file, Links};

use crate::archive;
use crate::files::{copy_label, create};
use crate::finished::mark;
use crate::locations::class_locations;
use crate::output::{drop_unpacked, outputs, unfinished, warn_of_strangers, Output};
use crate::session::Session;
use crate::stage::Target;
use crate::task_cases::{TaskCases, TrainingCase};
use crate::{Error, Options};

/// What was preprocessed.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PreprocessedCases")]
pub struct PreprocessSummary {
    /// `TaskXXX_NAME`
    pub task: String,
    /// Folders of preprocessed data, one a stage.
    pub folders: Vec<PathBuf>,
    /// Cases written.
    pub written: usize,
    /// Cases that were finished before.
    pub skipped: usize,
    /// Cases that failed.
    pub failures: Vec<CaseFailure>,
}

/// A case and the outputs that it lacks.
struct Work<'a> {
    case: &'a TrainingCase,
    outputs: Vec<&'a Output>,
}

/// Preprocesses the training cases for every planned configuration asked for: crops, transposes, resamples, normalises, draws
/// class locations, and writes nnU-Net v1's `<case>.npz` and `<case>.pkl`.
///
/// Cases that are finished are skipped, unless `overwrite`. A case that fails does not stop the others.
pub fn preprocess(options: &Options, context: &Context) -> Result<PreprocessSummary, Error> {
    preprocess_all(&Session::start("preprocess", options, context)?)
}

/// [`preprocess`] of a verb that has started.
pub(crate) fn preprocess_all(session: &Session<'_>) -> Result<PreprocessSummary, Error> {
    let Session { task, options, cases } = session;
    let context = cases.context();
    let outputs = outputs(task, options)?;
    create(&task.preprocessed.join("gt_segmentations"))?;
    for output in &outputs {
        create(&output.folder)?;
        warn_of_strangers(output, task, context);
    }
    let mut jobs = vec![];
    for case in &task.cases {
        context.check()?;
        let work = Work {
            case,
            outputs: unfinished(case, &outputs, options),
        };
        if !work.outputs.is_empty() {
            // A case that cannot be read fails in its own turn.
            let bytes = bytes(&work, task).unwrap_or(0);
            jobs.push(Job {
                case: case.name.clone(),
                bytes,
                input: work,
            });
        }
    }
    let skipped = task.cases.len() - jobs.len();
    let progress = Progress {
        unit: "cases preprocessed",
        done: skipped as u64,
        total: task.cases.len() as u64,
    };
    let outcome = cases.run(&jobs, progress, |job| {
        preprocess_one(&job.input, task, options, context)
    })?;
    Ok(PreprocessSummary {
        task: task.name.clone(),
        folders: outputs.iter().map(|o| o.folder.clone()).collect(),
        written: outcome.results.iter().flatten().count(),
        skipped,
        failures: outcome.failures,
    })
}

/// Bytes that a case takes at its peak: reading it, or its cropped form beside its largest resampled one and the copies that
/// resampling makes of one channel.
fn bytes(work: &Work<'_>, task: &TaskCases) -> Result<u64, Error> {
    let channels = task.modalities.len();
    let (shape, reading) = work.case.source.extent(&work.case.name, channels)?;
    let spacing = work.case.source.spacing(&work.case.name)?;
    // A wrong spacing makes numbers beyond all bounds; such a case fails in its own turn.
    let voxels = |shape: [usize; 3]| shape.iter().fold(1u64, |n, &axis| n.saturating_mul(axis as u64));
    let mut largest = 0;
    for output in &work.outputs {
        largest = largest.max(voxels(output.target.shape(shape, spacing)?));
    }
    let case = 4 * channels as u64 + 2;
    let resampling = voxels(shape).saturating_add(largest).saturating_mul(case + 4);
    Ok(reading.max(resampling))
}

fn preprocess_one(
    work: &Work<'_>,
    task: &TaskCases,
    options: &Options,
    context: &Context,
) -> Result<(), Error> {
    let (name, cancel) = (&work.case.name, context.cancel());
    let mut loaded = work.case.source.load(name, options.unlabelled, cancel)?;
    loaded.cropped.remove_nan(cancel)?;
    let spacing = loaded.properties.original_spacing()?;
    let mut written: Vec<(Target, &Output)> = vec![];
    for output in &work.outputs {
        cancel.check()?;
        let npz = output.folder.join(format!("{name}.npz"));
        let pkl = output.folder.join(format!("{name}.pkl"));
        drop_unpacked(output, name, context)?;
        // 2D and 3D full resolution are often one and the same.
        let target = output.target.for_case(spacing);
        let twin = written
            .iter()
            .find(|(made, other)| *made == target && other.classes == output.classes);
        if let Some((_, twin)) = twin {
            copy_file(&twin.folder.join(format!("{name}.npz")), &npz, Links::Follow)?;
            copy_file(&twin.folder.join(format!("{name}.pkl")), &pkl, Links::Follow)?;
            continue;
        }
        let staged = target.apply(&loaded.cropped, spacing, cancel)?;
        archive::write(&npz, staged.data.view(), staged.segmentation.view(), cancel)?;
        let mut properties = loaded.properties.clone();
        let use_mask = target.use_mask.iter().copied().enumerate().collect();
        properties.set_use_nonzero_mask_for_norm(use_mask);
        target.record(&staged, &mut properties);
        let locations = class_locations(staged.segmentation.view(), &output.classes, cancel)?;
        properties.set_class_locations(locations);
        mark(&mut properties, &target, &output.classes, options.unlabelled);
        properties.write(&pkl)?;
        written.push((target, output));
    }
    match work.case.source.label(name) {
        Some(label) => copy_label(&label, &task.preprocessed),
        None => Ok(()),
    }
}
