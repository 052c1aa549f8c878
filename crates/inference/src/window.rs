//! Softmax or logits of a whole volume from overlapping tiles.

use engine::network::{Network, Weights};
use ndarray::{Array4, ArrayView4, Axis};
use run::Context;
use run::OptionError;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::gaussian::importance;
use crate::mirror::mirror_subsets;
use crate::sums::{Place, Sums};
use crate::tiles::{tile_corners, tile_starts, Padding};
use crate::Error;

mod logits;

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

/// Maximum voxels of a batch of mirrored copies. Small tiles are batched, because one alone leaves cores idle. Large ones
/// are not, to save memory.
const VOXELS_AT_ONCE: usize = 1 << 20;

/// Maximum voxels of a batch of tiles at several positions: enough for small tiles, such as those of 2D networks.
const VOXELS_OF_SEVERAL: usize = 1 << 18;

/// Maximum values of a softmax that are copied from libtorch at once.
const VALUES_AT_ONCE: usize = 1 << 22;

/// Receives the planes of a softmax, in order.
pub trait Planes: Send {
    /// Takes the next planes (class, z, y, x).
    ///
    /// # Errors
    /// An error ends the prediction of the case.
    fn push(&mut self, planes: ArrayView4<'_, f32>) -> Result<(), Error>;
}

/// The networks of a model's folds, owned or borrowed, with their weights cast once to the computing precision.
pub struct Predictor<N> {
    networks: Vec<N>,
    weights: Vec<Weights>,
    kind: Kind,
    patch: Vec<usize>,
    options: WindowOptions,
    importance: Vec<f32>,
}

/// A batch of tiles that are added to the same planes, after which the planes before `end` are complete.
struct Group {
    corners: Vec<[usize; 3]>,
    end: usize,
}

/// How a volume is divided into tiles.
struct Tiling {
    padding: Padding,
    groups: Vec<Group>,
    /// Planes that tiles of one group change.
    depth: usize,
    /// Whether tiles overlap, so that voxels are weighted.
    weighted: bool,
}

impl<N: Network> Predictor<N> {
    /// Prepares `network` for tiles of `patch`, computing in `kind`.
    ///
    /// # Errors
    /// [`Error::Option`] for an invalid step size or mirror axis; [`Error::Engine`].
    pub fn new(network: N, kind: Kind, patch: &[usize], options: WindowOptions) -> Result<Self, Error> {
        Self::of_folds([network], kind, patch, options)
    }

