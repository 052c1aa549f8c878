//! Decides whether an existing segmentation is a result of the current run.

use std::collections::BTreeMap;
use std::path::Path;

use dataset::CaseProperties;
use run::Context;
use volume::{nifti, npz};

use crate::export::Export;

/// Maximum difference of spacing and origin (as a fraction of the voxel) and of direction cosines between an image and
/// its segmentation, which NIfTI stores in single precision.
const TOLERANCE: f64 = 1e-3;

/// State of the output of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Existing {
    /// There is none.
    Missing,
    /// It is whole, on the grid of the image, and of the same model and settings.
    Done,
    /// A file cannot be read to its end.
    Damaged,
    /// The grid differs from that of the image.
    OtherGrid,
    /// Another model, other settings or another program wrote it.
    OtherModel,
    /// The softmax is missing, damaged or of another run.
    NoSoftmax,
}

impl Existing {
    /// Why an existing output is not used.
    fn reason(self) -> Option<&'static str> {
        match self {
            Self::Missing | Self::Done => None,
            Self::Damaged => Some("the file is damaged or incomplete"),
            Self::OtherGrid => Some("its grid differs from that of the image"),
            Self::OtherModel => Some("another model, other settings or another program made it"),
            Self::NoSoftmax => Some("its softmax is missing or damaged"),
        }
    }
}

impl Export {
    /// Compares the output of a case with an image of it and with the record that [`Export::write_as`] gave it.
    pub fn existing(&self, case: &str, record: &str, image: &Path) -> Existing {
        let saved = || self.has_softmax(case);
        let saved: Option<&dyn Fn() -> bool> = if self.saves_softmax() { Some(&saved) } else { None };
        state_of(&self.file(case, "nii.gz"), record, image, saved)
    }

    fn has_softmax(&self, case: &str) -> bool {
        let Ok(properties) = CaseProperties::read(&self.file(case, "pkl")) else {
            return false;
        };
        let cropped = properties.size_after_cropping().ok();
        let softmax = npz::read::<half::f16>(&self.file(case, "npz"), "softmax").ok();
        softmax.is_some_and(|softmax| {
            softmax.ndim() == 4 && Some(&softmax.shape()[1..]) == cropped.as_ref().map(|c| &c[..])
        })
    }
}

/// Compares the segmentation of a case with an image of it and with its record. `saved` tells whether the softmax is whole,
/// if it is to be saved, too.
pub(crate) fn state_of(
    file: &Path,
    record: &str,
    image: &Path,
    saved: Option<&dyn Fn() -> bool>,
) -> Existing {
    if !file.exists() {
        return Existing::Missing;
    }
    // An image that cannot be read is a failure of its case, later.
    let Ok(header) = nifti::read_header(image) else {
        return Existing::Missing;
    };
    let Ok((labels, geometry)) = nifti::read_labels(file) else {
        return Existing::Damaged;
    };
    let (z, y, x) = labels.dim();
    if [z, y, x] != header.size || !header.geometry.relative_deviation(&geometry).within(TOLERANCE) {
        return Existing::OtherGrid;
    }
    let found = nifti::read_description(file).unwrap_or_default();
    let Some(rest) = found.strip_prefix(record) else {
        return Existing::OtherModel;
    };
    match (saved, rest) {
        (None, "" | SOFTMAX) => Existing::Done,
        (Some(saved), SOFTMAX) if saved() => Existing::Done,
        (Some(_), "" | SOFTMAX) => Existing::NoSoftmax,
        _ => Existing::OtherModel,
    }
}

/// End of the record of a segmentation whose softmax was written, too.
pub(crate) const SOFTMAX: &str = " softmax";

/// Warns of the existing outputs that are predicted again, by reason.
pub(crate) fn warn_of_replaced(found: &[(String, Existing)], folder: &Path, context: &Context) {
    const NAMED: usize = 5;
    let mut reasons: BTreeMap<Existing, Vec<&str>> = BTreeMap::new();
    for (case, existing) in found {
        reasons.entry(*existing).or_default().push(case);
    }
    for (existing, cases) in reasons {
        let Some(reason) = existing.reason() else { continue };
        let mut names = cases[..cases.len().min(NAMED)].join(", ");
        if cases.len() > NAMED {
            names += &format!(" and {} more", cases.len() - NAMED);
        }
        let message = format!(
            "{}: {names}: a segmentation exists, but {reason}; it is predicted again and replaced",
            folder.display()
        );
        context.warn("WARN_OUTPUT_REPLACED", message, None);
    }
}
