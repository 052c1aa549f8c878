//! Evaluation of a folder of predictions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dataset::files::only_one;
use run::{
    Cancel, CaseFailure, CaseLoop, Context, Event, Job, NotFound, OptionError, OptionResult, Options,
    Outcome, Progress, Shard,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use volume::nifti;

use crate::annotation::Annotation;
use crate::labels::{classes_of, Labels};
use crate::measure::{measure, require_softmax, softmax_memory, CaseMetrics, MeasureOptions, Pair};
use crate::metrics::{compare, Comparison, MetricOptions};
use crate::part;
use crate::report::Report;
use crate::summary::{write_summary, CaseScores, Results, Summary};
use crate::summary_v2::{self, Case, SummaryFormat};
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
    /// Labels or unions of labels to evaluate. The default is every label in a case.
    #[schemars(length(min = 1))]
    pub labels: Option<Vec<Region>>,
    /// Excludes voxels with this label in the reference, such as -1 for unlabelled voxels.
    pub ignore_label: Option<i16>,
    /// Accepts labels that occur in no case; their scores are undefined, as in nnU-Net v1. Otherwise they are an
    /// error.
    #[default]
    pub absent_labels: bool,
    /// Also measures "Hausdorff Distance 95" in millimetres (nnU-Net's `advanced`).
    ///
    /// With `ignoreLabel`, distances are measured between surfaces inside the labelled voxels. The border between an
    /// object and unlabelled voxels is not a surface. With labelled slices, the surface is the outline in each slice.
    #[default]
    pub hausdorff: bool,
    /// File to write. The default is `summary.json` in the folder of predictions.
    pub output: Option<PathBuf>,
    /// Form of the file: that of nnU-Net v1, or that of v2, which has Dice, IoU and counts.
    #[default]
    pub summary_format: SummaryFormat,
    /// Writes undefined metrics as the bare token `NaN`, as nnU-Net does, instead of null.
    #[default]
    pub bare_nan: bool,
    /// Maximum difference of spacing and origin, as a fraction of the voxel, and of direction cosines between a
    /// prediction and its reference.
    #[default(1e-3)]
    #[schemars(range(min = 0.0))]
    pub tolerance: f64,
    /// Skips references without a prediction, such as those of other folds.
    #[default]
    pub predicted_only: bool,
    /// Part of the cases, `I/N`: this machine compares part I of N, from 1, and writes `summary_part_I_of_N.json`. A last
    /// run with `mergeShards` instead writes the summary.
    pub shard: Option<Shard>,
    /// Number of parts. Takes the results of the parts instead of comparing, and writes the files of one run over all cases.
    /// The other options must be those of the parts. If no case failed, the files of the parts are then removed.
    #[schemars(range(min = 1))]
    pub merge_shards: Option<usize>,
    /// Name of the task in the summary.
    #[default]
    pub task: String,
    /// Further metrics.
    #[default]
    #[serde(flatten)]
    pub measures: MeasureOptions,
}

impl Options for EvaluateOptions {
    fn check(&self) -> OptionResult<()> {
        if self.shard.is_some() && self.merge_shards.is_some() {
            let problem = "expected either shard, for a part, or mergeShards, after all parts";
            return Err(OptionError::new("mergeShards", problem));
        }
        self.measures.check()
    }
}

impl EvaluateOptions {
    /// The written file of an evaluation of all cases.
    pub(crate) fn summary_file(&self) -> PathBuf {
        let usual = || self.prediction_dir.join("summary.json");
        self.output.clone().unwrap_or_else(usual)
    }
}

/// Result of the evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvaluateSummary {
    /// The written file.
    pub output: PathBuf,
    /// The part of the cases; null for all cases.
    pub shard: Option<Shard>,
    /// Results in the file.
    pub results: Results,
    /// Metrics that nnU-Net v1 does not have; null unless requested (`metrics`).
    pub report: Option<Report>,
    /// Cases that could not be evaluated, with reasons.
    pub failures: Vec<CaseFailure>,
}

