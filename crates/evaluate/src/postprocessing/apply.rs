//! Postprocessing of a folder.

use std::path::{Path, PathBuf};

use run::{CaseFailure, CaseLoop, Context, Job, Progress};
use serde::{Deserialize, Serialize};
use volume::nifti;

use crate::folder::list;
use crate::{Error, Region};

use super::{read_rules, remove_all_but_largest, Removal};

/// Options of [`apply_postprocessing`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplyOptions {
    /// Folder of segmentations, `.nii.gz` or `.nii`.
    pub input: PathBuf,
    /// Folder for the results, with the same file names. May equal `input`.
    pub output: PathBuf,
    /// The `postprocessing.json` to apply.
    pub rules: PathBuf,
}

/// Result of [`apply_postprocessing`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplySummary {
    /// Number of written cases.
    pub cases: u64,
    /// Failed cases, with reasons.
    pub failures: Vec<CaseFailure>,
}

/// Applies a `postprocessing.json` to every segmentation of a folder, cases in parallel.
///
/// # Errors
/// [`Error::Postprocessing`], [`Error::NoCases`], [`Error::Folder`], [`Error::Cancelled`]. Failed cases are
/// listed in the summary.
pub fn apply_postprocessing(options: &ApplyOptions, context: &Context) -> Result<ApplySummary, Error> {
    let rules = read_rules(&options.rules)?;
    let jobs = jobs(&options.input)?;
    if jobs.is_empty() {
        return Err(Error::NoCases {
            folder: options.input.clone(),
        });
    }
    let folder = &options.output;
    std::fs::create_dir_all(folder).map_err(|source| Error::Folder {
        folder: folder.clone(),
        source,
    })?;
    let outcome = CaseLoop::new(context)?.run(&jobs, progress(&jobs), |job| {
        let target = folder.join(job.input.file_name().unwrap_or_default());
        process(
            &job.input,
            &target,
            &rules.for_which_classes,
            rules.minimum_sizes.as_deref(),
        )
    })?;
    let failures = outcome.failures;
    Ok(ApplySummary {
        cases: (jobs.len() - failures.len()) as u64,
        failures,
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
    let (mut labels, geometry) = nifti::read_labels(source)?;
    // The order of nnU-Net's product (x, y, z) gives the same volumes to the last digit.
    let [z, y, x] = geometry.spacing;
    let removals = remove_all_but_largest(labels.view_mut(), Some(regions), x * y * z, minimum_sizes)?;
    nifti::write_labels(target, labels.view(), &geometry)?;
    Ok(removals)
}
