//! The ensemble of two configurations on their validation cases.

use std::fs;
use std::path::Path;

use evaluate::postprocessing::{determine_postprocessing, DetermineOptions};
use evaluate::{evaluate_quietly, read_summary, Annotation, EvaluateOptions, Region, Results};
use run::{CaseLoop, Context, Job, Progress};
use volume::nifti;

use super::models::Model;
use super::{Candidate, Dice, FindBestConfigurationOptions};
use crate::merge::merge;
use crate::verb::memory;
use crate::Error;

const RAW: &str = "ensembled_raw";
const PROCESSED: &str = "ensembled_postprocessed";

/// Segments, evaluates and postprocesses every validation case with the mean of two models.
///
/// Source: `nnunet.evaluation.model_selection.ensemble.ensemble`.
pub(super) fn candidate(
    one: &Model,
    two: &Model,
    output: &Path,
    options: &FindBestConfigurationOptions,
    context: &Context,
) -> Result<Candidate, Error> {
    let part = |model: &Model| format!("{}__{}", model.configuration, model.identifier);
    let name = format!("ensemble_{}--{}", part(one), part(two));
    let folder = output.join(&name);
    let raw = folder.join(RAW);
    // Segmentations of an earlier run may be of other models.
    for stale in [&raw, &folder.join(PROCESSED)] {
        if stale.exists() {
            fs::remove_dir_all(stale).map_err(|e| failed(stale, e))?;
        }
    }
    fs::create_dir_all(&raw).map_err(|e| failed(&raw, e))?;
    segment(one, two, &raw, context)?;
    let references = one.folder.gt_niftis();
    let mut evaluation = EvaluateOptions::new(&*references, &*raw);
    evaluation.labels = Some(one.labels.iter().copied().map(Region::Label).collect());
    evaluation.ignore_label = options.ignore_label;
    evaluation.bare_nan = true;
    let before = evaluate_quietly(&evaluation, &Annotation::default(), context)?;
    all_done(before.failures)?;
    let after = if options.postprocessing {
        let mut selection = DetermineOptions::new(&folder, &references);
        RAW.clone_into(&mut selection.raw);
        PROCESSED.clone_into(&mut selection.processed);
        selection.bare_nan = true;
        selection.ignore_label = options.ignore_label;
        let rules = determine_postprocessing(&selection, context)?;
        let scores = read_summary(&folder.join(PROCESSED).join("summary.json"))?.results;
        Some((rules.label_lists(), dice(&scores)))
    } else {
        None
    };
    let configurations = vec![one.configuration, two.configuration];
    Ok(Candidate::new(
        name,
        configurations,
        &folder,
        dice(&before.results),
        after,
    ))
}

fn segment(one: &Model, two: &Model, raw: &Path, context: &Context) -> Result<(), Error> {
    let folds = one.folds.iter().zip(&two.folds);
    let jobs: Vec<_> = folds
        .flat_map(|((first, cases), (second, _))| {
            cases.iter().map(move |case| Job {
                bytes: memory(first, case),
                input: [first, second],
                case: case.clone(),
            })
        })
        .collect();
    let case_loop = CaseLoop::new(context)?.with_memory_budget(None);
    let outcome = case_loop.run(&jobs, Progress::new("cases", jobs.len()), |job| {
        let merged = merge(&job.input, &job.case, context.cancel())?;
        let file = raw.join(format!("{}.nii.gz", job.case));
        nifti::write_labels_cancellable(&file, merged.labels.view(), &merged.geometry, context.cancel())?;
        Ok::<_, Error>(())
    })?;
    all_done(outcome.failures)
}

/// Every case is required.
fn all_done(failures: Vec<run::CaseFailure>) -> Result<(), Error> {
    if failures.is_empty() {
        Ok(())
    } else {
        Err(evaluate::Error::Cases { failures }.into())
    }
}

fn dice(results: &Results) -> Dice {
    let defined = |dice: f64| Some(dice).filter(|dice| !dice.is_nan());
    results
        .mean
        .iter()
        .map(|(key, scores)| (key.clone(), defined(scores.dice)))
        .collect()
}

fn failed(folder: &Path, source: std::io::Error) -> Error {
    Error::Folder {
        folder: folder.to_owned(),
        source,
    }
}
