//! Voxels of each class.

use std::sync::Arc;

use crate::cache::PackedCache;
use crate::case::{Case, StageFolder};
use crate::error::Error;
use crate::fork::MeaningRule;
use crate::meaning::Meaning;
use crate::properties::Properties;

/// Counts the voxels of each of `classes` classes in a case of `stage`, background first. Voxels that the loss
/// ignores are not counted: -1, if the recipe `ignores` it and the case does not use it for background. Labels
/// beyond the classes are not counted either. Reads the npy file, or the npz file where only that exists.
///
/// # Errors
/// [`Error::MissingCase`], [`Error::CaseFile`], [`Error::CaseShape`], [`Error::Properties`].
pub fn count_labels(
    case: &str,
    stage: &StageFolder,
    classes: usize,
    ignores: bool,
    reference_rules: bool,
) -> Result<Vec<u64>, Error> {
    let properties = if ignores {
        Some(Properties::read(&stage.folder, case)?)
    } else {
        None
    };
    let meaning = MeaningRule::of(reference_rules).meaning(ignores, properties.as_ref());
    let mut stage = StageFolder {
        packed: None,
        ..stage.clone()
    };
    if !stage.stack(case).is_file() {
        stage.packed = Some(Arc::new(PackedCache::new(0)));
    }
    let case = Case::open(case, &stage, meaning)?;
    let mut counts = vec![0; classes];
    case.for_each_slice(|slice| {
        for &label in slice {
            // Without an ignore label, the augmentation converts -1 to background.
            let label = if meaning == Meaning::Plain {
                label.max(0.0)
            } else {
                f32::from(meaning.label(label as i16))
            };
            if label >= 0.0 {
                if let Some(count) = counts.get_mut(label as usize) {
                    *count += 1;
                }
            }
        }
    })?;
    Ok(counts)
}
