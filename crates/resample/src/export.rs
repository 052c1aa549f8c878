//! Conversion of a network's prediction to a segmentation on the original grid: nnU-Net's
//! `segmentation_export` without files.

use ndarray::{Array3, Array4, ArrayView3, ArrayView4};
use run::Cancel;
use serde::{Deserialize, Serialize};

use crate::spacing::separate_axis;
use crate::{decide, resample_labels, resample_softmax, LabelStream};
use crate::{Decision, Error, ExportMode, Order, Resampling, SeparateZ, ANISOTROPY_THRESHOLD};

/// Position of a prediction, from the case's properties and the plans. Sizes, box and original spacing are in
/// the original image's axis order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Placement {
    /// `original_size_of_raw_data`.
    pub original_size: [usize; 3],
    /// `size_after_cropping`.
    pub size_after_cropping: [usize; 3],
    /// `crop_bbox`: first voxel and end (exclusive) of each axis. `None` if the image was not cropped.
    pub crop_bbox: Option<[[usize; 2]; 3]>,
    /// `original_spacing` in mm.
    pub original_spacing: [f64; 3],
    /// `spacing_after_resampling` in mm, in the network's axis order, as nnU-Net stores it.
    pub spacing_after_resampling: [f64; 3],
    /// The plans' `transpose_forward`: network axis `i` is original axis `transpose_forward[i]`.
    pub transpose_forward: [usize; 3],
}

/// Axis order assumed for `spacing_after_resampling`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SpacingAxes {
    /// The network's axes, which is correct.
    #[default]
    Network,
    /// The original axes, as nnU-Net v1 assumes by mistake. The low-resolution axis is wrong if the transpose
    /// is not the identity and only the target spacing is anisotropic.
    Original,
}

/// Options of the export. The default is nnU-Net's export, streamed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExportOptions {
    /// Interpolation order (1).
    pub order: Order,
    /// Interpolation order along a separate axis (0).
    pub order_z: Order,
    /// Whether the low-resolution axis is resampled separately.
    pub separate_z: SeparateZ,
    /// Resampling method.
    pub mode: ExportMode,
    /// `region_class_order`: the class of each channel, for networks trained on overlapping regions.
    pub regions: Option<Vec<i16>>,
    /// Axis order assumed for the stored target spacing.
    pub spacing_axes: SpacingAxes,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self {
            order: Order::Linear,
            order_z: Order::Nearest,
            separate_z: SeparateZ::Auto,
            mode: ExportMode::Streamed,
            regions: None,
            spacing_axes: SpacingAxes::Network,
        }
    }
}

impl ExportOptions {
    /// Returns the conversion of channels to labels.
    pub fn decision(&self) -> Decision {
        self.regions.clone().map_or(Decision::Argmax, Decision::regions)
    }
}

impl Placement {
    /// Returns the resampling of a prediction to the cropped region, both in the network's axis order.
    ///
    /// # Errors
    /// [`Error::Transpose`], [`Error::Spacing`].
    pub fn resampling(&self, options: &ExportOptions) -> Result<Resampling, Error> {
        let forward = self.transpose_forward;
        self.transpose_backward()?;
        let original = forward.map(|axis| self.original_spacing[axis]);
        let stored = self.spacing_after_resampling;
        let target = match options.spacing_axes {
            SpacingAxes::Network => stored,
            SpacingAxes::Original => forward.map(|axis| stored[axis]),
        };
        Ok(Resampling {
            shape: forward.map(|axis| self.size_after_cropping[axis]),
            separate_axis: separate_axis(original, target, options.separate_z, ANISOTROPY_THRESHOLD)?,
            order: options.order,
            order_z: options.order_z,
        })
    }

    /// Places labels of the cropped region, in the original axis order, in a background image of the original
    /// size.
    ///
    /// # Errors
    /// [`Error::Crop`] if the region does not fit. [`Error::Cancelled`] within the work of one plane.
    pub fn place(&self, region: ArrayView3<'_, i16>, cancel: &Cancel) -> Result<Array3<i16>, Error> {
        let Some(bbox) = self.crop_bbox else {
            return Ok(region.as_standard_layout().into_owned());
        };
        let size: [usize; 3] = region.dim().into();
        let mut whole = Array3::zeros(self.original_size);
        // As in the reference, the region's size determines the end of the box.
        let fits = (0..3).all(|axis| bbox[axis][0] + size[axis] <= self.original_size[axis]);
        if !fits {
            return Err(Error::Crop {
                bbox,
                region: size,
                original: self.original_size,
            });
        }
        let [z, y, x] = std::array::from_fn(|axis| bbox[axis][0]..bbox[axis][0] + size[axis]);
        let mut place = whole.slice_mut(ndarray::s![z, y, x]);
        for (mut plane, labels) in place.outer_iter_mut().zip(region.outer_iter()) {
            cancel.check()?;
            plane.assign(&labels);
        }
        Ok(whole)
    }

