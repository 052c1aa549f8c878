//! Detection of finished cases, so that interrupted preprocessing can continue.

use std::path::Path;
use std::time::SystemTime;

use dataset::CaseProperties;
use serde_json::json;

use crate::archive;
use crate::rules::{Crop, ReadRules, CROP};
use crate::source::Source;
use crate::stage::Target;

/// Key of a preprocessed case's properties with a record of its preprocessing. nnU-Net v1 ignores it.
const MADE_BY: &str = "preprocessing_record";

/// Whether `<case>.npz` and `<case>.pkl` in `folder` are complete and were written for `target` from the
/// current files of `source`.
///
/// Files of nnU-Net v1 have no such record. They are accepted if their grid and age match.
pub fn is_preprocessed(
    folder: &Path,
    name: &str,
    target: &Target,
    classes: &[i64],
    rules: ReadRules,
    source: &Source,
) -> bool {
    let Some(properties) = properties(folder, name, source) else {
        return false;
    };
    let channels = target.schemes.len();
    let Ok(original) = properties.original_spacing() else {
        return false;
    };
    let target = &target.for_case(original);
    let on_grid = || {
        let shape = properties.size_after_resampling().ok()?;
        let expected = target
            .shape(properties.size_after_cropping().ok()?, original)
            .ok()?;
        let spacing = properties.spacing_after_resampling().ok()?;
        (shape == expected && spacing == target.spacing).then_some(shape)
    };
    let recorded = properties.dict().get(MADE_BY).map(pickle::Value::as_str);
    let same_recipe = recorded.is_none_or(|found| found == Some(&record(target, classes, rules)));
    let npz = folder.join(format!("{name}.npz"));
    same_recipe && on_grid().is_some_and(|[z, y, x]| archive::holds(&npz, [channels + 1, z, y, x]))
}

/// Returns the properties of a cropped case whose npz is complete and no older than the files of `source`.
pub fn cropped_properties(
    folder: &Path,
    name: &str,
    channels: usize,
    crop: Crop,
    source: &Source,
) -> Option<CaseProperties> {
    let properties =
        properties(folder, name, source).filter(|found| Crop::of(found.dict().get(CROP)) == crop)?;
    let [z, y, x] = properties.size_after_cropping().ok()?;
    archive::holds(&folder.join(format!("{name}.npz")), [channels + 1, z, y, x]).then_some(properties)
}

/// Records `target` (a result of [`Target::for_case`]) and the rule for unlabelled voxels in the properties.
pub fn mark(properties: &mut CaseProperties, target: &Target, classes: &[i64], rules: ReadRules) {
    properties.dict_mut().set(MADE_BY, record(target, classes, rules));
}

/// Returns readable properties in `folder` that are, like their npz, no older than the files of `source`.
fn properties(folder: &Path, name: &str, source: &Source) -> Option<CaseProperties> {
    let needed = source.modified(name)?;
    let pkl = folder.join(format!("{name}.pkl"));
    for path in [&pkl, &folder.join(format!("{name}.npz"))] {
        if modified(path)? < needed {
            return None;
        }
    }
    CaseProperties::read(&pkl).ok()
}

/// Returns the time of a file's last change.
pub fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

/// Returns a record of every setting that determines a case's values.
fn record(target: &Target, classes: &[i64], rules: ReadRules) -> String {
    let mut record = json!({ "target": target, "classes": classes, "unlabelled": rules.unlabelled });
    if let Some(rule) = rules.crop.record() {
        record[CROP] = rule.into();
    }
    record.to_string()
}
