//! Softmax of a whole volume from overlapping tiles.

use engine::network::{GenericUNet, Heads, Weights};
use ndarray::{Array4, ArrayD, ArrayView4, Axis, IxDyn};
use run::Context;
use run::OptionError;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::gaussian::importance;
use crate::mirror::mirror_subsets;
use crate::tiles::{tile_corners, tile_starts, Padding};
use crate::Error;

/// Tiling and averaging.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WindowOptions {
    /// Step between tiles as a fraction of the patch, above 0 and at most 1.
    pub step_size: f64,
    /// Mirrored axes (z, y, x) or (y, x) for averaging; empty for none.
    pub mirror_axes: Vec<usize>,
    /// Weights voxels by [`importance`]. Has an effect only with more than one tile.
    pub gaussian: bool,
}

impl WindowOptions {
    /// nnU-Net's defaults: steps of half a patch, all axes mirrored, Gaussian weights.
    pub fn new(dimensions: usize) -> Self {
        Self {
            step_size: 0.5,
            mirror_axes: (0..dimensions).collect(),
            gaussian: true,
        }
    }
}

impl Default for WindowOptions {
    fn default() -> Self {
        Self::new(3)
    }
}

/// Maximum voxels of one batch of mirrored copies. Small tiles are batched, because one alone leaves cores
/// idle. Large ones are not, to save memory.
const VOXELS_AT_ONCE: usize = 1 << 20;

/// A network prepared for prediction, with its weights cast once to the computing precision.
pub struct Predictor<'a> {
    network: &'a GenericUNet,
    weights: Weights,
    kind: Kind,
    patch: Vec<usize>,
    options: WindowOptions,
}

impl<'a> Predictor<'a> {
    /// Prepares `network` for tiles of `patch`, computing in `kind`.
    ///
    /// # Errors
    /// [`Error::Option`] for an invalid step size or mirror axis; [`Error::Engine`].
    pub fn new(
        network: &'a GenericUNet,
        kind: Kind,
        patch: &[usize],
        options: WindowOptions,
    ) -> Result<Self, Error> {
        if !(options.step_size > 0.0 && options.step_size <= 1.0) {
            let expected = "a number above 0 and at most 1";
            return Err(OptionError::expected("stepSize", expected, options.step_size).into());
        }
        if let Some(axis) = options.mirror_axes.iter().find(|&&axis| axis >= patch.len()) {
            let expected = format!("axes below {}", patch.len());
            return Err(OptionError::expected("mirrorAxes", expected, axis).into());
        }
        let weights = network.weights(kind)?;
        Ok(Self {
            network,
            weights,
            kind,
            patch: patch.to_vec(),
            options,
        })
    }

    /// Number of tiles of a volume (z, y, x), for progress.
    pub fn tiles(&self, volume: &[usize]) -> usize {
        let slices = if self.patch.len() == 2 { volume[0] } else { 1 };
        let plane = &volume[volume.len() - self.patch.len()..];
        let padding = Padding::new(plane, &self.patch);
        let starts = tile_starts(&self.patch, &padding.shape, self.options.step_size);
        slices * starts.iter().map(Vec::len).product::<usize>()
    }

    /// Returns the softmax (class, z, y, x) of an image (channel, z, y, x). A 2D network processes the slices
    /// of axis z.
    ///
    /// Memory besides the result: the padded image, one float per voxel and class, and one forward pass.
    /// `done` is called after every tile.
    ///
    /// A softmax that is not finite in half precision, whose range float16 may exceed, is computed again in float32,
    /// with a warning `WARN_PRECISION_OVERFLOW`.
    ///
    /// Source: `SegmentationNetwork.predict_3D`, without its reduced precision on the GPU.
    ///
    /// # Errors
    /// [`Error::SoftmaxNotFinite`] if it is not finite in float32 either; [`Error::Engine`], [`Error::Cancelled`].
    pub fn softmax(
        &self,
        image: ArrayView4<'_, f32>,
        context: &Context,
        done: &mut dyn FnMut(),
    ) -> Result<Array4<f32>, Error> {
        self.softmax_of(None, image, context, done)
    }