    /// A stream that resamples a softmax of `shape` (z, y, x) in the network's axis order. [`Placement::place_network`]
    /// places its labels.
    ///
    /// # Errors
    /// As [`LabelStream::new`] and [`Placement::resampling`].
    pub fn stream(
        &self,
        channels: usize,
        shape: [usize; 3],
        options: &ExportOptions,
    ) -> Result<LabelStream, Error> {
        let to = self.resampling(options)?;
        LabelStream::new(channels, shape, &to, options.mode, options.decision())
    }

    /// Places labels of the cropped region, in the network's axis order, as [`Placement::place`].
    ///
    /// # Errors
    /// As [`Placement::place`]; [`Error::Transpose`].
    pub fn place_network(&self, labels: ArrayView3<'_, i16>, cancel: &Cancel) -> Result<Array3<i16>, Error> {
        self.place(labels.permuted_axes(self.transpose_backward()?), cancel)
    }

    /// Original axis `i` is network axis `transpose_backward[i]`.
    ///
    /// # Errors
    /// [`Error::Transpose`].
    pub fn transpose_backward(&self) -> Result<[usize; 3], Error> {
        let mut backward = [3; 3];
        for (network, &original) in self.transpose_forward.iter().enumerate() {
            if let Some(slot) = backward.get_mut(original) {
                *slot = network;
            }
        }
        if backward.contains(&3) {
            return Err(Error::Transpose {
                found: self.transpose_forward,
            });
        }
        Ok(backward)
    }
}

/// Returns the segmentation on the original grid of a `(class, z, y, x)` softmax in the network's axis order,
/// as `save_segmentation_nifti_from_softmax`. [`resample_labels`] states the memory.
///
/// # Errors
/// [`Error::EmptyShape`], [`Error::Regions`], [`Error::Transpose`], [`Error::Spacing`], [`Error::Crop`];
/// [`Error::Cancelled`] within the work of one plane.
pub fn export_segmentation(
    softmax: ArrayView4<'_, f32>,
    placement: &Placement,
    options: &ExportOptions,
    cancel: &Cancel,
) -> Result<Array3<i16>, Error> {
    let to = placement.resampling(options)?;
    let labels = resample_labels(softmax, &to, options.mode, &options.decision(), cancel)?;
    placement.place_network(labels.view(), cancel)
}

/// Returns the softmax on the cropped region of the original grid, in the original axis order. nnU-Net stores
/// it for ensembling (as float16). [`segmentation_of`] converts it to a segmentation.
///
/// # Errors
/// [`Error::EmptyShape`], [`Error::Transpose`], [`Error::Spacing`]; [`Error::Cancelled`] within the work of a
/// few rows.
pub fn export_softmax(
    softmax: ArrayView4<'_, f32>,
    placement: &Placement,
    options: &ExportOptions,
    cancel: &Cancel,
) -> Result<Array4<f32>, Error> {
    let [z, y, x] = placement.transpose_backward()?;
    let resampled = resample_softmax(softmax, &placement.resampling(options)?, options.mode, cancel)?;
    if [z, y, x] == [0, 1, 2] {
        return Ok(resampled);
    }
    Ok(resampled
        .permuted_axes([0, z + 1, y + 1, x + 1])
        .as_standard_layout()
        .into_owned())
}

/// Returns the segmentation on the original grid of a softmax of [`export_softmax`], or of the mean of
/// several.
///
/// # Errors
/// [`Error::Region`], [`Error::Regions`], [`Error::Crop`]; [`Error::Cancelled`] within the work of one plane.
pub fn segmentation_of(
    resampled: ArrayView4<'_, f32>,
    placement: &Placement,
    decision: &Decision,
    cancel: &Cancel,
) -> Result<Array3<i16>, Error> {
    let (_, z, y, x) = resampled.dim();
    if [z, y, x] != placement.size_after_cropping {
        return Err(Error::Region {
            found: [z, y, x],
            expected: placement.size_after_cropping,
        });
    }
    placement.place(decide(resampled, decision, cancel)?.view(), cancel)
}
