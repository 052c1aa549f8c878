//! The verb `predict` for a model of nnU-Net v2.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use dataset::files::ImageFolder;
use engine::Compute;
use run::{CaseFailure, CaseLoop, Context, Event, Job, NotFound, OptionError};
use serde_json::json;
use settings::{PredictOptions, PredictSummary};
use storage::LocalFolder;
use v2::{ModelFolder, PreviousStage};

use super::cascade::{previous_stage, PreviousFolder};
use super::case::{write, Target};
use super::model::DynamicModel;
use crate::existing::state_of;
use crate::memory::Softmax;
use crate::predict::publish;
use crate::setup::{create_folder, finished, leave_out, list_cases, precision_reason, split, summary_of};
use crate::Error;

/// Segments every case of `options.input`; see [`crate::predict`].
///
/// Source: `nnUNetPredictor.predict_from_files`.
pub(crate) fn predict(
    folder: ModelFolder,
    options: &PredictOptions,
    compute: &Compute,
    start: Instant,
    context: &Context,
) -> Result<PredictSummary, Error> {
    if let Some(segmentations) = &options.lowres_segmentations {
        if folder.settings.previous_stage.is_none() {
            let expected = "a model of the second stage of a cascade";
            return Err(OptionError::expected("model", expected, options.model.display()).into());
        }
        let advice = "name the folder of segmentations by the previous stage of the cascade";
        NotFound::unless_exists("folder of segmentations", segmentations, advice)?;
        let previous = (segmentations.clone(), Vec::new());
        return stage(folder, options, Some(previous), compute, start, context);
    }
    let Some((first, first_options)) = previous_stage(&folder, options)? else {
        return stage(folder, options, None, compute, start, context);
    };
    let found = stage(first, &first_options, None, compute, start, context)?;
    let previous = (first_options.output, found.failures);
    stage(folder, options, Some(previous), compute, start, context)
}

/// Segments every case with one model. `previous` are the segmentations of the previous stage of a cascade, and the cases
/// that failed there.
fn stage(
    folder: ModelFolder,
    options: &PredictOptions,
    previous: Option<(PathBuf, Vec<CaseFailure>)>,
    compute: &Compute,
    start: Instant,
    context: &Context,
) -> Result<PredictSummary, Error> {
    let case_loop = CaseLoop::new(context)?;
    let model = DynamicModel::load(folder, options, compute, context)?;
    let ending = model.folder.dataset.file_ending.as_str();
    let mut cases = list_cases(options, model.channels(), context)?;
    check_channels(&options.input, model.channels())?;
    let (previous, failed) = previous.unzip();
    let failed = failed.unwrap_or_default();
    leave_out(&mut cases, &failed);
    check_endings(&cases, ending)?;
    let previous = previous.map(|folder| PreviousFolder { folder, ending });
    create_folder(&options.output)?;
    v2::copy_descriptions(&model.folder.path, &options.output)?;
    // The closures may not share the networks with another thread.
    let (record, folder, export) = (model.record(), &model.folder, &model.export);
    let record_of = |case: &str| match &previous {
        Some(previous) => format!("{record} {}", previous.digest(case)),
        None => record.clone(),
    };
    let existing = |case: &str, image: &Path| {
        let file = export.segmentation_file(&options.output, case);
        let saved = || options.output.join(format!("{case}.pkl")).is_file() && saved(&options.output, case);
        let saved: Option<&dyn Fn() -> bool> = if options.save_softmax { Some(&saved) } else { None };
        state_of(&file, &record_of(case), image, saved)
    };
    let (skipped, todo) = split(cases, existing, options, &case_loop)?;
    let summary = summary_of(options, compute, skipped, None);
    let predictor = &model.predictor;
    context.emit(Event::Started {
        verb: "predict",
        settings: json!({
            "device": summary.device, "precision": summary.precision,
            "precisionReason": precision_reason(compute),
            "folds": model.folds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            "checkpoint": model.checkpoint.file(), "trainer": model.trainer,
            "configuration": model.folder.configuration,
            "lowresSegmentations": previous.as_ref().map(PreviousFolder::folder),
            "mirrorAxes": predictor.options().mirror_axes, "patchSize": predictor.patch_size(), "cases": todo.len(),
            "workers": context.workers(),
        }),
    });
    let jobs: Vec<_> = todo.into_iter().map(|case| Job::new(case, ())).collect();
    let cancel = context.cancel();
    let several = jobs.len() > 1;
    let channels = model.channels();
    let local = LocalFolder::of_option::<Error>(options.scratch.as_deref())?;
    // From a folder of this machine, the results are moved to the output folder.
    let made = local.as_ref().map_or(&*options.output, LocalFolder::path);
    let outcome = case_loop.pipeline(
        &jobs,
        |job| {
            let images = dataset::files::channel_files(&options.input, &job.case, channels)?;
            let file = previous
                .as_ref()
                .map(|previous| previous.file(&job.case))
                .transpose()?;
            let preprocessed = v2::preprocess(
                &job.case,
                &images,
                &folder.plans,
                &folder.settings,
                &folder.dataset,
                file.as_deref().map(PreviousStage::File),
                options.nonfinite,
                context,
            )?;
            Ok::<_, Error>((preprocessed.data, preprocessed.properties))
        },
        |job, (data, properties), share| {
            let mut report = |done, all| share.report(done, all);
            let target = target(options, made, &job.case, several);
            let predicted = model.predict(&data, &properties, &target, options, context, &mut report)?;
            Ok((predicted, properties))
        },
        |job, (predicted, properties)| {
            let record = record_of(&job.case);
            let target = target(options, made, &job.case, several);
            write(&target, &record, export, predicted, &properties, cancel)?;
            publish(local.as_ref(), &job.case, ending, &options.output, cancel)
        },
    )?;
    Ok(finished(summary, failed, outcome, start))
}

fn target<'a>(options: &PredictOptions, folder: &'a Path, case: &'a str, several: bool) -> Target<'a> {
    Target {
        case: Some(case),
        folder: Some(folder),
        softmax: Softmax::in_files(options.save_softmax),
        several,
    }
}

/// Whether the probabilities of a case are whole.
fn saved(folder: &Path, case: &str) -> bool {
    let file = folder.join(format!("{case}.npz"));
    volume::npz::read::<half::f16>(&file, v2::PROBABILITIES).is_ok_and(|values| values.ndim() == 4)
}

/// Checks that at least one case has the channels of the model, before a case is read. A single case without them fails
/// alone.
fn check_channels(folder: &Path, expected: usize) -> Result<(), Error> {
    let cases = ImageFolder::list(folder)?.cases;
    let fits = |files: &BTreeMap<usize, PathBuf>| files.keys().copied().eq(0..expected);
    match cases.iter().next() {
        Some((case, files)) if !cases.values().any(fits) => Err(Error::Channels {
            folder: folder.to_owned(),
            case: case.clone(),
            found: files.len(),
            expected,
        }),
        _ => Ok(()),
    }
}

/// Checks that the images end as those of the training, before a case is read. `.nii` and `.nii.gz` are read alike, but
/// v2 looks for one ending only.
fn check_endings(cases: &[(String, PathBuf)], ending: &str) -> Result<(), Error> {
    let other = cases
        .iter()
        .find(|(_, image)| !image.to_string_lossy().ends_with(ending));
    match other {
        Some((_, image)) => Err(Error::Ending {
            path: image.clone(),
            expected: ending.to_owned(),
        }),
        None => Ok(()),
    }
}
