//! Detection of separate objects, such as lesions.

use components::{label, Connectivity};
use ndarray::{ArrayView3, Zip};
use serde::{Deserialize, Serialize};

use crate::scores::number;
use crate::Error;

/// Which voxels of a lesion are neighbours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LesionConnectivity {
    /// Voxels that share a face, an edge or a corner (26 neighbours), the default of
    /// `connected-components-3d`.
    #[default]
    Full,
    /// Voxels that share a face (6 neighbours), the default of scipy.
    Face,
}

impl From<LesionConnectivity> for Connectivity {
    fn from(connectivity: LesionConnectivity) -> Self {
        match connectivity {
            LesionConnectivity::Full => Self::Full,
            LesionConnectivity::Face => Self::Face,
        }
    }
}

/// Lesions of some size, in one case or in all of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LesionCounts {
    /// Smallest size in mm³.
    pub from: f64,
    /// Size in mm³ below which lesions are; null without a limit.
    pub below: Option<f64>,
    /// Lesions of the references.
    pub reference: u64,
    /// Lesions of the references that are detected.
    pub detected: u64,
    /// Lesions of the predictions.
    pub predicted: u64,
    /// Lesions of the predictions that are right.
    pub correct: u64,
    /// detected / reference; null without such a lesion.
    #[serde(deserialize_with = "number")]
    pub sensitivity: f64,
    /// correct / predicted; null without such a lesion.
    #[serde(deserialize_with = "number")]
    pub precision: f64,
    /// 2 sensitivity precision / (sensitivity + precision); 0 if no lesion is detected and none is
    /// right. Null if neither segmentation has such a lesion, or if one has none and lesions of the
    /// other match lesions of another size.
    #[serde(deserialize_with = "number")]
    pub f1: f64,
}

impl LesionCounts {
    /// Adds the counts of lesions of the same size, and computes the rates.
    pub(crate) fn add(&mut self, other: &Self) {
        self.reference += other.reference;
        self.detected += other.detected;
        self.predicted += other.predicted;
        self.correct += other.correct;
        self.sensitivity = self.detected as f64 / self.reference as f64;
        self.precision = self.correct as f64 / self.predicted as f64;
        let some = self.reference + self.predicted > 0;
        self.f1 = if some && self.detected + self.correct == 0 {
            0.0
        } else {
            2.0 * self.sensitivity * self.precision / (self.sensitivity + self.precision)
        };
    }

    /// No lesion between two sizes.
    pub(crate) fn between(from: f64, below: Option<f64>) -> Self {
        let mut counts = Self {
            from,
            below,
            ..Self::default()
        };
        counts.add(&Self::default());
        counts
    }

    /// The sum over all sizes.
    pub(crate) fn total<'a>(counts: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut total = Self::between(0.0, None);
        for counts in counts {
            total.add(counts);
        }
        total
    }
}

/// How lesions are found, matched and grouped.
#[derive(Clone, Copy, Debug)]
pub struct LesionRule<'a> {
    /// Which voxels are neighbours.
    pub connectivity: LesionConnectivity,
    /// Share of a lesion's voxels that the other segmentation must exceed.
    pub overlap: f64,
    /// Limits between sizes in mm³, ascending.
    pub sizes: &'a [f64],
}

/// Counts the lesions of two masks of shape (z, y, x), by size; the last group has no upper limit.
///
/// A lesion is a connected component. A lesion of the reference is detected if the prediction has more than
/// `rule.overlap` of its voxels; a lesion of the prediction is right if the reference has more than that. With 0, one
/// voxel is enough. Several lesions of one mask may match the same lesion of the other.
///
/// # Errors
/// [`Error::Components`] for 2³² or more runs of voxels.
pub fn count_lesions(
    reference: ArrayView3<'_, bool>,
    prediction: ArrayView3<'_, bool>,
    voxel_volume: f64,
    rule: LesionRule<'_>,
) -> Result<Vec<LesionCounts>, Error> {
    let limits = || rule.sizes.iter().copied();
    let starts = std::iter::once(0.0).chain(limits());
    let ends = limits().map(Some).chain(std::iter::once(None));
    let mut groups: Vec<LesionCounts> = starts
        .zip(ends)
        .map(|(from, below)| LesionCounts::between(from, below))
        .collect();
    for (mask, other, of_reference) in [(reference, prediction, true), (prediction, reference, false)] {
        let found = label(mask, |voxel| voxel, rule.connectivity.into())?;
        let mut shared = vec![0_u64; found.sizes.len()];
        Zip::from(&found.labels).and(&other).for_each(|number, other| {
            if *number > 0 && *other {
                shared[*number as usize - 1] += 1;
            }
        });
        for (size, shared) in found.sizes.iter().zip(shared) {
            let volume = *size as f64 * voxel_volume;
            let group = rule.sizes.partition_point(|limit| *limit <= volume);
            let matched = u64::from(shared as f64 > rule.overlap * *size as f64);
            let mut one = LesionCounts::default();
            if of_reference {
                (one.reference, one.detected) = (1, matched);
            } else {
                (one.predicted, one.correct) = (1, matched);
            }
            groups[group].add(&one);
        }
    }
    Ok(groups)
}
