//! Preprocessing of one case in memory, for inference.

use std::path::PathBuf;

use dataset::{CaseProperties, NonFinite, Plans};
use ndarray::{Array3, Array4};
use run::{Cancel, Context};
use volume::Geometry;

use crate::case::{check_finite, CaseFiles};
use crate::rules::{Crop, Notice, ReadRules};
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
    /// What the user should know about the case.
    pub notices: Vec<Notice>,
}

/// Reads, crops, resamples and normalises one case for a stage of the plans. Without a label, its
/// segmentation is 0 within the non-zero mask and -1 outside. The plans decide whether it is cropped.
///
/// Reference: `GenericPreprocessor.preprocess_test_case`.
///
/// # Errors
/// If the number of images differs from that of the modalities, a file cannot be read, the files differ in
/// shape, every voxel is 0, or a voxel is not finite and must be. [`Error::Cancelled`] within one pass over a channel or the reading of one
/// file.
pub fn preprocess_case(
    files: &CaseFiles,
    plans: &Plans,
    stage: usize,
    rules: ReadRules,
    cancel: &Cancel,
) -> Result<PreprocessedCase, Error> {
    let target = Target::of_plans(plans, stage)?;
    require_modalities(&files.images, plans)?;
    let rules = ReadRules {
        crop: Crop::of_plans(plans),
        ..rules
    };
    let loaded = Source::Raw(files.clone()).load("", rules, cancel)?;
    stage_case(loaded, &target, rules, cancel)
}

/// Checks that there is one image for each modality.
fn require_modalities(images: &[PathBuf], plans: &Plans) -> Result<(), Error> {
    let (found, expected) = (images.len(), plans.num_modalities);
    if found == expected {
        return Ok(());
    }
    Err(Error::Modalities {
        paths: images.to_vec(),
        found,
        expected,
    })
}

/// Resamples and normalises a cropped case for a stage of the plans.
fn stage_case(
    loaded: Loaded,
    target: &Target,
    rules: ReadRules,
    cancel: &Cancel,
) -> Result<PreprocessedCase, Error> {
    let Loaded {
        cropped,
        mut properties,
        mut notices,
    } = loaded;
    let spacing = properties.original_spacing()?;
    let target = target.for_case(spacing);
    let staged = target.apply(&cropped, spacing, cancel)?;
    target.record(&staged, &mut properties);
    notices.extend(staged.check_spread(&target, rules.nonfinite)?);
    Ok(PreprocessedCase {
        staged,
        properties,
        notices,
    })
}

/// [`preprocess_test_case`] of an image in memory: one volume (z, y, x) for each modality.
///
/// # Errors
/// As [`preprocess_case`]. An error names the volumes `channel 0`, `channel 1` and so on.
pub fn preprocess_image(
    channels: Vec<Array3<f32>>,
    geometry: Geometry,
    plans: &Plans,
    stage: usize,
    nonfinite: NonFinite,
    context: &Context,
) -> Result<(Array4<f32>, CaseProperties), Error> {
    let cancel = context.cancel();
    let images: Vec<_> = (0..channels.len())
        .map(|i| PathBuf::from(format!("channel {i}")))
        .collect();
    require_modalities(&images, plans)?;
    let rules = ReadRules {
        nonfinite,
        crop: Crop::of_plans(plans),
        ..ReadRules::default()
    };
    let target = Target::of_plans(plans, stage)?;
    let mut notices = Vec::new();
    for (path, channel) in images.iter().zip(&channels) {
        cancel.check()?;
        notices.extend(check_finite(path, channel.iter(), nonfinite)?);
    }
    let files = CaseFiles { images, label: None };
    let raw = files.cut(channels, None, geometry, notices, rules, cancel)?;
    let loaded = Loaded::of_raw(&files, raw, rules);
    let case = stage_case(loaded, &target, rules, cancel)?;
    for Notice { code, message } in case.notices {
        context.warn(code, message, None);
    }
    Ok((case.staged.data, case.properties))
}

/// [`preprocess_case`] for inference: returns the image (channel, z, y, x) and the properties. Warns of
/// replaced voxels, naming the case.
///
/// # Errors
/// As [`preprocess_case`].
pub fn preprocess_test_case(
    name: &str,
    files: &[PathBuf],
    plans: &Plans,
    stage: usize,
    nonfinite: NonFinite,
    context: &Context,
) -> Result<(Array4<f32>, CaseProperties), Error> {
    let files = CaseFiles {
        images: files.to_vec(),
        label: None,
    };
    let rules = ReadRules {
        nonfinite,
        ..ReadRules::default()
    };
    let case = preprocess_case(&files, plans, stage, rules, context.cancel())?;
    for Notice { code, message } in case.notices {
        context.warn(code, message, Some(name));
    }
    Ok((case.staged.data, case.properties))
}
