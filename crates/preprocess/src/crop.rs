//! Cropping to the non-zero region.

use dataset::is_usable;
use ndarray::{s, Array3, Array4, Axis};
use run::{Cancel, Cancelled};
use serde::{Deserialize, Serialize};
use volume::UNLABELLED;

use crate::outside::{BoundingBox, Outside};
use crate::rules::{Crop, ReadRules};

/// Segmentation value outside the non-zero mask. nnU-Net v1 uses the value of unlabelled voxels.
pub const OUTSIDE: i16 = UNLABELLED;

/// Meaning of -1 in the user's label, besides the -1 that cropping writes outside the non-zero mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Unlabelled {
    /// -1 means unlabelled only: in such a case, background outside the mask stays 0.
    #[default]
    Distinct,
    /// -1 means both unlabelled and outside the mask, as in nnU-Net v1: masked background becomes unlabelled,
    /// and mask normalisation erases the image at unlabelled voxels.
    Merged,
}

/// A case cropped to the box around its non-zero mask. Axes are (z, y, x).
///
/// A dense case has no label, or a label without -1. As in nnU-Net v1, its `segmentation` is -1 outside the
/// mask where the label is 0. In a sparse case, -1 only means unlabelled: background outside the mask stays
/// 0, and `mask` holds the mask.
#[derive(Clone, Debug)]
pub struct Cropped {
    /// (channel, z, y, x)
    pub data: Array4<f32>,
    /// Labels. Without a label file, 0 within the mask.
    pub segmentation: Array3<i16>,
    /// Mask of a sparse case: 0 within the mask and at labelled classes, -1 elsewhere. `None` for a dense
    /// case, whose `segmentation` contains the mask.
    pub mask: Option<Array3<i16>>,
    /// Box of the original volume that was kept.
    pub bounds: BoundingBox,
    /// Distinct values of the segmentation in ascending order, before values below -1 become 0.
    pub classes: Vec<i16>,
    /// Number of voxels with a label above 0 that cropping took away.
    pub lost: usize,
}

impl Cropped {
    /// Returns a case from cropped data. The mask of a sparse case is computed again; cropping does not
    /// change it.
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
            lost: 0,
        })
    }

    /// Whether -1 means unlabelled.
    pub fn is_sparse(&self) -> bool {
        self.mask.is_some()
    }

    /// Replaces NaN and infinity by 0. nnU-Net v1 replaces NaN, and keeps infinity, which makes the whole
    /// channel NaN.
    ///
    /// # Errors
    /// [`Cancelled`] within the work of one channel.
    pub fn remove_nonfinite(&mut self, cancel: &Cancel) -> Result<(), Cancelled> {
        for mut channel in self.data.outer_iter_mut() {
            cancel.check()?;
            channel.mapv_inplace(|v| if is_usable(v) { v } else { 0.0 });
        }
        Ok(())
    }
}

/// Crops `channels` and their `label`, all of the same shape (z, y, x), to the non-zero mask. Returns `None`
/// if every voxel of every channel is 0. [`Crop::None`] keeps the whole volume.
///
/// Reference: `crop_to_nonzero` and `ImageCropper.crop`. For sparse cases see [`Cropped`].
///
/// # Errors
/// [`Cancelled`] within one pass over a volume.
pub fn crop(
    channels: Vec<Array3<f32>>,
    label: Option<Array3<i16>>,
    rules: ReadRules,
    cancel: &Cancel,
) -> Result<Option<Cropped>, Cancelled> {
    let views: Vec<_> = channels.iter().map(|c| c.view()).collect();
    let outside = Outside::of(&views, cancel)?;
    let Some(mut bounds) = outside.bounding_box() else {
        return Ok(None);
    };
    if let (Crop::None, Some(first)) = (rules.crop, channels.first()) {
        bounds = [0, 1, 2].map(|axis| [0, first.shape()[axis]]);
    }
    let labelled = label.as_ref().map(labelled);
    let sparse = rules.unlabelled == Unlabelled::Distinct
        && label.as_ref().is_some_and(|l| l.iter().any(|&v| v == UNLABELLED));
    let mut segmentation = match label {
        Some(label) => cut(label, &bounds),
        None => Array3::zeros(bounds.map(|[a, b]| b - a)),
    };
    let lost = labelled.map_or(0, |all| all - self::labelled(&segmentation));
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
        lost,
    }))
}

/// Returns the number of voxels with a label above 0.
pub(crate) fn labelled(label: &Array3<i16>) -> usize {
    label.iter().filter(|&&v| v > 0).count()
}

/// Returns the mask of a sparse case. As in a dense case, a labelled class outside the mask counts as inside.
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

/// Returns the part of a volume inside `bounds`. The whole volume is not copied.
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

/// Crops the channels into one array. Each original is freed after it is copied.
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

/// Returns the distinct values in ascending order.
fn distinct(segmentation: &Array3<i16>) -> Vec<i16> {
    let mut seen = vec![false; 1 << 16];
    for &v in segmentation {
        seen[(i32::from(v) - i32::from(i16::MIN)) as usize] = true;
    }
    (i16::MIN..=i16::MAX)
        .filter(|&v| seen[(i32::from(v) - i32::from(i16::MIN)) as usize])
        .collect()
}