    /// Prepares the networks of several folds, whose softmax is averaged.
    ///
    /// # Errors
    /// As [`Predictor::new`]; [`Error::Internal`] without a network.
    pub fn of_folds(
        networks: impl IntoIterator<Item = N>,
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
        let networks: Vec<_> = networks.into_iter().collect();
        if networks.is_empty() {
            let problem = "a model without folds".to_owned();
            return Err(Error::Internal { problem });
        }
        let weights = networks
            .iter()
            .map(|network| network.weights(kind))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            networks,
            weights,
            kind,
            patch: patch.to_vec(),
            options,
            importance: importance(patch).into_raw_vec_and_offset().0,
        })
    }

    /// The options of the sliding window.
    pub fn options(&self) -> &WindowOptions {
        &self.options
    }

    /// Size of the tiles, per axis of the network.
    pub fn patch_size(&self) -> &[usize] {
        &self.patch
    }

    /// Number of tile positions of a volume (z, y, x), for progress.
    pub fn tiles(&self, volume: &[usize]) -> usize {
        let groups = self.tiling(volume).groups;
        groups.iter().map(|group| group.corners.len()).sum()
    }

    /// Returns the mean softmax (class, z, y, x) of an image (channel, z, y, x). A 2D network processes the slices of axis z.
    ///
    /// Memory besides the result, which is the only volume of all classes: the image, padded to at least one tile, one
    /// float per voxel, and one forward pass. `done` is called after every tile position.
    ///
    /// A softmax that is not finite in half precision, whose range float16 may exceed, is computed again in float32,
    /// with a warning `WARN_PRECISION_OVERFLOW`.
    ///
    /// Source: `SegmentationNetwork.predict_3D`, without its reduced precision on the GPU.
    ///
    /// # Errors
    /// [`Error::SoftmaxNotFinite`] if it is not finite in float32 either; [`Error::Engine`], [`Error::Memory`],
    /// [`Error::Cancelled`].
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
        self.twice(case, context, done, |weights, done| {
            let whole = self.sums(&image, usize::MAX)?;
            let (added, _) = self.add_all(weights, &image, whole, context, done, &mut |_, _| Ok(0))?;
            added.into_mean()
        })
    }

    /// Gives the mean softmax of a case to what `begin` returns, some planes at a time. The values equal those of
    /// [`Predictor::softmax`] in every bit; memory holds only the planes under one row of tiles.
    ///
    /// `begin` is called again if the case is predicted again in float32.
    ///
    /// # Errors
    /// As [`Predictor::softmax`], and those of the receiver.
    pub fn stream<P: Planes>(
        &self,
        case: Option<&str>,
        image: ArrayView4<'_, f32>,
        context: &Context,
        done: &mut dyn FnMut(),
        begin: impl Fn() -> Result<P, Error>,
    ) -> Result<P, Error> {
        let pool = context.pool()?;
        self.twice(case, context, done, |weights, done| {
            let mut planes = begin()?;
            let slab = self.sums(&image, self.depth(&image.shape()[1..]))?;
            let (_, bad) = self.add_all(weights, &image, slab, context, done, &mut |sums, end| {
                pool.install(|| sums.take(end, |piece| planes.push(piece)))
            })?;
            Ok(if bad == 0 { Ok(planes) } else { Err(bad) })
        })
    }

    /// Number of planes that [`Predictor::stream`] holds of a volume (z, y, x).
    pub fn depth(&self, volume: &[usize]) -> usize {
        self.tiling(volume).depth
    }

    /// Estimated memory in bytes of one forward pass on this computer, with its input and softmax.
    pub fn bytes_at_once(&self, volume: &[usize]) -> u64 {
        let largest = self
            .tiling(volume)
            .groups
            .iter()
            .map(|group| group.corners.len())
            .max();
        let copies = largest.unwrap_or(1) * mirror_subsets(&self.options.mirror_axes).len();
        let voxels = (self.patch.iter().product::<usize>() * self.at_once().min(copies)) as u64;
        self.networks[0].bytes(voxels) + 8 * VALUES_AT_ONCE as u64
    }

    /// Tiles and mirrored copies in one batch.
    fn at_once(&self) -> usize {
        let voxels = self.patch.iter().product::<usize>().max(1);
        let copies = 1 << self.options.mirror_axes.len();
        let of_one = (VOXELS_AT_ONCE / voxels).min(copies);
        of_one.max(VOXELS_OF_SEVERAL / voxels).max(1)
    }

    /// Runs an attempt, which returns its result or the number of values that are not finite, and again in float32 if there
    /// are any in half precision.
    fn twice<T>(
        &self,
        case: Option<&str>,
        context: &Context,
        done: &mut dyn FnMut(),
        mut attempt: impl FnMut(&[Weights], &mut dyn FnMut()) -> Result<Result<T, usize>, Error>,
    ) -> Result<T, Error> {
        let voxels = match attempt(&self.weights, done)? {
            Ok(result) => return Ok(result),
            Err(voxels) => voxels,
        };
        if self.kind == Kind::Float {
            return Err(Error::SoftmaxNotFinite { voxels });
        }
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
        let weights = self
            .networks
            .iter()
            .map(|network| network.weights(Kind::Float))
            .collect::<Result<Vec<_>, _>>()?;
        // The tiles were counted already.
        attempt(&weights, &mut || ())?.map_err(|voxels| Error::SoftmaxNotFinite { voxels })
    }

    /// Patch and volume with three axes: a 2D network has tiles of one slice.
    fn patch(&self) -> [usize; 3] {
        match self.patch[..] {
            [z, y, x] => [z, y, x],
            [y, x] => [1, y, x],
            _ => [1; 3],
        }
    }

    fn tiling(&self, volume: &[usize]) -> Tiling {
        let patch = self.patch();
        let padding = Padding::new(volume, &patch);
        let starts = tile_starts(&patch, &padding.shape, self.options.step_size);
        let in_plane = tile_corners(&starts[1..]);
        let last = volume[0];
        if self.patch.len() == 2 {
            // Every slice is complete on its own.
            let copies = in_plane.len() * mirror_subsets(&self.options.mirror_axes).len();
            let depth = (self.at_once() / copies).clamp(1, last.max(1));
            let group = |first: usize| Group {
                corners: (first..(first + depth).min(last))
                    .flat_map(|z| in_plane.iter().map(move |corner| [z, corner[0], corner[1]]))
                    .collect(),
                end: (first + depth).min(last),
            };
            return Tiling {
                padding,
                groups: (0..last).step_by(depth).map(group).collect(),
                depth,
                weighted: self.options.gaussian && in_plane.len() > 1,
            };
        }
        let groups: Vec<_> = starts[0]
            .iter()
            .enumerate()
            .map(|(index, &z)| Group {
                corners: in_plane.iter().map(|corner| [z, corner[0], corner[1]]).collect(),
                end: starts[0].get(index + 1).copied().unwrap_or(last),
            })
            .collect();
        Tiling {
            padding,
            weighted: self.options.gaussian && groups.len() * in_plane.len() > 1,
            groups,
            depth: patch[0].min(last),
        }
    }

    /// Empty sums for an image (channel, z, y, x), with at most `depth` planes.
    fn sums(&self, image: &ArrayView4<'_, f32>, depth: usize) -> Result<Sums, Error> {
        let (_, z, y, x) = image.dim();
        Sums::new(self.networks[0].outputs(), [z, y, x], depth)
    }

    /// Adds every tile of an image. `complete` is called with the end of the planes that no later tile changes, and
    /// returns the number of values that are not finite, which ends the work.
    fn add_all(
        &self,
        weights: &[Weights],
        image: &ArrayView4<'_, f32>,
        mut sums: Sums,
        context: &Context,
        done: &mut dyn FnMut(),
        complete: &mut dyn FnMut(&mut Sums, usize) -> Result<usize, Error>,
    ) -> Result<(Sums, usize), Error> {
        let pool = context.pool()?;
        let tiling = self.tiling(&image.shape()[1..]);
        let input = self.upload(image, &tiling.padding)?;
        let subsets = mirror_subsets(&self.options.mirror_axes);
        let ones = vec![1.0; if tiling.weighted { 0 } else { self.importance.len() }];
        let weight = if tiling.weighted { &self.importance } else { &ones };
        let share = 1.0 / (subsets.len() * self.networks.len()) as f32;
        let scaled: Vec<f32> = weight.iter().map(|weight| weight * share).collect();
        let place = |corner: &[usize; 3]| Place {
            corner: std::array::from_fn(|axis| corner[axis] as isize - tiling.padding.before[axis] as isize),
            size: self.patch(),
        };
        let mut values = Vec::new();
        for group in &tiling.groups {
            for corner in &group.corners {
                sums.add_weight(weight, place(corner));
            }
            let copies: Vec<_> = group
                .corners
                .iter()
                .flat_map(|corner| subsets.iter().map(move |axes| (corner, axes)))
                .collect();
            let mut finished = 0;
            for batch in copies.chunks(self.at_once()) {
                context.check()?;
                let tiles = batch
                    .iter()
                    .map(|(corner, axes)| Ok(self.tile(&input, corner)?.f_flip(axes.as_slice())?))
                    .collect::<Result<Vec<_>, Error>>()?;
                let tiles = Tensor::f_cat(&tiles, 0)?;
                for (network, weights) in self.networks.iter().zip(weights) {
                    let softmax = tch::no_grad(|| softmax_of(network, weights, &tiles))?;
                    for (index, (corner, axes)) in batch.iter().enumerate() {
                        let of_copy = softmax.f_narrow(0, index as i64, 1)?;
                        let (place, mirrored) = (place(corner), self.mirrored(axes));
                        each_class(&of_copy, &mut values, |class, values| {
                            pool.install(|| sums.add(class, values, &scaled, place, mirrored));
                        })?;
                    }
                }
                finished += batch.len();
                while finished >= subsets.len() {
                    finished -= subsets.len();
                    done();
                }
            }
            let bad = complete(&mut sums, group.end)?;
            if bad > 0 {
                return Ok((sums, bad));
            }
        }
        Ok((sums, 0))
    }

    /// The image (1, channel, z, y, x) on the device, padded to at least one tile.
    fn upload(&self, image: &ArrayView4<'_, f32>, padding: &Padding) -> Result<Tensor, Error> {
        let input = engine::tensor::from_array(&image.view().into_dyn().insert_axis(Axis(0)))?;
        let input = input.f_to_device(self.networks[0].device())?;
        let mut amounts = Vec::new();
        for axis in (0..3).rev() {
            let before = padding.before[axis];
            let after = padding.shape[axis] - image.shape()[axis + 1] - before;
            amounts.extend([before as i64, after as i64]);
        }
        if amounts.iter().all(|&amount| amount == 0) {
            return Ok(input);
        }
        Ok(input.f_constant_pad_nd(&amounts)?)
    }

    /// The tile (1, channel, \[z,\] y, x) at a corner of the padded image.
    fn tile(&self, input: &Tensor, corner: &[usize; 3]) -> Result<Tensor, Error> {
        let mut tile = input.shallow_clone();
        for (axis, (&start, length)) in corner.iter().zip(self.patch()).enumerate() {
            tile = tile.f_narrow(axis as i64 + 2, start as i64, length as i64)?;
        }
        match self.patch.len() {
            2 => Ok(tile.f_squeeze_dim(2)?),
            _ => Ok(tile),
        }
    }

    /// Which of the axes (z, y, x) are mirrored.
    fn mirrored(&self, axes: &[i64]) -> [bool; 3] {
        // Tensors are (sample, channel, [z,] y, x).
        let shift = 3 - self.patch.len() as i64;
        std::array::from_fn(|axis| axes.contains(&(axis as i64 + 2 - shift)))
    }
}

