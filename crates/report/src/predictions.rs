//! Predictions: their scores and cases.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dataset::Plans;
use evaluate::measure::CaseMetrics;
use evaluate::{measure_folder, read_summary, EvaluateOptions};
use run::{CaseFailure, Context};
use volume::nifti;

use crate::data::{Predictions, Section};
use crate::images::{ImageFile, Images};
use crate::jobs::{Files, Job};
use crate::names::Names;
use crate::options::PageOptions;
use crate::scores::{defined, mean_dice, measures, of_summary, scores, worst_first};
use crate::section::{fact, part, Built, Depth};
use crate::{Error, Result};

/// Lists the NIfTI files of a folder by case.
pub(crate) fn list(folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    nifti::list(folder).map_err(|source| Error::Folder {
        folder: folder.to_owned(),
        source,
    })
}

/// Metrics of the cases of a folder, worst first, with failures. They are measured if there are references, and read from
/// `summary.json` otherwise.
pub(crate) fn metrics(
    folder: &Path,
    reference: Option<&Path>,
    options: &PageOptions,
    depth: Depth,
    context: &Context,
) -> Result<(Vec<CaseMetrics>, Vec<CaseFailure>)> {
    let file = folder.join("summary.json");
    // Read even where the cases are measured: a damaged file is an error.
    let summary = file.is_file().then(|| read_summary(&file)).transpose()?;
    let (mut cases, failures) = match reference {
        Some(reference) if depth == Depth::Full => {
            let mut given = EvaluateOptions::new(reference, folder);
            given.ignore_label = Some(options.ignore_label);
            given.predicted_only = true;
            given.measures = measures();
            let measured = measure_folder(&given, &part(context))?;
            (measured.cases, measured.failures)
        }
        _ => {
            let cases = summary.map(|summary| summary.results.all).unwrap_or_default();
            (cases.iter().map(of_summary).collect(), Vec::new())
        }
    };
    worst_first(&mut cases);
    Ok((cases, failures))
}

/// Jobs of the worst `count` cases; cases without scores follow in the order of their names.
pub(crate) fn jobs(
    files: &BTreeMap<String, PathBuf>,
    references: &BTreeMap<String, PathBuf>,
    metrics: &[CaseMetrics],
    images: &dyn Fn(&str) -> Vec<ImageFile>,
    names: &Names,
    count: usize,
) -> Vec<Job> {
    let scored = metrics
        .iter()
        .map(|case| (case.case.as_str(), defined(mean_dice(case))));
    let rest = files
        .keys()
        .filter(|name| !metrics.iter().any(|case| case.case == **name));
    let order = scored.chain(rest.map(|name| (name.as_str(), None)));
    order
        .filter_map(|(name, score)| Some((name, score, files.get(name)?)))
        .take(count)
        .map(|(name, score, file)| Job {
            section: 0,
            name: name.to_owned(),
            files: Files::Raw {
                images: images(name),
                reference: references.get(name).cloned(),
                prediction: Some(file.clone()),
            },
            score,
            names: names.clone(),
        })
        .collect()
}

/// The section of a folder of predictions.
pub(crate) fn build(path: &Path, options: &PageOptions, depth: Depth, context: &Context) -> Result<Built> {
    let files = list(path)?;
    let reference = options.reference.as_deref();
    let references = reference.map(list).transpose()?.unwrap_or_default();
    let (metrics, failures) = metrics(path, reference, options, depth, context)?;
    let parents = [reference, options.images.as_deref()].map(|folder| folder.and_then(Path::parent));
    // A prediction has the plans of its model beside it.
    let plans = Plans::read(&path.join("plans.pkl")).ok();
    let names = Names::find(parents.into_iter().flatten().chain([path])).or_channels(plans.as_ref());
    let found = Images::new(options.images.as_deref(), &[path.to_owned()])?;
    let images: BTreeMap<&str, Vec<ImageFile>> =
        files.keys().map(|case| (case.as_str(), found.of(case))).collect();
    let mut facts = vec![fact("Predictions", files.len())];
    if reference.is_some() {
        let known = files.keys().filter(|case| references.contains_key(*case)).count();
        facts.push(fact("With a reference", known));
    }
    let count = images.values().filter(|files| !files.is_empty()).count();
    facts.push(fact("With an image", count));
    if !failures.is_empty() {
        facts.push(fact("Failed", failures.len()));
    }
    let name = path.file_name().map_or_else(
        || path.display().to_string(),
        |n| n.to_string_lossy().into_owned(),
    );
    Ok(Built {
        jobs: jobs(
            &files,
            &references,
            &metrics,
            &|case| images.get(case).cloned().unwrap_or_default(),
            &names,
            options.cases,
        ),
        section: Section::Predictions(Predictions {
            kind: "predictions",
            name,
            path: path.display().to_string(),
            reference: reference.map(|folder| folder.display().to_string()),
            facts,
            scores: scores(&metrics, &names),
            cases: Vec::new(),
        }),
        metrics,
        names,
        failures,
    })
}
