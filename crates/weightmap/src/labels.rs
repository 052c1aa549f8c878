//! Segmentation as class indices, one byte per voxel, encoded piece by piece while reading.

use edt::{dispatch, Kernel};
use ndarray::parallel::prelude::*;
use ndarray::{Array3, ArrayView2, ArrayView3, ArrayViewMut2};

use crate::classes::{Classes, BACKGROUND, UNLABELLED};
use crate::Error;

/// Number of values encoded at a time.
const CHUNK: usize = 64;

/// Number of voxels of each class index.
#[derive(Clone, Debug)]
pub(crate) struct Counts([u64; 256]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; 256])
    }
}

impl Counts {
    /// Adds the counts of another volume.
    pub(crate) fn add(&mut self, other: &Self) {
        self.0
            .iter_mut()
            .zip(other.0)
            .for_each(|(sum, count)| *sum += count);
    }

    /// Returns one minus the frequency of each class among the labelled voxels, rounded to float32 as in the
    /// fork. Unlabelled voxels get 0.
    pub(crate) fn weights(&self) -> [f32; 256] {
        let labelled: u64 = self.0[..usize::from(UNLABELLED)].iter().sum();
        let mut weights = self
            .0
            .map(|count| (1.0 - count as f64 / labelled.max(1) as f64) as f32);
        weights[usize::from(UNLABELLED)] = 0.0;
        weights
    }

    /// Returns the smallest weight above 0 of an occurring class, and whether an occurring class has weight
    /// 0.
    pub(crate) fn least(&self, weights: &[f32; 256]) -> (f32, bool) {
        let used = || {
            (0..usize::from(UNLABELLED))
                .filter(|&i| self.0[i] > 0)
                .map(|i| weights[i])
        };
        (
            used().filter(|&w| w > 0.0).fold(1.0, f32::min),
            used().any(|w| w <= 0.0),
        )
    }

    /// Whether any voxel has this index.
    pub(crate) fn has(&self, index: u8) -> bool {
        self.0[usize::from(index)] > 0
    }
}

/// A segmentation (z, y, x) as class indices.
#[derive(Clone, Debug)]
pub(crate) struct Labels {
    pub(crate) index: Array3<u8>,
    pub(crate) counts: Counts,
}

impl Labels {
    /// Changes unlabelled voxels to background, for cases in which -1 marks voxels outside the non-zero mask.
    pub(crate) fn unlabelled_is_background(&mut self) {
        self.index
            .mapv_inplace(|index| if index == UNLABELLED { BACKGROUND } else { index });
        let moved = std::mem::take(&mut self.counts.0[usize::from(UNLABELLED)]);
        self.counts.0[usize::from(BACKGROUND)] += moved;
    }
}

/// Encodes a segmentation of known shape from pieces in C order.
pub(crate) struct Encoder<'a> {
    rule: Rule<'a>,
    shape: [usize; 3],
    index: Vec<u8>,
    counts: Counts,
}

impl<'a> Encoder<'a> {
    pub(crate) fn new(rule: Rule<'a>, shape: [usize; 3]) -> Self {
        let index = Vec::with_capacity(shape.iter().product());
        Self {
            rule,
            shape,
            index,
            counts: Counts::default(),
        }
    }

    /// Encodes the next values.
    pub(crate) fn push(&mut self, values: &[f32]) -> Result<(), Error> {
        let start = self.index.len();
        self.index.resize(start + values.len(), BACKGROUND);
        self.rule
            .encode(values, &mut self.index[start..], &mut self.counts)
            .map_err(|offset| refused(start + offset, self.shape, values[offset]))
    }

    /// Returns the whole segmentation, after all its values.
    pub(crate) fn finish(self) -> Result<Labels, Error> {
        let found = vec![self.index.len()];
        let index = Array3::from_shape_vec(self.shape, self.index).map_err(|_| Error::Rank { found })?;
        Ok(Labels {
            index,
            counts: self.counts,
        })
    }
}

/// Encodes a segmentation in memory, on the current rayon pool.
pub(crate) fn encode<T>(segmentation: ArrayView3<'_, T>, rule: Rule<'_>) -> Result<Labels, Error>
where
    T: Copy + Into<f64> + Sync,
{
    let (z, y, x) = segmentation.dim();
    let mut index = Array3::zeros((z, y, x));
    let slice = |(z, (values, mut index)): (usize, (ArrayView2<'_, T>, ArrayViewMut2<'_, u8>))| {
        let mut counts = Counts::default();
        let mut line = Vec::with_capacity(x);
        for (row, (values, index)) in values.rows().into_iter().zip(index.rows_mut()).enumerate() {
            line.clear();
            line.extend(values.iter().map(|&value| value.into() as f32));
            if let Some(index) = index.into_slice() {
                rule.encode(&line, index, &mut counts)
                    .map_err(|offset| refused((z * y + row) * x + offset, [z, y, x], line[offset]))?;
            }
        }
        Ok(counts)
    };
    let slices = segmentation
        .outer_iter()
        .into_par_iter()
        .zip(index.outer_iter_mut());
    // Collected in order, so that the reported voxel is always the first one.
    let found: Vec<Result<Counts, Error>> = slices.enumerate().map(slice).collect();
    let mut counts = Counts::default();
    for found in found {
        counts.add(&found?);
    }
    Ok(Labels { index, counts })
}

fn refused(flat: usize, [_, y, x]: [usize; 3], value: f32) -> Error {
    Error::Label {
        value: f64::from(value),
        voxel: [flat / (y * x), flat / x % y, flat % x],
    }
}

/// Rule that converts values to indices.
#[derive(Clone, Copy)]
pub(crate) struct Rule<'a> {
    pub(crate) classes: &'a Classes,
    /// Whether values with a fraction are background. An image that is read as a segmentation has such
    /// values.
    pub(crate) fractions: bool,
}

impl Rule<'_> {
    /// Fails with the position of the first value that is not a label.
    fn encode(self, values: &[f32], index: &mut [u8], counts: &mut Counts) -> Result<(), usize> {
        dispatch(Encode {
            rule: self,
            values,
            index,
            counts,
        })
    }

    fn check(self, values: &[f32]) -> Option<usize> {
        let whole = |v: f32| v.is_finite() && v.trunc() == v;
        let refused = |v: f32| if self.fractions { v.is_nan() } else { !whole(v) };
        values.iter().position(|&v| refused(v))
    }
}

struct Encode<'a> {
    rule: Rule<'a>,
    values: &'a [f32],
    index: &'a mut [u8],
    counts: &'a mut Counts,
}

impl Kernel for Encode<'_> {
    type Output = Result<(), usize>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self {
            rule,
            values,
            index,
            counts,
        } = self;
        for (at, (values, index)) in values.chunks(CHUNK).zip(index.chunks_mut(CHUNK)).enumerate() {
            let mut chunk = [0.0; CHUNK];
            chunk[..values.len()].copy_from_slice(values);
            let mut indices = [0; CHUNK];
            if !rule.classes.encode(&chunk, &mut indices) {
                if let Some(offset) = rule.check(values) {
                    return Err(at * CHUNK + offset);
                }
            }
            let indices = &indices[..values.len()];
            // Neighbours are mostly equal.
            let first = indices[0];
            if indices.iter().all(|&index| index == first) {
                counts.0[usize::from(first)] += indices.len() as u64;
            } else {
                indices
                    .iter()
                    .for_each(|&index| counts.0[usize::from(index)] += 1);
            }
            index.copy_from_slice(indices);
        }
        Ok(())
    }
}
