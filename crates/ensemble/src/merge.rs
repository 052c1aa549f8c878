//! The mean softmax of one case.

use std::path::Path;

use dataset::CaseProperties;
use half::f16;
use ndarray::{Array3, Array4};
use resample::export::segmentation_of;
use resample::Decision;
use run::Cancel;
use volume::Geometry;

use crate::member::{Member, Place};
use crate::Error;

/// The result of a case.
#[derive(Debug)]
pub struct Merged {
    /// Mean softmax (class, z, y, x) of the cropped region.
    pub softmax: Array4<f32>,
    /// Properties of the case, from the first model.
    pub properties: CaseProperties,
    /// Labels (z, y, x) on the grid of the image.
    pub labels: Array3<i16>,
    /// Position of the image.
    pub geometry: Geometry,
}

/// Averages the softmax of a case over the models in `folders` and decides its labels.
///
/// The mean of half-precision files is rounded to half precision before the decision, as numpy does; equal values give
/// the lower label. Memory: two softmax in float32 besides the labels.
///
/// Source: `nnunet.inference.ensemble_predictions.merge_files`. Unlike there, the files are compared first.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Mismatch`], [`Error::NotFinite`]; errors of files; [`Error::Cancelled`].
pub fn merge<P: AsRef<Path>>(folders: &[P], case: &str, cancel: &Cancel) -> Result<Merged, Error> {
    let members = folders
        .iter()
        .map(|folder| Member::find(folder.as_ref(), case))
        .collect::<Result<Vec<_>, _>>()?;
    let [first, others @ ..] = &*members else {
        return Err(run::OptionError::expected("folders", "at least one folder", "none").into());
    };
    let properties = first.properties()?;
    let place = Place::of(&properties)?;
    // Properties are small: a difference is found before the first softmax is read.
    for other in others {
        let found = Place::of(&other.properties()?)?;
        if let Some((what, found, expected)) = place.difference(&found) {
            return Err(Error::Mismatch {
                first: first.pkl.clone(),
                path: other.pkl.clone(),
                what,
                found,
                expected,
            });
        }
    }
    let (mut sum, mut half) = first.softmax()?;
    for other in others {
        cancel.check()?;
        let (softmax, other_half) = other.softmax()?;
        if softmax.dim() != sum.dim() {
            return Err(Error::Mismatch {
                first: first.npz.clone(),
                path: other.npz.clone(),
                what: "the softmax has the shape (class, z, y, x)",
                found: format!("{:?}", softmax.shape()),
                expected: format!("{:?}", sum.shape()),
            });
        }
        sum += &softmax;
        half &= other_half;
    }
    let count = members.len() as f32;
    sum.mapv_inplace(|sum| {
        let mean = sum / count;
        if half {
            f16::from_f32(mean).to_f32()
        } else {
            mean
        }
    });
    let decision = place.regions.clone().map_or(Decision::Argmax, Decision::regions);
    let labels = segmentation_of(sum.view(), &place.placement, &decision, cancel)?;
    Ok(Merged {
        softmax: sum,
        properties,
        labels,
        geometry: place.geometry,
    })
}