    /// [`Predictor::softmax`] of a case, which the warning names.
    ///
    /// # Errors
    /// As [`Predictor::softmax`].
    pub fn softmax_of(
        &self,
        case: Option<&str>,
        image: ArrayView4<'_, f32>,
        context: &Context,
        done: &mut dyn FnMut(),
    ) -> Result<Array4<f32>, Error> {
        let softmax = self.whole(&self.weights, image, context, done)?;
        let Some(voxels) = not_finite(&softmax) else {
            return Ok(softmax);
        };
        if self.kind == Kind::Float {
            return Err(Error::SoftmaxNotFinite { voxels });
        }
        drop(softmax);
        let name = if self.kind == Kind::Half {
            "float16"
        } else {
            "bfloat16"
        };
        let message = format!(
            "the network exceeds the range of {name} in {voxels} values; the case is predicted again in float32, which \
             takes longer; choose --precision float32 if this is frequent"
        );
        context.warn("WARN_PRECISION_OVERFLOW", message, case);
        let weights = self.network.weights(Kind::Float)?;
        // The tiles were counted already.
        let softmax = self.whole(&weights, image, context, &mut || ())?;
        match not_finite(&softmax) {
            None => Ok(softmax),
            Some(voxels) => Err(Error::SoftmaxNotFinite { voxels }),
        }
    }

    /// Softmax of an image with the given weights.
    fn whole(
        &self,
        weights: &Weights,
        image: ArrayView4<'_, f32>,
        context: &Context,
        done: &mut dyn FnMut(),
    ) -> Result<Array4<f32>, Error> {
        let classes = self.network.architecture().classes as usize;
        let (_, depth, height, width) = image.dim();
        if self.patch.len() == 3 {
            let softmax = self.region(weights, &image.into_dyn().to_owned(), context, done)?;
            return softmax.into_dimensionality().map_err(|e| Error::shape(&e));
        }
        let mut result = Array4::zeros((classes, depth, height, width));
        for (z, mut out) in result.axis_iter_mut(Axis(1)).enumerate() {
            let slice = image.index_axis(Axis(1), z).into_dyn().to_owned();
            let softmax = self.region(weights, &slice, context, done)?;
            let softmax = softmax
                .into_dimensionality::<ndarray::Ix3>()
                .map_err(|e| Error::shape(&e))?;
            out.assign(&softmax);
        }
        Ok(result)
    }

    /// Softmax of an image (channel, \[z,\] y, x) with the axes of the patch.
    fn region(
        &self,
        weights: &Weights,
        image: &ArrayD<f32>,
        context: &Context,
        done: &mut dyn FnMut(),
    ) -> Result<ArrayD<f32>, Error> {
        let volume = &image.shape()[1..];
        let padding = Padding::new(volume, &self.patch);
        let padded = pad(image, &padding);
        let input = engine::tensor::from_array(&padded.view().insert_axis(Axis(0)))?;
        let corners = tile_corners(&tile_starts(&self.patch, &padding.shape, self.options.step_size));
        let weighted = self.options.gaussian && corners.len() > 1;
        let tile_weight = match weighted {
            true => importance(&self.patch),
            false => ArrayD::ones(IxDyn(&self.patch)),
        };
        let tile_weight = engine::tensor::from_array(&tile_weight.view())?;
        let on_device = tile_weight.f_to_device(self.network.device())?;
        let shape: Vec<i64> = padding.shape.iter().map(|&n| n as i64).collect();
        let classes = self.network.architecture().classes;
        let sums = zeros(&[&[1, classes], &shape[..]].concat())?;
        let sum_of_weights = zeros(&shape)?;
        for corner in &corners {
            context.check()?;
            let tile = self.narrow(&input, corner, 2)?;
            let predicted = self.tile(weights, &tile, &on_device)?;
            add(&self.narrow(&sums, corner, 2)?, &predicted)?;
            add(&self.narrow(&sum_of_weights, corner, 0)?, &tile_weight)?;
            done();
        }
        let mean = sums
            .f_div(&sum_of_weights)
            .and_then(|mean| mean.f_squeeze_dim(0))?;
        let mut cropped = mean;
        for (axis, (&before, &length)) in padding.before.iter().zip(volume).enumerate() {
            cropped = cropped.f_narrow(axis as i64 + 1, before as i64, length as i64)?;
        }
        Ok(engine::tensor::to_array(&cropped)?)
    }

