//! Calibration of a softmax.

use std::path::Path;

use dataset::CaseProperties;
use ndarray::{s, Array4, ArrayView3, Axis, Ix4};
use pickle::Value;
use run::{Cancel, NotFound};
use volume::npz;

use crate::{Error, Region};

/// Expected calibration errors of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// Of the predicted class.
    pub top_label: f64,
    /// Of the probability of each region, in the order of the regions.
    pub regions: Vec<f64>,
}

impl Calibration {
    /// Without a softmax.
    pub(super) fn undefined(regions: usize) -> Self {
        Self {
            top_label: f64::NAN,
            regions: vec![f64::NAN; regions],
        }
    }
}

/// Computes expected calibration errors of the softmax of a case, which nnU-Net v1 or `predict` wrote into the folder of
/// predictions (`<case>.npz` and `<case>.pkl`).
///
/// The probabilities are grouped into `bins` equal intervals. The error is the mean over voxels of |mean probability -
/// share that is right| of their interval (C. Guo et al., "On Calibration of Modern Neural Networks", 2017). For the
/// predicted class, the probability is the largest one; for a region, it is the sum over its classes, and right means
/// that the reference has the region there. Only voxels with a softmax count, which are those of the cropped image, and
/// only where the reference is labelled.
///
/// A network of regions has no softmax; both are undefined (NaN).
///
/// # Errors
/// [`Error::SoftmaxShape`], [`Error::SoftmaxValues`]; [`Error::NotFound`] without properties; errors of files.
pub fn calibration(
    folder: &Path,
    case: &str,
    reference: ArrayView3<'_, i16>,
    regions: &[Region],
    ignore_label: Option<i16>,
    bins: usize,
    cancel: &Cancel,
) -> Result<Calibration, Error> {
    let file = super::softmax_of(folder, case);
    let properties = folder.join(format!("{case}.pkl"));
    NotFound::unless_exists(
        "properties of a softmax",
        &properties,
        "predict the case with --save-softmax",
    )?;
    let properties = CaseProperties::read_first(&properties)?;
    let regions_predicted = properties
        .dict()
        .get("regions_class_order")
        .and_then(Value::to_i64s)
        .is_some();
    if regions_predicted {
        return Ok(Calibration::undefined(regions.len()));
    }
    let bounds = properties.crop_bbox()?;
    cancel.check()?;
    let (softmax, _) = npz::read_half_or_single(&file, "softmax")?;
    let found = softmax.shape().to_vec();
    let within = bounds
        .iter()
        .zip(reference.shape())
        .all(|([from, to], n)| from <= to && to <= n);
    let sides = bounds.map(|[from, to]| to.saturating_sub(from));
    let softmax = softmax
        .into_dimensionality::<Ix4>()
        .ok()
        .filter(|softmax| within && softmax.shape()[1..] == sides)
        .ok_or_else(|| Error::SoftmaxShape {
            path: file.clone(),
            expected: sides,
            found,
        })?;
    let window = bounds.map(|[from, to]| from..to);
    let [z, y, x] = window;
    let reference = reference.slice(s![z, y, x]);
    let wrong = softmax.iter().filter(|p| !(-1e-3..=1.001).contains(*p)).count();
    if wrong > 0 {
        return Err(Error::SoftmaxValues {
            path: file,
            voxels: wrong,
        });
    }
    errors(&softmax, reference, regions, ignore_label, bins, cancel)
}

