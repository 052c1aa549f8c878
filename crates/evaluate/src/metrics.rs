//! Metrics of a prediction and its reference.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::{ArrayView3, Zip};
use run::Cancel;
use serde::{Deserialize, Serialize};

use crate::hausdorff::hausdorff_95;
use crate::scores::Scores;
use crate::{Error, Region};

/// Options of [`evaluate`].
#[derive(Clone, Debug, Default)]
pub struct MetricOptions {
    /// Regions to evaluate. Empty means every label in either segmentation.
    pub regions: Vec<Region>,
    /// Excludes voxels with this value in the reference.
    pub ignore_label: Option<i16>,
    /// Whether to compute the 95th percentile of surface distances, which takes longer than all other
    /// metrics. The border between a region and excluded voxels is not a surface; see [`hausdorff_95`].
    pub hausdorff: bool,
}

/// Compares two label maps of shape (z, y, x) with voxels of `spacing` (z, y, x) mm. Returns scores by
/// [`Region::key`].
///
/// Definitions and undefined cases equal those of nnU-Net's `evaluate_folder` (with `nan_for_nonexisting`).
///
/// # Errors
/// [`Error::Shape`] unless both have the same shape; [`Error::Cancelled`].
pub fn evaluate(
    reference: ArrayView3<'_, i16>,
    prediction: ArrayView3<'_, i16>,
    spacing: [f64; 3],
    options: &MetricOptions,
    cancel: &Cancel,
) -> Result<BTreeMap<String, Scores>, Error> {
    Ok(compare(reference, prediction, spacing, options, cancel)?.scores)
}

/// Scores of a case, and the labels on which they are based.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Comparison {
    /// Scores by [`Region::key`].
    pub scores: BTreeMap<String, Scores>,
    /// Counts of voxels by [`Region::key`].
    pub counts: BTreeMap<String, Confusion>,
    /// Compared voxels.
    pub voxels: u64,
    /// The evaluated regions.
    pub regions: Vec<Region>,
    /// Labels of the reference, without the ignored one.
    pub reference: BTreeSet<i16>,
    /// Labels of the prediction where the reference is not ignored.
    pub prediction: BTreeSet<i16>,
}

/// [`evaluate`], with the labels of both segmentations.
pub(crate) fn compare(
    reference: ArrayView3<'_, i16>,
    prediction: ArrayView3<'_, i16>,
    spacing: [f64; 3],
    options: &MetricOptions,
    cancel: &Cancel,
) -> Result<Comparison, Error> {
    if reference.dim() != prediction.dim() {
        let dims = |(z, y, x)| [z, y, x];
        return Err(Error::Shape {
            reference: dims(reference.dim()),
            prediction: dims(prediction.dim()),
        });
    }
    let pairs = Pairs::count(reference, prediction, options.ignore_label);
    let regions = if options.regions.is_empty() {
        pairs.labels()
    } else {
        options.regions.clone()
    };
    let (mut scores, mut counts) = (BTreeMap::new(), BTreeMap::new());
    for region in &regions {
        cancel.check()?;
        let confusion = pairs.confusion(region);
        let mut result = confusion.scores();
        if options.hausdorff {
            let defined = confusion.both_partial();
            let ignored = |value| options.ignore_label == Some(value);
            result.hausdorff_distance_95 = Some(if defined {
                let reference_mask = reference.mapv(|v| region.contains(v) && !ignored(v));
                let prediction_mask = Zip::from(&prediction)
                    .and(&reference)
                    .map_collect(|p, r| region.contains(*p) && !ignored(*r));
                let known = options.ignore_label.map(|ignore| reference.mapv(|v| v != ignore));
                let known = known.as_ref().map(|known| known.view());
                hausdorff_95(
                    reference_mask.view(),
                    prediction_mask.view(),
                    known,
                    spacing,
                    cancel,
                )?
            } else {
                f64::NAN
            });
        }
        scores.insert(region.key(), result);
        counts.insert(region.key(), confusion);
    }
    Ok(Comparison {
        scores,
        counts,
        voxels: pairs.counts.values().sum(),
        regions,
        reference: pairs.counts.keys().map(|(r, _)| *r).collect(),
        prediction: pairs.counts.keys().map(|(_, p)| *p).collect(),
    })
}

/// Number of voxels for each pair of (reference, prediction) values.
struct Pairs {
    counts: BTreeMap<(i16, i16), u64>,
}

impl Pairs {
    fn count(reference: ArrayView3<'_, i16>, prediction: ArrayView3<'_, i16>, ignore: Option<i16>) -> Self {
        let mut counts = BTreeMap::new();
        // Neighbouring voxels are mostly equal, so that the map is accessed once per run.
        let mut current = (0, 0);
        let mut length = 0;
        Zip::from(reference).and(prediction).for_each(|r, p| {
            if (*r, *p) != current {
                *counts.entry(current).or_insert(0) += length;
                current = (*r, *p);
                length = 0;
            }
            length += 1;
        });
        *counts.entry(current).or_insert(0) += length;
        counts.retain(|(r, _), count| *count > 0 && Some(*r) != ignore);
        Self { counts }
    }

    /// Returns every label that occurs.
    fn labels(&self) -> Vec<Region> {
        let mut labels: Vec<i16> = self.counts.keys().flat_map(|(r, p)| [*r, *p]).collect();
        labels.sort_unstable();
        labels.dedup();
        labels.into_iter().map(Region::Label).collect()
    }

    fn confusion(&self, region: &Region) -> Confusion {
        let mut confusion = Confusion::default();
        for ((r, p), count) in &self.counts {
            match (region.contains(*r), region.contains(*p)) {
                (true, true) => confusion.tp += count,
                (false, true) => confusion.fp += count,
                (true, false) => confusion.fn_ += count,
                (false, false) => confusion.tn += count,
            }
        }
        confusion
    }
}

/// Numbers of true and false, positive and negative voxels.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Confusion {
    pub tp: u64,
    pub fp: u64,
    pub fn_: u64,
    pub tn: u64,
}

impl Confusion {
    /// Whether both segmentations contain the region and other voxels.
    fn both_partial(&self) -> bool {
        let Self { tp, fp, fn_, tn } = *self;
        tp + fp > 0 && fn_ + tn > 0 && tp + fn_ > 0 && fp + tn > 0
    }

    /// Returns the rates, computed in the reference's order of operations. Undefined ratios (0 / 0) are NaN.
    fn scores(&self) -> Scores {
        let [tp, fp, fn_, tn] = [self.tp, self.fp, self.fn_, self.tn].map(|n| n as f64);
        let precision = tp / (tp + fp);
        let recall = tp / (tp + fn_);
        let specificity = tn / (tn + fp);
        let omission = fn_ / (fn_ + tn);
        Scores {
            accuracy: (tp + tn) / (tp + fp + tn + fn_),
            dice: 2.0 * tp / (2.0 * tp + fp + fn_),
            false_discovery_rate: 1.0 - precision,
            false_negative_rate: 1.0 - recall,
            false_omission_rate: omission,
            false_positive_rate: 1.0 - specificity,
            hausdorff_distance_95: None,
            jaccard: tp / (tp + fp + fn_),
            negative_predictive_value: 1.0 - omission,
            precision,
            recall,
            total_positives_reference: tp + fn_,
            total_positives_test: tp + fp,
            true_negative_rate: specificity,
        }
    }
}