/// Cases of both folders.
pub(crate) struct Folders {
    pub references: BTreeMap<String, PathBuf>,
    pub predictions: BTreeMap<String, PathBuf>,
    /// Case names in order.
    pub cases: Vec<String>,
}

/// Compares every prediction of a folder with its reference and writes nnU-Net's `summary.json`.
///
/// Cases run in parallel, each with its two label maps in memory. Failed cases (a missing counterpart,
/// different shapes or geometry, a damaged file) are listed in the summary. The means exclude them.
///
/// With `shard`, only a part of the cases is compared. Its exact results are kept in a file, without the checks of the
/// labels of all cases. With `merge_shards`, these results take the place of the comparison; the order in which the parts
/// were made does not matter.
///
/// # Errors
/// [`Error::Option`], [`Error::NotFound`], [`Error::NoCases`], [`Error::Folder`], [`Error::Storage`],
/// [`Error::Cancelled`]; with `merge_shards`, [`Error::NotFound`] and [`Error::Part`]. No file is written after [`Error::Cases`] (every case failed), [`Error::LabelsAbsent`] or
/// [`Error::LabelsUnknown`].
pub fn evaluate_folder(options: &EvaluateOptions, context: &Context) -> Result<EvaluateSummary, Error> {
    run::validate(options)?;
    let all = Folders::list(options)?;
    let cases = Shard::select(options.shard, all.cases.iter().collect());
    context.emit(Event::Started {
        verb: "evaluate",
        settings: json!({
            "referenceDir": options.reference_dir, "predictionDir": options.prediction_dir, "cases": cases.len(),
            "shard": options.shard, "mergeShards": options.merge_shards,
            "labels": options.labels, "ignoreLabel": options.ignore_label,
            "hausdorff": options.hausdorff, "metrics": options.measures.metrics, "workers": context.workers(),
        }),
    });
    require_softmax(&options.prediction_dir, all.predictions.keys(), &options.measures)?;
    if let Some(count) = options.merge_shards {
        let (cases, failures) = part::read(options, &all, count)?;
        let summary = finish(options, cases, failures, context)?;
        // A part with a failed case is evaluated again, but not the others.
        if summary.failures.is_empty() {
            part::remove(options, count)?;
        }
        return Ok(summary);
    }
    let everything = Annotation::default();
    // Files that change while they are compared differ from this state when the parts are merged.
    let states = options.shard.map(|_| part::states(options, &all, &cases));
    let Outcome { results, failures } = compare_all(options, &everything, &all, &cases, context)?;
    let compared: Vec<Compared> = results.into_iter().flatten().collect();
    match (options.shard, states) {
        (Some(shard), Some(states)) => part::write(options, shard, states, compared, failures),
        _ => finish(options, compared, failures, context),
    }
}

/// Checks the labels of all cases and writes the files.
fn finish(
    options: &EvaluateOptions,
    cases: Vec<Compared>,
    failures: Vec<CaseFailure>,
    context: &Context,
) -> Result<EvaluateSummary, Error> {
    if cases.is_empty() {
        return Err(Error::Cases { failures });
    }
    let labels = Labels::of(cases.iter().map(|case| &case.comparison));
    if let Some(regions) = options.labels.as_deref().filter(|_| !options.absent_labels) {
        labels.require(regions)?;
    }
    let classes = classes_of(&options.prediction_dir);
    labels.match_references(options.labels.as_deref(), classes.as_ref())?;
    let unknown = labels.only_predicted(options.labels.as_deref(), classes.as_ref());
    if !unknown.is_empty() {
        let message = format!(
            "predictions have the labels {unknown:?}, which no reference has and which were not requested; these voxels \
             count as wrong: check whether the predictions are of this task"
        );
        context.warn("WARN_UNLISTED_LABELS", message, None);
    }
    write(options, cases, failures)
}

