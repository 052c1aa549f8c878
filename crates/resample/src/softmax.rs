//! Resampling of a network's softmax, to softmax or labels.

use std::ops::Range;

use ndarray::{Array3, Array4, ArrayView4, Axis};
use run::Cancel;
use serde::{Deserialize, Serialize};

use crate::blocks;
use crate::channel::Lines;
use crate::data::{resample_on, Resampling};
use crate::stream::LabelStream;
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
    /// first one. Otherwise equal to the default. Labels are decided block by block, as with `streamed`.
    Alt,
    /// Values of the default, with labels decided block by block. Memory does not grow with classes times
    /// original grid.
    #[default]
    Streamed,
}

impl ExportMode {
    pub(crate) fn grid(self) -> Grid {
        match self {
            Self::Alt => Grid::Corners,
            Self::Default | Self::Streamed => Grid::Cells,
        }
    }
}

/// Conversion of a prediction's channels to labels.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Index of the largest channel, the first of equal ones.
    Argmax,
    /// nnU-Net's regions: channel `i` above `threshold` gives the `i`-th class. Later channels overwrite earlier
    /// ones. Otherwise 0.
    Regions {
        /// Class of each channel.
        classes: Vec<i16>,
        /// One half for a softmax; 0 for logits, whose sigmoid is then above one half.
        threshold: f32,
    },
}

impl Decision {
    /// Regions of probabilities: above one half.
    #[must_use]
    pub fn regions(classes: Vec<i16>) -> Self {
        Self::Regions {
            classes,
            threshold: 0.5,
        }
    }

    pub(crate) fn check(&self, channels: usize) -> Result<(), Error> {
        match self {
            Self::Regions { classes, .. } if classes.len() != channels => Err(Error::Regions {
                found: classes.len(),
                expected: channels,
            }),
            _ => Ok(()),
        }
    }

    /// Merges one channel's values, in ascending channel order. `best` starts at minus infinity, `labels` at
    /// 0.
    pub(crate) fn merge(&self, channel: usize, values: &[f32], best: &mut [f32], labels: &mut [i16]) {
        match self {
            Self::Argmax => {
                for ((&value, best), label) in values.iter().zip(best).zip(labels) {
                    let better = value > *best;
                    *best = if better { value } else { *best };
                    *label = if better { channel as i16 } else { *label };
                }
            }
            Self::Regions { classes, threshold } => {
                let (class, threshold) = (classes[channel], *threshold);
                for (&value, label) in values.iter().zip(labels) {
                    *label = if value > threshold { class } else { *label };
                }
            }
        }
    }
}

/// Resamples a `(class, z, y, x)` softmax, all classes at once. [`ExportMode::Streamed`] gives the same
/// numbers as [`ExportMode::Default`] here. [`resample_labels`] needs less memory.
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
    stream_labels(softmax, &to, ExportMode::Streamed, decision, cancel)
}

/// Resamples a `(class, z, y, x)` softmax and decides the label of each voxel.
///
/// Memory in addition to the softmax and the labels: [`ExportMode::Default`] holds all classes on the new grid. The
/// others hold a few rows per thread if the order is 0 or 1, and 0 along a separate axis. Otherwise they hold one
/// channel's copy and one float32 volume on the new grid, for any number of classes (two copies for a separate axis of
/// order 1 or 3).
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
        ExportMode::Streamed | ExportMode::Alt => stream_labels(softmax, to, mode, decision, cancel),
        ExportMode::Default => decide(
            resample_softmax(softmax, to, mode, cancel)?.view(),
            decision,
            cancel,
        ),
    }
}

fn stream_labels(
    softmax: ArrayView4<'_, f32>,
    to: &Resampling,
    mode: ExportMode,
    decision: &Decision,
    cancel: &Cancel,
) -> Result<Array3<i16>, Error> {
    let (channels, z, y, x) = softmax.dim();
    let contiguous = softmax.axis_iter(Axis(0)).all(|class| class.is_standard_layout());
    if contiguous && LabelStream::supports(to) {
        let mut stream = LabelStream::new(channels, [z, y, x], to, mode, decision.clone())?;
        stream.push(softmax, &|_, _, _, _| (), cancel)?;
        return stream.finish();
    }
    let method = to.method([z, y, x], mode.grid())?;
    let (forward, back) = to.permutation();
    let shape = method.shape_out;
    let mut labels = Array3::zeros(shape);
    let values = labels.as_slice_mut().unwrap_or_default();
    run::prefer_large_pages(values);
    let mut best = vec![f32::NEG_INFINITY; values.len()];
    for channel in 0..channels {
        let volume = softmax.index_axis(Axis(0), channel).permuted_axes(forward);
        let source = method.channel(volume, cancel)?;
        let merge = |z, ys: Range<usize>, labels: &mut [i16], best: &mut [f32], scratch: &mut Scratch| {
            let (values, lines) = scratch;
            if channel == 0 {
                // As in `LabelStream`: new memory is written before it is read.
                labels.fill(0);
            }
            values.resize(labels.len(), 0.0);
            source.fill(z, ys, values, lines);
            decision.merge(channel, values, best, labels);
        };
        blocks::for_each_pair(values, &mut best, shape, cancel, merge)?;
    }
    Ok(if forward == back && forward == [0, 1, 2] {
        labels
    } else {
        labels.permuted_axes(back).as_standard_layout().into_owned()
    })
}

/// Values of a block, and the memory of their computation.
type Scratch = (Vec<f32>, Lines<f32>);
