//! Evaluating a folder of predictions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use run::{CaseFailure, Context};
use serde::{Deserialize, Serialize};
use volume::nifti;

use crate::metrics::{evaluate, MetricOptions};
use crate::scores::Scores;
use crate::summary::{write_summary, CaseScores, Results, Summary};
use crate::{Error, Region};

/// What to evaluate.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvaluateOptions {
    /// Folder of reference segmentations, `.nii.gz` or `.nii`.
    pub reference: PathBuf,
    /// Folder of predictions under the same names.
    pub prediction: PathBuf,
    /// Labels or unions of labels to evaluate; none means every label that occurs in a case.
    #[serde(default)]
    pub labels: Vec<Region>,
    /// Voxels with this value in the reference count for nothing, such as -1 for voxels that the user left unlabelled.
    #[serde(default)]
    pub ignore_label: Option<i16>,
    /// Whether to measure "Hausdorff Distance 95" (nnU-Net's `advanced`).
    #[serde(default)]
    pub hausdorff: bool,
    /// Where to write; by default `summary.json` in the folder of predictions.
    #[serde(default)]
    pub output: Option<PathBuf>,
    /// Whether to write undefined metrics as the bare token `NaN`, as nnU-Net v1 does, instead of null.
    #[serde(default)]
    pub bare_nan: bool,
    /// Largest difference in spacing, origin (mm) and direction between a prediction and its reference.
    #[serde(default = "default_tolerance")]
    pub tolerance: f64,
    /// Whether references without a prediction are passed over, such as those of other folds, instead of being failures.
    #[serde(default)]
    pub predicted_only: bool,
    /// Name of the task, to be recorded.
    #[serde(default)]
    pub task: String,
}

fn default_tolerance() -> f64 {
    1e-3
}

impl EvaluateOptions {
    /// Evaluates every label of the predictions in one folder against the references in another.
    pub fn new(reference: &Path, prediction: &Path) -> Self {
        Self {
            reference: reference.to_owned(),
            prediction: prediction.to_owned(),
            labels: Vec::new(),
            ignore_label: None,
            hausdorff: false,
            output: None,
            bare_nan: false,
            tolerance: default_tolerance(),
            predicted_only: false,
            task: String::new(),
        }
    }
}

/// What was evaluated.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EvaluateSummary {
    /// The file written.
    pub output: PathBuf,
    /// Its results.
    pub results: Results,
    /// Cases that could not be evaluated, and why.
    pub failures: Vec<CaseFailure>,
}

/// Compares every prediction of a folder with its reference and writes nnU-Net's `summary.json`.
///
/// Cases are worked on in parallel, each with its two label maps in memory. A case that fails (a file without its
/// counterpart, different shapes or geometry, a damaged file) is listed in the summary; the means are over the others.
///
/// # Errors
/// [`Error::NoCases`], [`Error::Folder`], [`Error::Storage`], [`Error::Cancelled`].
pub fn evaluate_folder(options: &EvaluateOptions, context: &Context) -> Result<EvaluateSummary, Error> {
    let mut references = list(&options.reference)?;
    let predictions = list(&options.prediction)?;
    if options.predicted_only {
        references.retain(|case, _| predictions.contains_key(case));
    }
    let mut names: Vec<&String> = references.keys().chain(predictions.keys()).collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        return Err(Error::NoCases {
            folder: options.reference.clone(),
        });
    }
    let done = AtomicU64::new(0);
    let total = names.len() as u64;
    let case = |name: &&String| {
        context.check()?;
        let result = match (references.get(*name), predictions.get(*name)) {
            (Some(reference), Some(prediction)) => compare(reference, prediction, options),
            (_, None) => Err(Error::MissingPrediction {
                case: (*name).clone(),
                folder: options.prediction.clone(),
            }),
            (None, _) => Err(Error::MissingReference {
                case: (*name).clone(),
                folder: options.reference.clone(),
            }),
        };
        context.progress(
            done.fetch_add(1, Ordering::Relaxed) + 1,
            total,
            "cases",
            Some(name),
        );
        Ok(result.map_err(|error| CaseFailure::new(*name, &error)))
    };
    let cases: Result<Vec<_>, Error> = pool(context)?.install(|| names.par_iter().map(case).collect());
    let (mut all, mut failures) = (Vec::new(), Vec::new());
    for case in cases? {
        match case {
            Ok(scores) => all.push(scores),
            Err(failure) => failures.push(failure),
        }
    }
    let output = options
        .output
        .clone()
        .unwrap_or_else(|| options.prediction.join("summary.json"));
    let mut summary = Summary::new(Results::new(all), &options.task);
    summary.failures = failures;
    write_summary(&output, &summary, options.bare_nan)?;
    Ok(EvaluateSummary {
        output,
        results: summary.results,
        failures: summary.failures,
    })
}

/// A pool of the caller's number of threads.
pub(crate) fn pool(context: &Context) -> Result<rayon::ThreadPool, Error> {
    context.pool().map_err(|e| Error::Threads {
        problem: e.to_string(),
    })
}

/// NIfTI files of a folder by case.
pub(crate) fn list(folder: &Path) -> Result<BTreeMap<String, PathBuf>, Error> {
    let problem = |source| Error::Folder {
        folder: folder.to_owned(),
        source,
    };
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        let name = path
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        let case = name.strip_suffix(".nii.gz").or_else(|| name.strip_suffix(".nii"));
        if let (Some(case), false) = (case, name.starts_with('.')) {
            files.insert(case.to_owned(), path);
        }
    }
    Ok(files)
}

fn compare(reference: &Path, prediction: &Path, options: &EvaluateOptions) -> Result<CaseScores, Error> {
    let (labels, place) = nifti::read_labels(reference)?;
    let (predicted, found) = nifti::read_labels(prediction)?;
    let deviation = place.deviation(&found);
    if labels.dim() == predicted.dim() && !deviation.within(options.tolerance) {
        return Err(Error::Geometry {
            prediction: prediction.to_owned(),
            expected: Box::new(place),
            found: Box::new(found),
            deviation,
            tolerance: options.tolerance,
        });
    }
    let metric_options = MetricOptions {
        regions: options.labels.clone(),
        ignore_label: options.ignore_label,
        hausdorff: options.hausdorff,
    };
    let regions: BTreeMap<String, Scores> =
        evaluate(labels.view(), predicted.view(), found.spacing, &metric_options)?;
    let text = |path: &Path| path.to_string_lossy().into_owned();
    Ok(CaseScores {
        regions,
        reference: text(reference),
        test: text(prediction),
    })
}