/// Runs [`evaluate_folder`] as a part of another verb: without its start event, and without its checks of the whole
/// folder, and without what `annotation` leaves out.
///
/// # Errors
/// As [`evaluate_folder`].
pub fn evaluate_quietly(
    options: &EvaluateOptions,
    annotation: &Annotation,
    context: &Context,
) -> Result<EvaluateSummary, Error> {
    let Outcome { results, failures } = compare_listed(options, annotation, context)?;
    write(options, results.into_iter().flatten().collect(), failures)
}

/// Metrics of a folder of predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Metrics of each case, in the order of file names.
    pub cases: Vec<CaseMetrics>,
    /// Cases that could not be evaluated, with reasons.
    pub failures: Vec<CaseFailure>,
}

/// Measures every prediction of a folder as [`evaluate_folder`] does with `metrics`, and writes nothing.
///
/// # Errors
/// As [`evaluate_folder`], without those of labels and of writing.
pub fn measure_folder(options: &EvaluateOptions, context: &Context) -> Result<Measured, Error> {
    run::validate(options)?;
    let Outcome { results, failures } = compare_listed(options, &Annotation::default(), context)?;
    let cases: Vec<_> = results.into_iter().flatten().map(|case| case.metrics).collect();
    if cases.is_empty() {
        return Err(Error::Cases { failures });
    }
    Ok(Measured { cases, failures })
}

/// Compares every case of both folders.
fn compare_listed(
    options: &EvaluateOptions,
    annotation: &Annotation,
    context: &Context,
) -> Result<Outcome<Compared>, Error> {
    let all = Folders::list(options)?;
    let cases: Vec<&String> = all.cases.iter().collect();
    compare_all(options, annotation, &all, &cases, context)
}

fn compare_all(
    options: &EvaluateOptions,
    annotation: &Annotation,
    folders: &Folders,
    cases: &[&String],
    context: &Context,
) -> Result<Outcome<Compared>, Error> {
    let bytes = |case: &str| softmax_memory(&options.prediction_dir, case, &options.measures);
    let jobs: Vec<_> = cases
        .iter()
        .map(|name| Job {
            case: (*name).clone(),
            bytes: bytes(name),
            input: *name,
        })
        .collect();
    let progress = Progress::new("cases", jobs.len());
    CaseLoop::new(context)?
        .with_memory_budget(None)
        .run(&jobs, progress, |job| {
            match (
                folders.references.get(job.input),
                folders.predictions.get(job.input),
            ) {
                (Some(reference), Some(prediction)) => {
                    let cancel = context.cancel();
                    let files = [&**reference, &**prediction];
                    let more = !options.measures.metrics.is_empty();
                    let mut found = compare_files(&job.case, files, options, annotation, more, cancel)?;
                    annotation.leave_out(&job.case, &mut found.comparison);
                    Ok(found)
                }
                (_, None) => Err(Error::MissingPrediction {
                    case: job.case.clone(),
                    folder: options.prediction_dir.clone(),
                }),
                (None, _) => Err(Error::MissingReference {
                    case: job.case.clone(),
                    folder: options.reference_dir.clone(),
                }),
            }
        })
}

/// Writes the `summary.json`.
fn write(
    options: &EvaluateOptions,
    cases: Vec<Compared>,
    failures: Vec<CaseFailure>,
) -> Result<EvaluateSummary, Error> {
    let output = options.summary_file();
    let measured = !options.measures.metrics.is_empty();
    let metrics = cases
        .iter()
        .filter(|_| measured)
        .map(|case| case.metrics.clone())
        .collect();
    if options.summary_format == SummaryFormat::V2 {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let counted = cases.iter().map(|case| Case {
            reference: text(&case.reference),
            prediction: text(&case.prediction),
            voxels: case.comparison.voxels,
            regions: &case.comparison.counts,
        });
        let counted: Vec<_> = counted.collect();
        summary_v2::write(
            &output,
            &counted,
            options.labels.as_deref(),
            &failures,
            options.bare_nan,
        )?;
    }
    let all = cases.into_iter().map(Compared::scores).collect();
    let mut summary = Summary::new(Results::new(all), &options.task);
    if options.hausdorff && options.ignore_label.is_some() {
        SURFACES.clone_into(&mut summary.description);
    }
    summary.failures = failures;
    if options.summary_format == SummaryFormat::V1 {
        write_summary(&output, &summary, options.bare_nan)?;
    }
    let mut report = measured.then(|| Report::new(metrics, &options.measures));
    if let Some(report) = &mut report {
        report.write(&output, &options.measures, &summary.failures)?;
    }
    Ok(EvaluateSummary {
        output,
        shard: None,
        results: summary.results,
        report,
        failures: summary.failures,
    })
}

