//! Resampling of a network's softmax, to softmax or labels.

use std::ops::Range;

use ndarray::{Array3, Array4, ArrayView3, ArrayView4, Axis};
use rayon::prelude::*;
use run::{Cancel, Cancelled};
use serde::{Deserialize, Serialize};

use crate::blocks;
use crate::channel::Channel;
use crate::data::{resample_on, Resampling};
use crate::taps::Grid;
use crate::Error;

/// Method of resampling a softmax to the original grid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ExportMode {
    /// nnU-Net's own resampling, with all classes in memory on the original grid.
    Default,
    /// The alternative of DIAG's fork (`DIAG_NNUNET_ALT_RESAMPLING`). A separate axis is interpolated between
    /// the centres of its first and last slices, `i * (n_in - 1) / (n_out - 1)`. A single output slice is the
    /// first one. Otherwise equal to the default.
    Alt,
    /// Values of the default, with labels decided block by block. Memory does not grow with classes times
    /// original grid.
    #[default]
    Streamed,
}

impl ExportMode {
    fn grid(self) -> Grid {
        match self {
            Self::Alt => Grid::Corners,
            Self::Default | Self::Streamed => Grid::Cells,
        }
    }
}

/// Conversion of a prediction's channels to labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Index of the largest channel, the first of equal ones.
    Argmax,
    /// nnU-Net's regions: channel `i` above one half gives the `i`-th class. Later channels overwrite earlier
    /// ones. Otherwise 0.
    Regions(Vec<i16>),
}

impl Decision {
    fn check(&self, channels: usize) -> Result<(), Error> {
        match self {
            Self::Regions(classes) if classes.len() != channels => Err(Error::Regions {
                found: classes.len(),
                expected: channels,
            }),
            _ => Ok(()),
        }
    }

    /// Merges one channel's values, in ascending channel order. `best` starts at minus infinity, `labels` at
    /// 0.
    fn merge(&self, channel: usize, values: &[f32], best: &mut [f32], labels: &mut [i16]) {
        match self {
            Self::Argmax => {
                for ((&value, best), label) in values.iter().zip(best).zip(labels) {
                    let better = value > *best;
                    *best = if better { value } else { *best };
                    *label = if better { channel as i16 } else { *label };
                }
            }
            Self::Regions(classes) => {
                for (&value, label) in values.iter().zip(labels) {
                    *label = if value > 0.5 { classes[channel] } else { *label };
                }
            }
        }
    }
}

/// Resamples a `(class, z, y, x)` softmax, all classes at once. [`ExportMode::Streamed`] gives the same
/// numbers as [`ExportMode::Default`] here. [`stream_softmax`] and [`resample_labels`] need less memory.
///
/// # Errors
/// [`Error::EmptyShape`], [`Error::Axis`]; [`Error::Cancelled`] within the work of a few rows.
pub fn resample_softmax(
    softmax: ArrayView4<'_, f32>,
    to: &Resampling,
    mode: ExportMode,
    cancel: &Cancel,
) -> Result<Array4<f32>, Error> {
    resample_on(softmax, to, mode.grid(), cancel)
}

/// Returns the labels of a softmax that is already on the target grid.
///
/// # Errors
/// [`Error::Regions`]; [`Error::Cancelled`] within the work of a few rows.
pub fn decide(
    softmax: ArrayView4<'_, f32>,
    decision: &Decision,
    cancel: &Cancel,
) -> Result<Array3<i16>, Error> {
    let (channels, z, y, x) = softmax.dim();
    let to = Resampling {
        shape: [z, y, x],
        separate_axis: None,
        order: crate::Order::Nearest,
        order_z: crate::Order::Nearest,
    };
    decision.check(channels)?;
    stream_labels(softmax, &to, Grid::Cells, decision, cancel)
}

/// Resamples a `(class, z, y, x)` softmax and decides the label of each voxel.
///
/// Memory in addition to the softmax and the labels: [`ExportMode::Default`] and [`ExportMode::Alt`] hold all
/// classes on the new grid. [`ExportMode::Streamed`] holds a few rows per thread if the order is 0 or 1 in
/// plane, 0 along a separate axis that is axis 0, and the softmax is C-contiguous. Otherwise it holds one
/// channel's copy and one float32 volume on the new grid, for any number of classes (two copies for a
/// separate axis of order 1 or 3).
///
/// # Errors
/// [`Error::EmptyShape`], [`Error::Axis`], [`Error::Regions`]; [`Error::Cancelled`] within the work of a few
/// rows.
pub fn resample_labels(
    softmax: ArrayView4<'_, f32>,
    to: &Resampling,
    mode: ExportMode,
    decision: &Decision,
    cancel: &Cancel,
) -> Result<Array3<i16>, Error> {
    decision.check(softmax.dim().0)?;
    match mode {
        ExportMode::Streamed => stream_labels(softmax, to, mode.grid(), decision, cancel),
        ExportMode::Default | ExportMode::Alt => decide(
            resample_softmax(softmax, to, mode, cancel)?.view(),
            decision,
            cancel,
        ),
    }
}

