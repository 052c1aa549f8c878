//! Cropping to the non-zero region.

use ndarray::{s, Array3, Array4, Axis};
use run::{Cancel, Cancelled};
use serde::{Deserialize, Serialize};
use volume::UNLABELLED;

use crate::outside::{BoundingBox, Outside};

/// Value of a segmentation where a voxel is outside the non-zero mask: nnU-Net v1 writes the one of unlabelled voxels.
pub const OUTSIDE: i16 = UNLABELLED;

/// What -1 in the user's label means next to the -1 that cropping writes outside the non-zero mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Unlabelled {
    /// Unlabelled, and nothing else is: in such a case background outside the mask stays 0.
    #[default]
    Distinct,
    /// The same as outside the mask, as nnU-Net v1 has it: masked background becomes unlabelled, and mask normalisation
    /// erases the image at unlabelled voxels.
    Merged,
}

/// A case cropped to the box around its non-zero mask; axes (z, y, x).
///
/// A dense case (whose label has no -1, or which has none) says -1 in `segmentation` outside the mask, where the label is
/// 0, exactly as nnU-Net v1. In a sparse case -1 is what the user left unlabelled, and nothing else: background outside the
/// mask stays 0, and the mask stands in `mask`.
#[derive(Clone, Debug)]
pub struct Cropped {
    /// (channel, z, y, x)
    pub data: Array4<f32>,
    /// Labels; without a label file, 0 in the mask.
    pub segmentation: Array3<i16>,
    /// Of a sparse case: 0 in the mask and where a class was labelled, -1 elsewhere. `None` where `segmentation` says it.
    pub mask: Option<Array3<i16>>,
    /// What was kept of the original volume.
    pub bounds: BoundingBox,
    /// Different values of the segmentation, ascending, as they were before values below -1 became 0.
    pub classes: Vec<i16>,
}

impl Cropped {
    /// A case that was cropped before. The mask of a sparse one is found again: cropping does not change it.
    pub fn from_parts(
        data: Array4<f32>,
        segmentation: Array3<i16>,
        sparse: bool,
        bounds: BoundingBox,
        classes: Vec<i16>,
        cancel: &Cancel,
    ) -> Result<Self, Cancelled> {
        let mask = if sparse {
            let views: Vec<_> = data.outer_iter().collect();
            let whole = [0, 1, 2].map(|axis| [0, segmentation.shape()[axis]]);
            Some(sparse_mask(&Outside::of(&views, cancel)?, &whole, &segmentation))
        } else {
            None
        };
        Ok(Self {
            data,
            segmentation,
            mask,
            bounds,
            classes,
        })
    }

    /// Whether -1 means unlabelled.
    pub fn is_sparse(&self) -> bool {
        self.mask.is_some()
    }

    /// Replaces NaN by 0, as nnU-Net does before resampling.
    ///
    /// # Errors
    /// [`Cancelled`] within the work of one channel.
    pub fn remove_nan(&mut self, cancel: &Cancel) -> Result<(), Cancelled> {
        for mut channel in self.data.outer_iter_mut() {
            cancel.check()?;
            channel.mapv_inplace(|v| if v.is_nan() { 0.0 } else { v });
        }
        Ok(())
    }
}

/// Crops `channels` and their `label`, all of one shape (z, y, x), to the non-zero mask. `None` where every voxel of every
/// channel is 0.
///
/// Reference: `crop_to_nonzero` and `ImageCropper.crop`; for sparse cases see [`Cropped`].
///
/// # Errors
/// [`Cancelled`] within one pass over a volume.
pub fn crop(
    channels: Vec<Array3<f32>>,
    label: Option<Array3<i16>>,
    rule: Unlabelled,
    cancel: &Cancel,
) -> Result<Option<Cropped>, Cancelled> {
    let views: Vec<_> = channels.iter().map(|c| c.view()).collect();
    let outside = Outside::of(&views, cancel)?;
    let Some(bounds) = outside.bounding_box() else {
        return Ok(None);
    };
    let sparse =
        rule == Unlabelled::Distinct && label.as_ref().is_some_and(|l| l.iter().any(|&v| v == UNLABELLED));
    let mut segmentation = match label {
        Some(label) => cut(label, &bounds),
        None => Array3::zeros(bounds.map(|[a, b]| b - a)),
    };
    cancel.check()?;
    let mask = sparse.then(|| sparse_mask(&outside, &bounds, &segmentation));
    cancel.check()?;
    if !sparse {
        outside.visit(&bounds, segmentation.view_mut(), |v| {
            if *v == 0 {
                *v = OUTSIDE;
            }
        });
    }
    cancel.check()?;
    let classes = distinct(&segmentation);
    if classes.first().is_some_and(|&lowest| lowest < OUTSIDE) {
        segmentation.mapv_inplace(|v| if v < OUTSIDE { 0 } else { v });
    }
    Ok(Some(Cropped {
        data: stack(channels, &bounds, cancel)?,
        segmentation,
        mask,
        bounds,
        classes,
    }))
}

/// The mask of a sparse case: a class that was labelled outside it counts as inside, as in a dense case.
fn sparse_mask(outside: &Outside, bounds: &BoundingBox, segmentation: &Array3<i16>) -> Array3<i16> {
    let mut mask = Array3::zeros(segmentation.dim());
    outside.visit(bounds, mask.view_mut(), |v| *v = OUTSIDE);
    ndarray::Zip::from(&mut mask)
        .and(segmentation)
        .for_each(|m, &label| {
            if label > 0 {
                *m = 0;
            }
        });
    mask
}

/// The part of a volume inside `bounds`; without a copy where that is all of it.
fn cut<T: Clone>(volume: Array3<T>, bounds: &BoundingBox) -> Array3<T> {
    let [z, y, x] = *bounds;
    if [z, y, x]
        .iter()
        .zip(volume.shape())
        .all(|(&[start, end], &n)| (start, end) == (0, n))
    {
        return volume;
    }
    volume.slice(s![z[0]..z[1], y[0]..y[1], x[0]..x[1]]).to_owned()
}

/// Crops the channels into one array; each original is dropped as soon as it is copied.
fn stack(
    mut channels: Vec<Array3<f32>>,
    bounds: &BoundingBox,
    cancel: &Cancel,
) -> Result<Array4<f32>, Cancelled> {
    cancel.check()?;
    if channels.len() == 1 {
        if let Some(only) = channels.pop() {
            return Ok(cut(only, bounds).insert_axis(Axis(0)));
        }
    }
    let [z, y, x] = *bounds;
    let mut data = Array4::zeros((channels.len(), z[1] - z[0], y[1] - y[0], x[1] - x[0]));
    for (mut cropped, channel) in data.outer_iter_mut().zip(channels) {
        cancel.check()?;
        cropped.assign(&channel.slice(s![z[0]..z[1], y[0]..y[1], x[0]..x[1]]));
    }
    Ok(data)
}

/// Different values, ascending.
fn distinct(segmentation: &Array3<i16>) -> Vec<i16> {
    let mut seen = vec![false; 1 << 16];
    for &v in segmentation {
        seen[(i32::from(v) - i32::from(i16::MIN)) as usize] = true;
    }
    (i16::MIN..=i16::MAX)
        .filter(|&v| seen[(i32::from(v) - i32::from(i16::MIN)) as usize])
        .collect()
}
