//! Resampling of the segmentation of a previous stage.

use std::collections::BTreeSet;

use half::f16;
use ndarray::{Array3, ArrayView3, Zip};
use resample::{resample_segmentation, resize, Order, Resampling};
use run::Cancel;

use crate::ResampleKind;

/// Rule by which a label wins a voxel.
#[derive(Clone, Copy)]
enum Rule {
    /// The largest weight; of equal ones that of the nearest voxel's label, else the lowest label. `resize_segmentation`
    /// of batchgenerators 0.25.5; before, a label needed half of the weight.
    Nearest,
    /// The largest weight in half precision, times 1000; of equal ones the lowest label. `resample_torch_fornnunet`.
    Half,
    /// The highest label with more than half of the weight, otherwise 0: the same with `memefficient_seg_resampling`.
    Majority,
}

/// Resamples a `(z, y, x)` segmentation: in all axes, or slice by slice and then along the separate axis.
///
/// Memory in addition to the result: three float64 volumes and two label volumes.
///
/// # Errors
/// [`resample::Error::EmptyShape`]; [`resample::Error::Cancelled`] within the work of one label.
pub(crate) fn resample_labels(
    labels: ArrayView3<'_, i16>,
    kind: ResampleKind,
    to: &Resampling,
    cancel: &Cancel,
) -> Result<Array3<i16>, resample::Error> {
    let rule = match kind {
        ResampleKind::None => return Ok(labels.to_owned()),
        ResampleKind::Spline { .. } => Rule::Nearest,
        ResampleKind::Torch { majority: true } => Rule::Majority,
        ResampleKind::Torch { majority: false } => Rule::Half,
    };
    let mut between = to.shape;
    if let Some(axis) = to.separate_axis {
        between[axis] = labels.shape()[axis];
    }
    let slices = resize_labels(labels, between, to.order, rule, cancel)?;
    let along = Resampling {
        order: Order::Nearest,
        ..*to
    };
    // Only the separate axis is left, if any.
    resample_segmentation(slices.view(), &along, None, cancel)
}

fn resize_labels(
    labels: ArrayView3<'_, i16>,
    shape: [usize; 3],
    order: Order,
    rule: Rule,
    cancel: &Cancel,
) -> Result<Array3<i16>, resample::Error> {
    if labels.shape() == shape {
        return Ok(labels.to_owned());
    }
    let numbers = labels.mapv(f64::from);
    let nearest = resize(numbers.view(), shape, Order::Nearest)?;
    if order == Order::Nearest {
        return Ok(nearest.mapv(|v| v as i16));
    }
    let present: BTreeSet<i16> = labels.iter().copied().collect();
    let mut result = Array3::zeros(shape);
    let mut best = Array3::zeros(shape);
    for label in present {
        cancel.check()?;
        let mask = labels.mapv(|v| f64::from(u8::from(v == label)));
        let weights = resize(mask.view(), shape, order)?;
        Zip::from(&mut result)
            .and(&mut best)
            .and(&weights)
            .and(&nearest)
            .for_each(|out, best, &weight, &nearest| {
                let (score, wins) = match rule {
                    Rule::Nearest => {
                        let tie = weight == *best && weight > 0.0 && nearest == f64::from(label);
                        (weight, weight > *best || tie)
                    }
                    Rule::Half => {
                        let score = f16::from_f64(1000.0 * weight).to_f64();
                        (score, score > *best)
                    }
                    Rule::Majority => (weight, weight > 0.5),
                };
                if wins {
                    (*best, *out) = (score, label);
                }
            });
    }
    Ok(result)
}