/// Softmax of a batch, in the memory of the logits.
fn softmax_of(network: &impl Network, weights: &Weights, batch: &Tensor) -> Result<Tensor, Error> {
    let mut values = network.logits(batch, weights)?;
    values = values.f_sub_(&values.f_amax(1, true)?)?.f_exp_()?;
    let sum = values.f_sum_dim_intlist(1, true, Kind::Float)?;
    Ok(values.f_div_(&sum)?)
}

/// Calls `work(class, values)` for all classes of a softmax (1, class, \[z,\] y, x), some at a time.
fn each_class(
    softmax: &Tensor,
    values: &mut Vec<f32>,
    mut work: impl FnMut(usize, &[f32]),
) -> Result<(), Error> {
    let classes = softmax.size()[1];
    let voxels = softmax.numel() / (classes as usize).max(1);
    let at_once = (VALUES_AT_ONCE / voxels.max(1)).clamp(1, classes as usize) as i64;
    for first in (0..classes).step_by(at_once as usize) {
        let part = softmax.f_narrow(1, first, at_once.min(classes - first))?;
        let part = part.f_to_device(Device::Cpu)?.f_contiguous()?;
        let count = part.numel();
        values.resize(count, 0.0);
        part.f_copy_data(values, count)?;
        work(first as usize, values);
    }
    Ok(())
}
