//! Evaluating a folder of predictions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use run::{CaseFailure, Context, NotFound, Options};
use serde::Serialize;
use volume::nifti;

use crate::metrics::{evaluate, MetricOptions};
use crate::scores::Scores;
use crate::summary::{write_summary, CaseScores, Results, Summary};
use crate::{Error, Region};

/// Options of [`evaluate_folder`].
#[run::options]
pub struct EvaluateOptions {
    /// Folder of reference segmentations, `.nii.gz` or `.nii`.
    #[schemars(length(min = 1))]
    pub reference_dir: PathBuf,
    /// Folder of predicted segmentations with the same file names.
    #[schemars(length(min = 1))]
    pub prediction_dir: PathBuf,
    /// Labels or unions of labels to evaluate. The default is every label that occurs in a case.
    #[schemars(length(min = 1))]
    pub labels: Option<Vec<Region>>,
    /// Excludes voxels that have this label in the reference, such as -1 for unlabelled ones.
    pub ignore_label: Option<i16>,
    /// Also measures "Hausdorff Distance 95" in millimetres (nnU-Net's `advanced`).
    #[default]
    pub hausdorff: bool,
    /// File to write. The default is `summary.json` in the folder of predictions.
    pub output: Option<PathBuf>,
    /// Writes undefined metrics as the bare token `NaN`, as nnU-Net v1 does, not as null.
    #[default]
    pub bare_nan: bool,
    /// Largest difference of spacing and origin (mm) and direction between a prediction and its reference.
    #[default(1e-3)]
    #[schemars(range(min = 0.0))]
    pub tolerance: f64,
    /// Skips references without a prediction, such as those of other folds.
    #[default]
    pub predicted_only: bool,
    /// Name of the task, recorded in the summary.
    #[default]
    pub task: String,
}

impl Options for EvaluateOptions {}

/// What was evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
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
/// [`Error::Option`], [`Error::NotFound`], [`Error::NoCases`], [`Error::Folder`], [`Error::Storage`], [`Error::Cancelled`].
pub fn evaluate_folder(options: &EvaluateOptions, context: &Context) -> Result<EvaluateSummary, Error> {
    run::validate(options)?;
    let predict = "run `nnunet-diag predict` first, or name another folder";
    NotFound::unless_exists("folder of predictions", &options.prediction_dir, predict)?;
    let other = "name the folder of the reference segmentations, such as labelsTs of the task";
    NotFound::unless_exists("folder of references", &options.reference_dir, other)?;
    let mut references = list(&options.reference_dir)?;
    let predictions = list(&options.prediction_dir)?;
    if options.predicted_only {
        references.retain(|case, _| predictions.contains_key(case));
    }
    let mut names: Vec<&String> = references.keys().chain(predictions.keys()).collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        return Err(Error::NoCases {
            folder: options.reference_dir.clone(),
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
                folder: options.prediction_dir.clone(),
            }),
            (None, _) => Err(Error::MissingReference {
                case: (*name).clone(),
                folder: options.reference_dir.clone(),
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
        .unwrap_or_else(|| options.prediction_dir.join("summary.json"));
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
        reason: e.to_string(),
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
        regions: options.labels.clone().unwrap_or_default(),
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