fn stream_labels(
    softmax: ArrayView4<'_, f32>,
    to: &Resampling,
    grid: Grid,
    decision: &Decision,
    cancel: &Cancel,
) -> Result<Array3<i16>, Error> {
    let (channels, z, y, x) = softmax.dim();
    let method = to.method([z, y, x], grid)?;
    let (forward, back) = to.permutation();
    let shape = method.shape_out;
    let mut labels = Array3::zeros(shape);
    let values = labels.as_slice_mut().unwrap_or_default();
    let prepare = |channel: usize| {
        method.channel(
            softmax.index_axis(Axis(0), channel).permuted_axes(forward),
            cancel,
        )
    };
    let merge = |channel: usize, source: &Channel<'_, f32>, z, ys, best: &mut [f32], labels: &mut [i16]| {
        let mut values = vec![0.0; labels.len()];
        source.fill(z, ys, &mut values);
        decision.merge(channel, &values, best, labels);
    };
    let in_place = |volume: ArrayView3<'_, f32>| volume.permuted_axes(forward).is_standard_layout();
    if method.allocates() || !softmax.axis_iter(Axis(0)).all(in_place) {
        let mut best = vec![f32::NEG_INFINITY; values.len()];
        for channel in 0..channels {
            let source = prepare(channel)?;
            blocks::for_each_pair(values, &mut best, shape, cancel, |z, ys, labels, best| {
                merge(channel, &source, z, ys, best, labels);
            })?;
        }
    } else {
        let sources = (0..channels)
            .map(prepare)
            .collect::<Result<Vec<_>, Cancelled>>()?;
        blocks::for_each(values, shape, cancel, |z, ys, labels| {
            let mut best = vec![f32::NEG_INFINITY; labels.len()];
            for (channel, source) in sources.iter().enumerate() {
                merge(channel, source, z, ys.clone(), &mut best, labels);
            }
        })?;
    }
    Ok(if forward == back && forward == [0, 1, 2] {
        labels
    } else {
        labels.permuted_axes(back).as_standard_layout().into_owned()
    })
}

/// Consecutive planes of one resampled channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Slab<'a> {
    /// Channel of the planes.
    pub channel: usize,
    /// Planes along axis 0 of the new grid.
    pub planes: Range<usize>,
    /// Values of the planes, C-contiguous `(plane, y, x)`.
    pub values: &'a [f32],
}

/// Resamples a `(class, z, y, x)` softmax and passes it to `sink` in C order, slab by slab, for writing to an
/// array file.
///
/// Memory: one slab of about 16 MB and, for order 3 or a separate axis other than 0, one channel.
///
/// # Errors
/// [`Error::EmptyShape`], [`Error::Axis`]. [`Error::Sink`] with the first error of `sink`.
/// [`Error::Cancelled`] within the work of one plane.
pub fn stream_softmax(
    softmax: ArrayView4<'_, f32>,
    to: &Resampling,
    mode: ExportMode,
    cancel: &Cancel,
    mut sink: impl FnMut(Slab<'_>) -> std::io::Result<()>,
) -> Result<(), Error> {
    const SLAB: usize = 4 << 20;
    let (channels, z, y, x) = softmax.dim();
    let method = to.method([z, y, x], mode.grid())?;
    let mut give = |channel, planes, values: &[f32]| {
        sink(Slab {
            channel,
            planes,
            values,
        })
        .map_err(|source| Error::Sink { source })
    };
    for channel in 0..channels {
        if to.separate_axis.unwrap_or(0) != 0 {
            let one = softmax.slice(ndarray::s![channel..=channel, .., .., ..]);
            let resampled = resample_on(one, to, mode.grid(), cancel)?;
            give(channel, 0..to.shape[0], resampled.as_slice().unwrap_or_default())?;
            continue;
        }
        let source = method.channel(softmax.index_axis(Axis(0), channel), cancel)?;
        let [nz, ny, nx] = to.shape;
        let planes_at_once = (SLAB / (ny * nx)).clamp(1, nz);
        let mut values = vec![0.0; planes_at_once * ny * nx];
        for first in (0..nz).step_by(planes_at_once) {
            let planes = first..(first + planes_at_once).min(nz);
            let values = &mut values[..planes.len() * ny * nx];
            values
                .par_chunks_mut(ny * nx)
                .enumerate()
                .try_for_each(|(i, plane)| {
                    cancel.check()?;
                    source.fill(first + i, 0..ny, plane);
                    Ok::<_, Cancelled>(())
                })?;
            give(channel, planes, values)?;
        }
    }
    Ok(())
}
