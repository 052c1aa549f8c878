//! One channel, prepared to compute rows of its resampled volume.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use ndarray::ArrayView3;
use rayon::prelude::*;
use run::{Cancel, Cancelled};

use crate::blocks;
use crate::bspline::prefilter;
use crate::rows::Rows;
use crate::taps::{Grid, Taps};
use crate::{Order, Real};

/// Resampling method. The separately resampled axis, if any, is axis 0.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) shape_in: [usize; 3],
    pub(crate) shape_out: [usize; 3],
    pub(crate) order: Order,
    /// Order and grid of axis 0 if it is resampled separately, after all slices.
    pub(crate) separate: Option<(Order, Grid)>,
}

/// Rows of one resampled channel. Linear and nearest read the input itself, in float64; splines read
/// coefficients.
pub(crate) enum Channel<'a, S: Real> {
    Direct(Rows<'a, S, f64>),
    Spline(Rows<'a, S, S>),
}

/// Memory of [`Channel::fill`], reused from block to block: allocated for each one, it slows several threads down.
#[derive(Default)]
pub(crate) struct Lines<S> {
    wide: Vec<f64>,
    own: Vec<S>,
}

impl Method {
    /// Whether slices must be resampled completely before the separate axis. The reference stores them in the
    /// output's type, and clips them, in between.
    pub(crate) fn staged(&self) -> bool {
        matches!(self.separate, Some((order, _)) if order != Order::Nearest)
            && self.shape_in[0] != self.shape_out[0]
    }

    /// Prepares a channel of shape `shape_in`: filters it for cubic order, and resamples its slices first if
    /// the separate axis is interpolated.
    pub(crate) fn channel<'a, S: Real>(
        &self,
        volume: ArrayView3<'a, S>,
        cancel: &Cancel,
    ) -> Result<Channel<'a, S>, Cancelled> {
        cancel.check()?;
        let cells = Grid::Cells;
        let [in_plane, untouched] = [(self.order, cells), (Order::Nearest, cells)];
        let shape_in = self.shape_in;
        let samples = match volume.to_slice() {
            Some(samples) => Cow::Borrowed(samples),
            None => Cow::Owned(volume.iter().copied().collect()),
        };
        let Some((order_z, grid_z)) = self.separate else {
            return tensor(
                samples,
                shape_in,
                self.shape_out,
                [in_plane; 3],
                Clip::Volume,
                cancel,
            );
        };
        if !self.staged() {
            let axes = [(Order::Nearest, grid_z), in_plane, in_plane];
            return tensor(samples, shape_in, self.shape_out, axes, Clip::Slices, cancel);
        }
        let between = [shape_in[0], self.shape_out[1], self.shape_out[2]];
        let mut slices = vec![S::default(); between.iter().product()];
        tensor(
            samples,
            shape_in,
            between,
            [untouched, in_plane, in_plane],
            Clip::Slices,
            cancel,
        )?
        .render(&mut slices, between, cancel)?;
        let axes = [(order_z, grid_z), untouched, untouched];
        tensor(
            Cow::Owned(slices),
            between,
            self.shape_out,
            axes,
            Clip::Never,
            cancel,
        )
    }
}

impl<S: Real> Channel<'_, S> {
    /// Writes the rows `ys` of output plane `z` to `out`.
    pub(crate) fn fill(&self, z: usize, ys: Range<usize>, out: &mut [S], lines: &mut Lines<S>) {
        match self {
            Self::Direct(rows) => rows.fill(z, ys, out, &mut lines.wide),
            Self::Spline(rows) => rows.fill(z, ys, out, &mut lines.own),
        }
    }

    /// Writes the whole volume, of shape `shape`.
    pub(crate) fn render(&self, out: &mut [S], shape: [usize; 3], cancel: &Cancel) -> Result<(), Cancelled> {
        blocks::for_each(out, shape, cancel, |z, ys, values, lines: &mut Lines<S>| {
            self.fill(z, ys, values, lines);
        })
    }
}

/// Clipping range of cubic interpolation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clip {
    /// The range of the input volume.
    Volume,
    /// The range of each input plane.
    Slices,
    Never,
}

/// Interpolation with one order and grid per axis.
pub(crate) fn tensor<'a, S: Real>(
    samples: Cow<'a, [S]>,
    shape_in: [usize; 3],
    shape_out: [usize; 3],
    axes: [(Order, Grid); 3],
    clip: Clip,
    cancel: &Cancel,
) -> Result<Channel<'a, S>, Cancelled> {
    let strides = [shape_in[1] * shape_in[2], shape_in[2]];
    let spline: [bool; 3] = std::array::from_fn(|a| axes[a].0 == Order::Cubic && shape_in[a] != shape_out[a]);
    if spline == [false; 3] {
        let taps = taps(shape_in, shape_out, &axes);
        return Ok(Channel::Direct(Rows {
            source: samples,
            first: 0,
            strides,
            taps: Arc::new(taps),
            bounds: Vec::new(),
        }));
    }
    let plane = strides[0];
    let (mut coefficients, source) = match samples {
        Cow::Borrowed(samples) => (vec![S::default(); samples.len()], Some(samples)),
        Cow::Owned(samples) => (samples, None),
    };
    // All work on one plane, while it is in the cache.
    let ranges = coefficients.par_chunks_mut(plane).enumerate().map(|(z, values)| {
        if let Some(source) = source {
            values.copy_from_slice(&source[z * plane..][..plane]);
        }
        let range = range(values);
        prefilter(
            values,
            [1, shape_in[1], shape_in[2]],
            [false, spline[1], spline[2]],
            cancel,
        )?;
        Ok(range)
    });
    let ranges: Vec<[S; 2]> = ranges.collect::<Result<_, Cancelled>>()?;
    prefilter(&mut coefficients, shape_in, [spline[0], false, false], cancel)?;
    let bounds = match clip {
        Clip::Volume => vec![ranges.into_iter().fold(NO_RANGE.map(S::of), union)],
        Clip::Slices => ranges,
        Clip::Never => Vec::new(),
    };
    Ok(Channel::Spline(Rows {
        source: Cow::Owned(coefficients),
        first: 0,
        strides,
        taps: Arc::new(taps(shape_in, shape_out, &axes)),
        bounds,
    }))
}

pub(crate) fn taps<T: Real>(
    shape_in: [usize; 3],
    shape_out: [usize; 3],
    axes: &[(Order, Grid); 3],
) -> [Taps<T>; 3] {
    std::array::from_fn(|a| Taps::new(shape_in[a], shape_out[a], axes[a].0, axes[a].1))
}

const NO_RANGE: [f64; 2] = [f64::INFINITY, f64::NEG_INFINITY];

/// Returns minimum and maximum. NaN is ignored.
fn range<S: Real>(values: &[S]) -> [S; 2] {
    // Sixteen independent ranges: a single one would wait for each comparison.
    let mut ranges = [NO_RANGE.map(S::of); 16];
    for values in values.chunks(16) {
        for (range, &v) in ranges.iter_mut().zip(values) {
            *range = union(*range, [v, v]);
        }
    }
    ranges.into_iter().fold(NO_RANGE.map(S::of), union)
}

fn union<S: Real>([low, high]: [S; 2], [a, b]: [S; 2]) -> [S; 2] {
    [if a < low { a } else { low }, if b > high { b } else { high }]
}
