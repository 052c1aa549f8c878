//! What predictions with models of nnU-Net v1 and v2 do before their first case and after the last.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use dataset::files;
use dataset::results::ModelFolder;
use engine::{device_name, Compute};
use evaluate::postprocessing::{read_rules, Rules};
use rayon::prelude::*;
use run::{CaseFailure, CaseLoop, Context, Job, NotFound, Outcome, Shard};
use serde_json::json;
use settings::{PredictOptions, PredictSummary};
use tch::Kind;

use crate::existing::{warn_of_replaced, Existing};
use crate::model::Model;
use crate::window::WindowOptions;
use crate::Error;

/// The postprocessing of the model that the options ask for, checked.
pub(crate) fn rules_of(options: &PredictOptions) -> Result<Option<Rules>, Error> {
    let file = ModelFolder::new(&options.model).postprocessing();
    if !options.postprocessing || !file.is_file() {
        return Ok(None);
    }
    let rules = read_rules(&file)?;
    rules.check()?;
    Ok(Some(rules))
}

/// Warns of folds that are left out, and of mirroring that the model does not allow.
pub(crate) fn warn_of_model(model: &Model, options: &PredictOptions, context: &Context) {
    if !model.unfinished.is_empty() {
        let unfinished: Vec<_> = model.unfinished.iter().map(|fold| fold.folder()).collect();
        let used: Vec<_> = model.folds.iter().map(|fold| fold.folder()).collect();
        let message = format!(
            "{} {} no {}.model and {} left out; the prediction averages {}; finish the training, or name the folds",
            unfinished.join(", "),
            if unfinished.len() == 1 { "has" } else { "have" },
            options.checkpoint_name(),
            if unfinished.len() == 1 { "is" } else { "are" },
            used.join(", ")
        );
        context.warn("WARN_UNFINISHED_FOLDS", message, None);
    }
    if options.mirroring && !model.mirrored {
        let message = format!(
            "{} trains without mirroring, so that the prediction does not average mirrored copies",
            model.trainer
        );
        context.warn("WARN_NO_MIRRORING", message, None);
    }
}

/// The text in the header of a segmentation that tells its model and settings from others.
pub(crate) fn record(
    model: &Model,
    window: &WindowOptions,
    options: &PredictOptions,
    rules: Option<&Rules>,
) -> String {
    let mut digest = model.digest;
    let folds: Vec<_> = model.folds.iter().map(|fold| fold.folder()).collect();
    digest.text(&folds.join(" "));
    // The precision is left out: results differ in rounding only, and another machine may continue.
    digest.text(
        &json!([
            window,
            options.export_mode(),
            rules.map(|r| (&r.for_which_classes, &r.minimum_sizes, r.full_connectivity))
        ])
        .to_string(),
    );
    format!("nnunet-diag predict {}", digest.hex())
}

/// Why the precision was chosen, and what it means for the result.
pub(crate) fn precision_reason(compute: &Compute) -> String {
    match compute.kind {
        Kind::BFloat16 | Kind::Half => format!(
            "{}; labels may differ from those in float32 at a few voxels",
            compute.reason
        ),
        _ => compute.reason.clone(),
    }
}

/// Number of finished cases, and the other cases.
pub(crate) fn split(
    cases: Vec<(String, PathBuf)>,
    existing: impl Fn(&str, &Path) -> Existing + Sync,
    options: &PredictOptions,
    case_loop: &CaseLoop<'_>,
) -> Result<(usize, Vec<String>), Error> {
    let total = cases.len();
    if options.overwrite {
        return Ok((0, cases.into_iter().map(|(case, _)| case).collect()));
    }
    let jobs: Vec<_> = cases
        .into_iter()
        .map(|(case, image)| Job::new(case, image))
        .collect();
    let (cancel, context) = (case_loop.context().cancel(), case_loop.context());
    // Whole files are read, as many at a time as there are workers.
    let states = case_loop.pool().install(|| {
        jobs.par_iter()
            .map(|job| {
                cancel.check()?;
                Ok((job.case.clone(), existing(&job.case, &job.input)))
            })
            .collect::<Result<Vec<_>, Error>>()
    })?;
    warn_of_replaced(&states, &options.output, context);
    let todo = states.into_iter().filter(|(_, state)| *state != Existing::Done);
    let todo: Vec<_> = todo.map(|(case, _)| case).collect();
    Ok((total - todo.len(), todo))
}

/// Returns the cases of the input folder, or those of the part that the options ask for, each with one of its images. Warns of files that belong to no case, so
/// that a misnamed file is noticed.
pub(crate) fn list_cases(
    options: &PredictOptions,
    channels: usize,
    context: &Context,
) -> Result<Vec<(String, PathBuf)>, Error> {
    let folder = options.input.as_path();
    NotFound::unless_exists("folder of images", folder, "name an existing folder")?;
    let found = files::ImageFolder::list(folder)?;
    if found.cases.is_empty() {
        return Err(Error::NoCases {
            folder: folder.to_owned(),
            channels,
        });
    }
    let beyond = found.cases.values().flat_map(|files| files.range(channels..));
    let unexpected: Vec<_> = found
        .others
        .iter()
        .chain(beyond.map(|(_, path)| path))
        .map(|path| path.file_name().unwrap_or_default().to_string_lossy())
        .collect();
    if !unexpected.is_empty() {
        let message = format!(
            "{} holds files that are ignored: {}; the model uses <case>_0000 to <case>_{:04}",
            folder.display(),
            unexpected.join(", "),
            channels.saturating_sub(1)
        );
        context.warn("WARN_UNEXPECTED_FILES", message, None);
    }
    let image = |mut files: BTreeMap<usize, PathBuf>| files.pop_first().map(|(_, path)| path);
    let cases = found.cases.into_iter();
    let cases = cases
        .filter_map(|(case, files)| Some((case, image(files)?)))
        .collect();
    Ok(Shard::select(options.shard, cases))
}

/// Creates a folder of outputs and its parents.
pub(crate) fn create_folder(folder: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|source| {
        let path = folder.to_owned();
        dataset::Error::Io { path, source }.into()
    })
}

/// Leaves out the cases that failed in the first stage of a cascade.
pub(crate) fn leave_out(cases: &mut Vec<(String, PathBuf)>, failed: &[CaseFailure]) {
    cases.retain(|(case, _)| failed.iter().all(|failure| failure.case != *case));
}

/// The summary before the first case.
pub(crate) fn summary_of(
    options: &PredictOptions,
    compute: &Compute,
    skipped: usize,
    postprocessing: Option<Vec<Vec<i16>>>,
) -> PredictSummary {
    PredictSummary {
        written: 0,
        skipped,
        postprocessing,
        failures: Vec::new(),
        output: options.output.clone(),
        device: device_name(compute.device),
        precision: compute.precision_name().to_owned(),
        seconds: 0.0,
    }
}

/// The summary after the last case. `failed` are the cases that failed in the first stage of a cascade.
pub(crate) fn finished(
    mut summary: PredictSummary,
    failed: Vec<CaseFailure>,
    outcome: Outcome<()>,
    start: Instant,
) -> PredictSummary {
    summary.written = outcome.results.iter().flatten().count();
    summary.failures = failed;
    summary.failures.extend(outcome.failures);
    summary.failures.sort_by(|one, two| one.case.cmp(&two.case));
    summary.seconds = start.elapsed().as_secs_f64();
    summary
}