    /// Mean softmax of a tile's mirrored copies times its weight, on the CPU: (1, class, \[z,\] y, x).
    fn tile(&self, weights: &Weights, tile: &Tensor, weight: &Tensor) -> Result<Tensor, Error> {
        let subsets = mirror_subsets(&self.options.mirror_axes);
        let voxels: usize = self.patch.iter().product();
        let at_once = (VOXELS_AT_ONCE / voxels.max(1)).clamp(1, subsets.len());
        tch::no_grad(|| {
            let tile = tile.f_to_device(self.network.device())?;
            let mut sum: Option<Tensor> = None;
            for copies in subsets.chunks(at_once) {
                let flipped = copies
                    .iter()
                    .map(|axes| tile.f_flip(axes))
                    .collect::<Result<Vec<_>, _>>()?;
                let batch = Tensor::f_cat(&flipped, 0)?;
                let heads = self.network.forward(&batch, weights, Heads::Finest(1))?;
                let softmax = heads[0].f_softmax(1, Kind::Float)?;
                for (i, axes) in copies.iter().enumerate() {
                    let back = softmax.f_narrow(0, i as i64, 1)?.f_flip(axes)?;
                    sum = Some(match sum {
                        Some(mut sum) => sum.f_add_(&back)?,
                        None => back,
                    });
                }
            }
            let sum = sum.ok_or_else(|| Error::Internal {
                problem: "a tile without copies".to_owned(),
            })?;
            let scale = 1.0 / subsets.len() as f64;
            Ok(sum.f_mul(weight)?.f_mul_scalar(scale)?.f_to_device(Device::Cpu)?)
        })
    }

    /// The region of `tensor` under the tile at `corner`; spatial axes begin at `first`.
    fn narrow(&self, tensor: &Tensor, corner: &[usize], first: i64) -> Result<Tensor, Error> {
        let mut part = tensor.shallow_clone();
        for (axis, (&start, &length)) in corner.iter().zip(&self.patch).enumerate() {
            part = part.f_narrow(first + axis as i64, start as i64, length as i64)?;
        }
        Ok(part)
    }
}

/// Number of values that are not finite, if there are any.
fn not_finite(values: &Array4<f32>) -> Option<usize> {
    // Without a branch, so that the compiler can use vector instructions.
    let finite = values.as_slice_memory_order().map_or_else(
        || values.iter().all(|value| value.is_finite()),
        |values| values.iter().fold(true, |all, value| all & value.is_finite()),
    );
    (!finite).then(|| values.iter().filter(|value| !value.is_finite()).count())
}

fn zeros(shape: &[i64]) -> Result<Tensor, Error> {
    Ok(Tensor::f_zeros(shape, (Kind::Float, Device::Cpu))?)
}

/// Adds in place: `to` shares its memory with the volume it is a view of.
fn add(to: &Tensor, value: &Tensor) -> Result<(), Error> {
    let mut to = to.shallow_clone();
    let _ = to.f_add_(value)?;
    Ok(())
}

fn pad(image: &ArrayD<f32>, padding: &Padding) -> ArrayD<f32> {
    if padding.shape == image.shape()[1..] {
        return image.clone();
    }
    let mut shape = vec![image.shape()[0]];
    shape.extend(&padding.shape);
    let mut padded = ArrayD::zeros(IxDyn(&shape));
    let mut inner = padded.view_mut();
    for (axis, (&before, &length)) in padding.before.iter().zip(&image.shape()[1..]).enumerate() {
        inner.slice_axis_inplace(Axis(axis + 1), (before..before + length).into());
    }
    inner.assign(image);
    padded
}