/// Description of a summary with surface distances of incomplete references.
const SURFACES: &str =
    "Hausdorff Distance 95: between surfaces inside the labelled voxels; the border of the labelled \
                        voxels is not a surface";

/// A compared case.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Compared {
    reference: PathBuf,
    prediction: PathBuf,
    pub comparison: Comparison,
    /// Metrics that nnU-Net v1 does not have; empty unless requested.
    pub metrics: CaseMetrics,
}

impl Compared {
    pub(crate) fn scores(self) -> CaseScores {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        CaseScores {
            regions: self.comparison.scores,
            reference: text(&self.reference),
            test: text(&self.prediction),
        }
    }
}

impl Folders {
    fn list(options: &EvaluateOptions) -> Result<Self, Error> {
        let predict = "run `nnunet-diag predict` first, or choose another folder";
        NotFound::unless_exists("folder of predictions", &options.prediction_dir, predict)?;
        let other = "choose the folder of the reference segmentations, such as labelsTs of the task";
        NotFound::unless_exists("folder of references", &options.reference_dir, other)?;
        let mut references = list(&options.reference_dir)?;
        let predictions = list(&options.prediction_dir)?;
        if options.predicted_only {
            references.retain(|case, _| predictions.contains_key(case));
        }
        let mut cases: Vec<String> = references.keys().chain(predictions.keys()).cloned().collect();
        cases.sort();
        cases.dedup();
        if cases.is_empty() {
            return Err(Error::NoCases {
                folder: options.reference_dir.clone(),
            });
        }
        Ok(Self {
            references,
            predictions,
            cases,
        })
    }
}

/// Lists the NIfTI files of a folder by case.
pub(crate) fn list(folder: &Path) -> Result<BTreeMap<String, PathBuf>, Error> {
    nifti::list(folder).map_err(|source| Error::Folder {
        folder: folder.to_owned(),
        source,
    })
}

/// Compares the files of a reference and its prediction. `more` also measures what nnU-Net v1 does not.
pub(crate) fn compare_files(
    case: &str,
    [reference, prediction]: [&Path; 2],
    options: &EvaluateOptions,
    annotation: &Annotation,
    more: bool,
    cancel: &Cancel,
) -> Result<Compared, Error> {
    only_one(reference)?;
    only_one(prediction)?;
    let (mut labels, place) = nifti::read_labels(reference)?;
    annotation.merge(&mut labels, options.ignore_label);
    cancel.check()?;
    let (predicted, found) = nifti::read_labels(prediction)?;
    cancel.check()?;
    let deviation = place.relative_deviation(&found);
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
    let comparison = compare(
        labels.view(),
        predicted.view(),
        found.spacing,
        &metric_options,
        cancel,
    )?;
    let metrics = if more {
        let pair = Pair {
            case,
            reference: labels.view(),
            prediction: predicted.view(),
            spacing: found.spacing,
            ignore_label: options.ignore_label,
            folder: &options.prediction_dir,
        };
        // The background is a region only on request.
        let regions = comparison.regions.iter();
        let regions: Vec<Region> = regions
            .filter(|region| options.labels.is_some() || **region != Region::Label(0))
            .cloned()
            .collect();
        measure(&pair, &regions, &comparison.scores, &options.measures, cancel)?
    } else {
        CaseMetrics::default()
    };
    Ok(Compared {
        reference: reference.to_owned(),
        prediction: prediction.to_owned(),
        comparison,
        metrics,
    })
}
