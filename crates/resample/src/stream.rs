//! Labels of a softmax that arrives a few planes at a time.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use ndarray::{s, Array3, Array4, ArrayView4, Axis};
use run::Cancel;

use crate::blocks;
use crate::channel::taps;
use crate::data::Resampling;
use crate::resize::check_shapes;
use crate::rows::Rows;
use crate::softmax::{Decision, ExportMode};
use crate::taps::{Grid, Taps};
use crate::{Error, Order};

/// Resamples a `(class, z, y, x)` softmax and decides the label of each voxel while the planes of the softmax arrive.
/// The labels equal those of [`crate::resample_labels`], whatever the number of planes of each piece.
///
/// Memory in addition to the labels: two planes of each class if there is more than one piece, and a few rows per thread.
pub struct LabelStream {
    decision: Decision,
    shape_in: [usize; 3],
    shape_out: [usize; 3],
    taps: Arc<[Taps<f64>; 3]>,
    labels: Vec<i16>,
    /// First plane of the softmax that has not arrived.
    received: usize,
    /// First plane of the labels that is not decided.
    next: usize,
    /// The last plane of a piece and the first one of the next piece, between which planes are interpolated.
    seam: Option<Array4<f32>>,
}

/// Receives resampled values: class, plane, rows of the plane, and the values of these rows.
pub type Observer<'a> = &'a (dyn Fn(usize, usize, Range<usize>, &[f32]) + Sync);

/// Memory of a thread.
#[derive(Default)]
struct Scratch {
    values: Vec<f32>,
    best: Vec<f32>,
    lines: Vec<f64>,
}

impl LabelStream {
    /// Whether labels of this resampling can be decided from a few planes at a time: linear or nearest, and nearest along
    /// a separate axis, as in nnU-Net's export.
    #[must_use]
    pub fn supports(to: &Resampling) -> bool {
        to.order != Order::Cubic && (to.separate_axis.is_none() || to.order_z == Order::Nearest)
    }

    /// A stream for a softmax of `channels` and planes of `shape_in`.
    ///
    /// # Errors
    /// [`Error::EmptyShape`], [`Error::Axis`], [`Error::Regions`]; [`Error::Stream`] unless [`LabelStream::supports`].
    pub fn new(
        channels: usize,
        shape_in: [usize; 3],
        to: &Resampling,
        mode: ExportMode,
        decision: Decision,
    ) -> Result<Self, Error> {
        decision.check(channels)?;
        check_shapes(&shape_in, &to.shape)?;
        if let Some(found @ 3..) = to.separate_axis {
            return Err(Error::Axis { found });
        }
        if !Self::supports(to) {
            return Err(Error::Stream {
                found: to.order.into(),
            });
        }
        let mut axes = [(to.order, Grid::Cells); 3];
        if let Some(axis) = to.separate_axis {
            axes[axis] = (to.order_z, mode.grid());
        }
        let mut labels = vec![0; to.shape.iter().product()];
        run::prefer_large_pages(&mut labels);
        Ok(Self {
            decision,
            shape_in,
            shape_out: to.shape,
            taps: Arc::new(taps(shape_in, to.shape, &axes)),
            labels,
            received: 0,
            next: 0,
            seam: None,
        })
    }

    /// Adds the next planes of every class. `observe` receives the resampled values of every voxel once, from any thread.
    ///
    /// # Errors
    /// [`Error::Planes`] for planes of another shape or too many; [`Error::Cancelled`] within the work of a few rows.
    pub fn push(
        &mut self,
        piece: ArrayView4<'_, f32>,
        observe: Observer<'_>,
        cancel: &Cancel,
    ) -> Result<(), Error> {
        let (channels, planes, y, x) = piece.dim();
        let (first, end) = (self.received, self.received + planes);
        if [y, x] != self.shape_in[1..] || end > self.shape_in[0] || planes == 0 {
            return Err(Error::Planes {
                found: [end, y, x],
                expected: self.shape_in,
            });
        }
        let taps = Arc::clone(&self.taps);
        let along = &taps[0];
        let undecided = &along.start[self.next..];
        // The first planes begin in the piece before; the last ones end in the next piece.
        let begun = undecided.iter().take_while(|&&start| start < first).count();
        let ready = undecided
            .iter()
            .take_while(|&&start| start + along.count <= end)
            .count();
        if begun > 0 && ready > 0 {
            let mut seam = self.seam.take().ok_or(Error::Planes {
                found: [end, y, x],
                expected: self.shape_in,
            })?;
            seam.slice_mut(s![.., 1, .., ..])
                .assign(&piece.index_axis(Axis(1), 0));
            self.decide(begun.min(ready), first - 1, seam.view(), observe, cancel)?;
            self.seam = Some(seam);
        }
        self.decide(ready.saturating_sub(begun), first, piece, observe, cancel)?;
        self.received = end;
        if along.start.get(self.next).is_some_and(|&start| start < end) && end < self.shape_in[0] {
            let seam = self
                .seam
                .get_or_insert_with(|| Array4::zeros((channels, 2, y, x)));
            seam.slice_mut(s![.., 0, .., ..])
                .assign(&piece.index_axis(Axis(1), planes - 1));
        }
        Ok(())
    }

    /// Decides the next `count` planes from planes of the softmax, the first of which is `first`.
    fn decide(
        &mut self,
        count: usize,
        first: usize,
        planes: ArrayView4<'_, f32>,
        observe: Observer<'_>,
        cancel: &Cancel,
    ) -> Result<(), Error> {
        let [_, ny, nx] = self.shape_out;
        let (start, decision) = (self.next, &self.decision);
        let strides = [self.shape_in[1] * self.shape_in[2], self.shape_in[2]];
        let sources: Vec<_> = planes
            .outer_iter()
            .map(|class| Rows::<f32, f64> {
                source: match class.to_slice() {
                    Some(values) => Cow::Borrowed(values),
                    None => Cow::Owned(class.iter().copied().collect()),
                },
                first,
                strides,
                taps: Arc::clone(&self.taps),
                bounds: Vec::new(),
            })
            .collect();
        let labels = &mut self.labels[start * ny * nx..(start + count) * ny * nx];
        blocks::for_each(
            labels,
            [count, ny, nx],
            cancel,
            |z, ys, labels, scratch: &mut Scratch| {
                let Scratch { values, best, lines } = scratch;
                // A page of new memory that is read before it is written costs a second fault, which stops all threads.
                labels.fill(0);
                values.resize(labels.len(), 0.0);
                best.clear();
                best.resize(labels.len(), f32::NEG_INFINITY);
                for (channel, source) in sources.iter().enumerate() {
                    source.fill(start + z, ys.clone(), values, lines);
                    decision.merge(channel, values, best, labels);
                    observe(channel, start + z, ys.clone(), values);
                }
            },
        )?;
        self.next += count;
        Ok(())
    }

    /// Returns the labels.
    ///
    /// # Errors
    /// [`Error::Planes`] if planes are missing.
    pub fn finish(self) -> Result<Array3<i16>, Error> {
        let [z, y, x] = self.shape_out;
        match Array3::from_shape_vec((z, y, x), self.labels) {
            Ok(labels) if self.next == z => Ok(labels),
            _ => Err(Error::Planes {
                found: [self.received, self.shape_in[1], self.shape_in[2]],
                expected: self.shape_in,
            }),
        }
    }
}
