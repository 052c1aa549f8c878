//! Postprocessing of a folder.

use std::path::{Path, PathBuf};

use ndarray::ArrayViewMut3;
use run::{CaseFailure, CaseLoop, Context, Event, Job, NotFound, Options, Progress, Shard};
use serde::Serialize;
use serde_json::json;
use volume::{nifti, Geometry};

use crate::folder::list;
use crate::{Error, Region};

use super::{read_rules, remove_all_but_largest, write_rules, Removal};

/// Options of [`apply_postprocessing`].
#[run::options]
pub struct ApplyPostprocessingOptions {
    /// Folder of segmentations, `.nii.gz` or `.nii`.
    #[schemars(length(min = 1))]
    pub input: PathBuf,
    /// Folder for the results, with the same file names. May equal `input`.
    #[schemars(length(min = 1))]
    pub output: PathBuf,
    /// The `postprocessing.json` to apply, of nnU-Net v1 or v2, or v2's `postprocessing.pkl`.
    #[schemars(length(min = 1))]
    pub rules: PathBuf,
    /// Part of the cases, `I/N`: this machine works on part I of N, from 1.
    pub shard: Option<Shard>,
}

impl Options for ApplyPostprocessingOptions {}

/// Result of [`apply_postprocessing`].
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplyPostprocessingSummary {
    /// Number of written cases; with `shard`, of its part.
    pub written: usize,
    /// Number of written cases that the postprocessing changed.
    pub changed: usize,
    /// Labels that keep only their largest component, in order. A list of several labels is their union.
    pub postprocessing: Vec<Vec<i16>>,
    /// Folder of the results.
    pub output: PathBuf,
    /// Failed cases, with reasons.
    pub failures: Vec<CaseFailure>,
}

/// Applies a `postprocessing.json` to every segmentation of a folder, cases in parallel, and copies it to the results.
///
/// Source: `nnunet.postprocessing.connected_components.apply_postprocessing_to_folder`.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Postprocessing`], [`Error::Background`], [`Error::MinimumSize`], [`Error::NoCases`],
/// [`Error::Folder`], [`Error::Cancelled`]. Failed cases are listed in the summary.
pub fn apply_postprocessing(
    options: &ApplyPostprocessingOptions,
    context: &Context,
) -> Result<ApplyPostprocessingSummary, Error> {
    run::validate(options)?;
    let determine = "make it with `nnunet-diag determine-postprocessing`, or choose another file";
    NotFound::unless_exists("postprocessing file", &options.rules, determine)?;
    let predict = "run `nnunet-diag predict` first, or choose another folder";
    NotFound::unless_exists("folder of segmentations", &options.input, predict)?;
    let rules = read_rules(&options.rules)?;
    rules.check()?;
    let jobs = jobs(&options.input)?;
    if jobs.is_empty() {
        return Err(Error::NoCases {
            folder: options.input.clone(),
        });
    }
    let jobs = Shard::select(options.shard, jobs);
    context.emit(Event::Started {
        verb: "applyPostprocessing",
        settings: json!({
            "cases": jobs.len(), "shard": options.shard, "postprocessing": rules.label_lists(), "workers": context.workers(),
        }),
    });
    let folder = &options.output;
    std::fs::create_dir_all(folder).map_err(|source| Error::Folder {
        folder: folder.clone(),
        source,
    })?;
    let outcome = CaseLoop::new(context)?.run(&jobs, progress(&jobs), |job| {
        let target = folder.join(job.input.file_name().unwrap_or_default());
        change(&job.input, &target, |labels, geometry| {
            rules.apply(labels, geometry)
        })
    })?;
    write_rules(&folder.join("postprocessing.json"), &rules)?;
    let removals: Vec<_> = outcome.results.into_iter().flatten().collect();
    let changed = |removals: &&Vec<Removal>| removals.iter().any(|removal| removal.largest_removed.is_some());
    Ok(ApplyPostprocessingSummary {
        written: removals.len(),
        changed: removals.iter().filter(changed).count(),
        postprocessing: rules.label_lists(),
        output: folder.clone(),
        failures: outcome.failures,
    })
}

/// Returns a job for each segmentation of a folder.
pub(super) fn jobs(folder: &Path) -> Result<Vec<Job<PathBuf>>, Error> {
    let files = list(folder)?.into_iter();
    Ok(files.map(|(case, path)| Job::new(case, path)).collect())
}

/// Returns the progress of a loop over [`jobs`].
pub(super) fn progress(jobs: &[Job<PathBuf>]) -> Progress {
    Progress::new("cases postprocessed", jobs.len())
}

/// Reads, postprocesses and writes one segmentation.
pub(super) fn process(
    source: &Path,
    target: &Path,
    regions: &[Region],
    minimum_sizes: Option<&[(Region, f64)]>,
) -> Result<Vec<Removal>, Error> {
    change(source, target, |labels, geometry| {
        // The order of nnU-Net's product (x, y, z) gives the same volumes to the last digit.
        let [z, y, x] = geometry.spacing;
        remove_all_but_largest(labels, Some(regions), x * y * z, minimum_sizes)
    })
}

/// Reads, changes and writes one segmentation.
fn change(
    source: &Path,
    target: &Path,
    apply: impl FnOnce(ArrayViewMut3<'_, i16>, &Geometry) -> Result<Vec<Removal>, Error>,
) -> Result<Vec<Removal>, Error> {
    let (mut labels, geometry) = nifti::read_labels(source)?;
    let removals = apply(labels.view_mut(), &geometry)?;
    nifti::write_labels(target, labels.view(), &geometry)?;
    Ok(removals)
}
