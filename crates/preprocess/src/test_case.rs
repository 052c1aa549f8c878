//! Preprocessing of one case in memory, for inference.

use std::path::PathBuf;

use dataset::{CaseProperties, Plans};
use ndarray::Array4;
use run::Cancel;

use crate::case::CaseFiles;
use crate::crop::Unlabelled;
use crate::source::{Loaded, Source};
use crate::stage::{Staged, Target};
use crate::Error;

/// A preprocessed case, with the properties that inference needs to undo preprocessing.
#[derive(Clone, Debug)]
pub struct PreprocessedCase {
    /// Image and segmentation on the stage's grid.
    pub staged: Staged,
    /// Case properties, including `size_after_resampling` and `spacing_after_resampling`.
    pub properties: CaseProperties,
}

/// Reads, crops, resamples and normalises one case for a stage of the plans. Without a label, its
/// segmentation is 0 within the non-zero mask and -1 outside.
///
/// Reference: `GenericPreprocessor.preprocess_test_case`.
///
/// # Errors
/// If the number of images differs from that of the modalities, a file cannot be read, the files differ in
/// shape, or every voxel is 0. [`Error::Cancelled`] within one pass over a channel or the reading of one
/// file.
pub fn preprocess_case(
    files: &CaseFiles,
    plans: &Plans,
    stage: usize,
    unlabelled: Unlabelled,
    cancel: &Cancel,
) -> Result<PreprocessedCase, Error> {
    let target = Target::of_plans(plans, stage)?;
    let (found, expected) = (files.images.len(), plans.num_modalities);
    if found != expected {
        return Err(Error::Modalities {
            paths: files.images.clone(),
            found,
            expected,
        });
    }
    let Loaded {
        mut cropped,
        mut properties,
    } = Source::Raw(files.clone()).load("", unlabelled, cancel)?;
    cropped.remove_nan(cancel)?;
    let spacing = properties.original_spacing()?;
    let target = target.for_case(spacing);
    let staged = target.apply(&cropped, spacing, cancel)?;
    target.record(&staged, &mut properties);
    Ok(PreprocessedCase { staged, properties })
}

/// [`preprocess_case`] for inference: returns the image (channel, z, y, x) and the properties.
pub fn preprocess_test_case(
    files: &[PathBuf],
    plans: &Plans,
    stage: usize,
    cancel: &Cancel,
) -> Result<(Array4<f32>, CaseProperties), Error> {
    let files = CaseFiles {
        images: files.to_vec(),
        label: None,
    };
    let case = preprocess_case(&files, plans, stage, Unlabelled::Distinct, cancel)?;
    Ok((case.staged.data, case.properties))
}
