//! Postprocessing a folder.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use run::{CaseFailure, Context};
use serde::{Deserialize, Serialize};
use volume::nifti;

use crate::folder::{list, pool};
use crate::{Error, Region};

use super::{read_rules, remove_all_but_largest, Removal};

/// What to postprocess.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplyOptions {
    /// Folder of segmentations, `.nii.gz` or `.nii`.
    pub input: PathBuf,
    /// Folder to write to, under the same names; may be the same.
    pub output: PathBuf,
    /// The `postprocessing.json` that says what to do.
    pub rules: PathBuf,
}

/// What was postprocessed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplySummary {
    /// Cases written.
    pub cases: u64,
    /// Cases that failed, and why.
    pub failures: Vec<CaseFailure>,
}

/// Applies a `postprocessing.json` to every segmentation of a folder, cases in parallel.
///
/// # Errors
/// [`Error::Postprocessing`], [`Error::NoCases`], [`Error::Folder`], [`Error::Cancelled`]; a case that fails is listed in the
/// summary.
pub fn apply_postprocessing(options: &ApplyOptions, context: &Context) -> Result<ApplySummary, Error> {
    let rules = read_rules(&options.rules)?;
    let files: Vec<(String, PathBuf)> = list(&options.input)?.into_iter().collect();
    if files.is_empty() {
        return Err(Error::NoCases {
            folder: options.input.clone(),
        });
    }
    let folder = &options.output;
    std::fs::create_dir_all(folder).map_err(|source| Error::Folder {
        folder: folder.clone(),
        source,
    })?;
    let done = AtomicU64::new(0);
    let case = |(name, path): &(String, PathBuf)| {
        context.check()?;
        let target = folder.join(path.file_name().unwrap_or_default());
        let result = process(
            path,
            &target,
            &rules.for_which_classes,
            rules.minimum_sizes.as_deref(),
        );
        context.progress(
            done.fetch_add(1, Ordering::Relaxed) + 1,
            files.len() as u64,
            "cases",
            Some(name),
        );
        Ok(result.err().map(|error| CaseFailure::new(name, &error)))
    };
    let failures: Result<Vec<_>, Error> = pool(context)?.install(|| files.par_iter().map(case).collect());
    let failures: Vec<CaseFailure> = failures?.into_iter().flatten().collect();
    Ok(ApplySummary {
        cases: (files.len() - failures.len()) as u64,
        failures,
    })
}

/// Reads, postprocesses and writes one segmentation.
pub(super) fn process(
    source: &Path,
    target: &Path,
    regions: &[Region],
    minimum_sizes: Option<&[(Region, f64)]>,
) -> Result<Vec<Removal>, Error> {
    let (mut labels, geometry) = nifti::read_labels(source)?;
    // In the order of nnU-Net's product (x, y, z), so that volumes are the same to the last digit.
    let [z, y, x] = geometry.spacing;
    let removals = remove_all_but_largest(labels.view_mut(), Some(regions), x * y * z, minimum_sizes)?;
    nifti::write_labels(target, labels.view(), &geometry)?;
    Ok(removals)
}
