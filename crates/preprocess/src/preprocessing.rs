//! Verb that writes preprocessed cases.

use std::path::PathBuf;

use run::{CaseFailure, Context, Job, Progress};
use serde::Serialize;
use storage::{copy_file, Links, LocalFolder};
use volume::voxels;

use crate::archive;
use crate::files::{copy_label, create};
use crate::finished::mark;
use crate::locations::class_locations;
use crate::memory::resampling;
use crate::output::{drop_unpacked, outputs, unfinished, warn_of_unlisted_cases, Output};
use crate::session::Session;
use crate::stage::Target;
use crate::task_cases::{TaskCases, TrainingCase};
use crate::{Error, Options};

/// Result of preprocessing.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PreprocessedCases")]
pub struct PreprocessSummary {
    /// `TaskXXX_NAME`
    pub task: String,
    /// Folders of preprocessed data, one per stage.
    pub folders: Vec<PathBuf>,
    /// Number of written cases.
    pub written: usize,
    /// Number of skipped cases, which were already finished.
    pub skipped: usize,
    /// Failed cases.
    pub failures: Vec<CaseFailure>,
}

/// A case and its missing outputs.
struct Work<'a> {
    case: &'a TrainingCase,
    outputs: Vec<&'a Output>,
}

/// Preprocesses the training cases for the requested configurations: crops, transposes, resamples,
/// normalises, samples class locations, and writes nnU-Net v1's `<case>.npz` and `<case>.pkl`.
///
/// Finished cases are skipped, unless `overwrite` is set. If a case fails, the others continue.
pub fn preprocess(options: &Options, context: &Context) -> Result<PreprocessSummary, Error> {
    preprocess_all(&Session::start("preprocess", options, context)?)
}

/// Runs [`preprocess`] for a verb that has already started.
pub(crate) fn preprocess_all(session: &Session<'_>) -> Result<PreprocessSummary, Error> {
    let Session {
        task, options, cases, ..
    } = session;
    let context = cases.context();
    let outputs = outputs(task, options)?;
    create(&task.preprocessed.join("gt_segmentations"))?;
    for output in &outputs {
        create(&output.folder)?;
        warn_of_unlisted_cases(output, task, context);
    }
    let mut jobs = vec![];
    let selected = session.selected();
    for case in &selected {
        context.check()?;
        let work = Work {
            case,
            outputs: unfinished(case, &outputs, options),
        };
        if !work.outputs.is_empty() {
            // A case that cannot be read fails later, in its own job.
            let bytes = bytes(&work, task).unwrap_or(0);
            jobs.push(Job {
                case: case.name.clone(),
                bytes,
                input: work,
            });
        }
    }
    let skipped = selected.len() - jobs.len();
    let progress = Progress {
        unit: "cases preprocessed",
        done: skipped as u64,
        total: selected.len() as u64,
    };
    let outcome = cases.run(&jobs, progress, |job| preprocess_one(&job.input, session))?;
    Ok(PreprocessSummary {
        task: task.name.clone(),
        folders: outputs.iter().map(|o| o.folder.clone()).collect(),
        written: outcome.results.iter().flatten().count(),
        skipped,
        failures: outcome.failures,
    })
}

/// Returns the peak memory of a case in bytes. It is the larger of reading and resampling: the cropped case,
/// its largest resampled form, and the copies of one channel.
fn bytes(work: &Work<'_>, task: &TaskCases) -> Result<u64, Error> {
    let channels = task.modalities.len();
    let (shape, reading) = work.case.source.extent(&work.case.name, channels)?;
    let spacing = work.case.source.spacing(&work.case.name)?;
    let mut largest = 0;
    for output in &work.outputs {
        largest = largest.max(voxels(output.target.shape(shape, spacing)?));
    }
    Ok(reading.max(resampling(voxels(shape), largest, channels)))
}

fn preprocess_one(work: &Work<'_>, session: &Session<'_>) -> Result<(), Error> {
    let Session {
        task, options, cases, ..
    } = session;
    let context = cases.context();
    let (name, cancel) = (&work.case.name, context.cancel());
    let mut loaded = work.case.source.load(name, options.reading(), cancel)?;
    session.notice_case(name, &mut loaded);
    let spacing = loaded.properties.original_spacing()?;
    // First, because a case with all its arrays is complete: a run after a killed one skips it.
    if let Some(label) = work.case.source.label(name) {
        copy_label(&label, &task.preprocessed)?;
    }
    let mut written: Vec<(Target, &Output)> = vec![];
    for output in &work.outputs {
        cancel.check()?;
        let npz = output.folder.join(format!("{name}.npz"));
        let pkl = output.folder.join(format!("{name}.pkl"));
        drop_unpacked(output, name, context)?;
        // 2D and 3D full resolution often have equal targets.
        let target = output.target.for_case(spacing);
        let duplicate = written
            .iter()
            .find(|(made, other)| *made == target && other.classes == output.classes);
        if let Some((_, duplicate)) = duplicate {
            copy_file(&duplicate.folder.join(format!("{name}.npz")), &npz, Links::Follow)?;
            copy_file(&duplicate.folder.join(format!("{name}.pkl")), &pkl, Links::Follow)?;
            continue;
        }
        let staged = target.apply(&loaded.cropped, spacing, cancel)?;
        let flat = staged.check_spread(&target, options.nonfinite)?;
        session.notice(name, flat.into_iter().collect());
        LocalFolder::write(session.local.as_ref(), &npz, cancel, |path| {
            archive::write(path, staged.data.view(), staged.segmentation.view(), cancel)
        })?;
        let mut properties = loaded.properties.clone();
        let use_mask = target.use_mask.iter().copied().enumerate().collect();
        properties.set_use_nonzero_mask_for_norm(use_mask);
        target.record(&staged, &mut properties);
        let locations = class_locations(staged.segmentation.view(), &output.classes, cancel)?;
        properties.set_class_locations(locations);
        mark(&mut properties, &target, &output.classes, options.reading());
        properties.write(&pkl)?;
        written.push((target, output));
    }
    Ok(())
}