fn errors(
    softmax: &Array4<f32>,
    reference: ArrayView3<'_, i16>,
    regions: &[Region],
    ignore_label: Option<i16>,
    bins: usize,
    cancel: &Cancel,
) -> Result<Calibration, Error> {
    let classes = softmax.len_of(Axis(0));
    let of_region = |region: &Region| -> Vec<bool> {
        (0..classes)
            .map(|class| i16::try_from(class).is_ok_and(|class| region.contains(class)))
            .collect()
    };
    let channels: Vec<Vec<bool>> = regions.iter().map(of_region).collect();
    let mut top = Bins::new(bins);
    let mut by_region = vec![Bins::new(bins); regions.len()];
    let mut voxel = vec![0.0; classes];
    for (z, plane) in reference.outer_iter().enumerate() {
        cancel.check()?;
        for ((y, x), label) in plane.indexed_iter() {
            if Some(*label) == ignore_label {
                continue;
            }
            for (class, value) in voxel.iter_mut().enumerate() {
                *value = f64::from(softmax[[class, z, y, x]]);
            }
            // The first of equal ones, as numpy's argmax.
            let mut best = 0;
            for class in 1..classes {
                if voxel[class] > voxel[best] {
                    best = class;
                }
            }
            top.add(
                voxel[best],
                i16::try_from(best).is_ok_and(|class| class == *label),
            );
            for ((region, channels), bins) in regions.iter().zip(&channels).zip(&mut by_region) {
                let used = voxel.iter().zip(channels).filter(|(_, used)| **used);
                bins.add(used.map(|(p, _)| p).sum(), region.contains(*label));
            }
        }
    }
    Ok(Calibration {
        top_label: top.error(),
        regions: by_region.iter().map(Bins::error).collect(),
    })
}

/// Probabilities by interval.
#[derive(Clone)]
struct Bins {
    /// Sum of the probabilities, number that is right.
    sums: Vec<(f64, u64)>,
    voxels: u64,
}

impl Bins {
    fn new(count: usize) -> Self {
        Self {
            sums: vec![(0.0, 0); count],
            voxels: 0,
        }
    }

    fn add(&mut self, probability: f64, right: bool) {
        let last = self.sums.len().saturating_sub(1);
        // A probability between two intervals belongs to the lower one.
        let at = (probability * self.sums.len() as f64).ceil() as usize;
        if let Some(bin) = self.sums.get_mut(at.saturating_sub(1).min(last)) {
            bin.0 += probability;
            bin.1 += u64::from(right);
        }
        self.voxels += 1;
    }

    fn error(&self) -> f64 {
        let gap = |(sum, right): &(f64, u64)| (sum - *right as f64).abs();
        self.sums.iter().map(gap).sum::<f64>() / self.voxels as f64
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{array, Array3};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn error_is_the_gap_of_each_interval() {
        // Four voxels of two classes; the third is not labelled.
        let foreground = [0.9, 0.8, 0.3, 0.2];
        let softmax = Array4::from_shape_fn((2, 1, 1, 4), |(class, _, _, x)| {
            if class == 1 {
                foreground[x]
            } else {
                1.0 - foreground[x]
            }
        });
        let reference = array![[[1, 0, -1, 0]]];
        let regions = [Region::Label(1)];
        let found = errors(&softmax, reference.view(), &regions, Some(-1), 2, &Cancel::new()).unwrap();
        // Predicted classes: 0.9 right, 0.8 wrong, 0.8 right, all in the upper half.
        assert!((found.top_label - (2.5 - 2.0) / 3.0).abs() < 1e-6);
        // Foreground: upper half 0.9 right, 0.8 wrong; lower half 0.2 wrong.
        assert!((found.regions[0] - (0.7 + 0.2) / 3.0).abs() < 1e-6, "{found:?}");
    }

    proptest! {
        /// With one interval the error is the gap between the mean probability and the share of the class.
        #[test]
        fn one_interval_compares_means(values in prop::collection::vec((0f32..=1.0, any::<bool>()), 1..30)) {
            let n = values.len();
            let softmax = Array4::from_shape_fn((2, 1, 1, n), |(class, _, _, x)| {
                if class == 1 { values[x].0 } else { 1.0 - values[x].0 }
            });
            let reference = Array3::from_shape_fn((1, 1, n), |(_, _, x)| i16::from(values[x].1));
            let regions = [Region::Label(1)];
            let found = errors(&softmax, reference.view(), &regions, None, 1, &Cancel::new()).unwrap();
            let sum: f64 = values.iter().map(|(p, right)| f64::from(*p) - f64::from(u8::from(*right))).sum();
            prop_assert!((found.regions[0] - sum.abs() / n as f64).abs() < 1e-6);
        }
    }
}
