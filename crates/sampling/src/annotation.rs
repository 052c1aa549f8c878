//! Index of the annotated voxels of a case, for draws in microseconds at any case size.
//!
//! The index is a list of runs of consecutive voxels, each with the number of voxels up to its end. A
//! bisection finds the voxel of a drawn rank. The index is built once from the segmentation and stored beside
//! the case.

use std::collections::BTreeMap;

use random::Draw;

use crate::meaning::Meaning;
use crate::runs::{Bytes, RunBuilder, Runs, RUN_BYTES};

/// The annotated voxels of one case.
#[derive(Debug)]
pub struct AnnotationIndex {
    pub(crate) shape: [usize; 3],
    pub(crate) all: Runs,
    /// Runs of each class, ascending; empty unless indexed by class.
    pub(crate) classes: Vec<(i16, Runs)>,
    pub(crate) bytes: Bytes,
}

/// Builds an [`AnnotationIndex`] from labels in C order, added in chunks.
#[derive(Debug)]
pub struct IndexBuilder {
    shape: [usize; 3],
    meaning: Meaning,
    by_class: bool,
    seen: u64,
    all: RunBuilder,
    classes: BTreeMap<i16, RunBuilder>,
}

impl IndexBuilder {
    /// Starts the index of a segmentation of `shape` (z, y, x). With `by_class` each class, including the
    /// background, gets its own runs, for balanced draws.
    pub fn new(shape: [usize; 3], meaning: Meaning, by_class: bool) -> Self {
        Self {
            shape,
            meaning,
            by_class,
            seen: 0,
            all: RunBuilder::default(),
            classes: BTreeMap::new(),
        }
    }

    /// Adds the labels of the next voxels, as on disk.
    pub fn push(&mut self, labels: &[f32]) {
        let mut start = 0;
        while start < labels.len() {
            let value = labels[start];
            let length = labels[start..]
                .iter()
                .position(|v| *v != value)
                .unwrap_or(labels.len() - start)
                .max(1);
            let (label, first) = (value as i16, self.seen + start as u64);
            if self.meaning.is_annotated(label) {
                let range = first..first + length as u64;
                self.all.push(range.clone());
                if self.by_class {
                    self.classes
                        .entry(self.meaning.label(label))
                        .or_default()
                        .push(range);
                }
            }
            start += length;
        }
        self.seen += labels.len() as u64;
    }

    /// Returns the index of all added voxels.
    pub fn finish(self) -> AnnotationIndex {
        let mut bytes = Vec::new();
        let mut append = |builder: RunBuilder| {
            let (runs, voxels) = builder.finish();
            let placed = Runs {
                offset: bytes.len(),
                count: runs.len() / RUN_BYTES,
                voxels,
            };
            bytes.extend_from_slice(&runs);
            placed
        };
        let all = append(self.all);
        let classes = self
            .classes
            .into_iter()
            .map(|(class, builder)| (class, append(builder)))
            .collect();
        AnnotationIndex {
            shape: self.shape,
            all,
            classes,
            bytes: Bytes::Owned(bytes),
        }
    }
}

impl AnnotationIndex {
    /// Indexes a whole segmentation; see [`IndexBuilder`].
    #[cfg(test)]
    pub(crate) fn build(labels: &[f32], shape: [usize; 3], meaning: Meaning, by_class: bool) -> Self {
        let mut builder = IndexBuilder::new(shape, meaning, by_class);
        builder.push(labels);
        builder.finish()
    }

    /// Number of annotated voxels, including the background.
    pub fn annotated(&self) -> u64 {
        self.all.voxels
    }

    /// The annotated classes and their voxel counts, ascending; empty unless indexed by class.
    pub fn classes(&self) -> impl Iterator<Item = (i16, u64)> + '_ {
        self.classes.iter().map(|(class, runs)| (*class, runs.voxels))
    }

    /// Returns the annotated voxel `(z, y, x)` of a rank below [`AnnotationIndex::annotated`], in C order.
    pub fn voxel(&self, rank: u64) -> [usize; 3] {
        self.unravel(self.all.voxel(&self.bytes, rank))
    }

    /// Draws an annotated voxel uniformly; with `balance`, draws a class uniformly (the background is one)
    /// and then a voxel of it. Returns `None` if nothing is annotated.
    pub fn draw(&self, balance: bool, draw: &mut impl Draw) -> Option<[usize; 3]> {
        if self.all.voxels == 0 {
            return None;
        }
        let runs = if balance && !self.classes.is_empty() {
            &self
                .classes
                .get(draw.below(self.classes.len() as u64) as usize)?
                .1
        } else {
            &self.all
        };
        Some(self.unravel(runs.voxel(&self.bytes, draw.below(runs.voxels))))
    }

    /// Bytes held in memory; 0 for an index mapped from its file.
    pub fn bytes(&self) -> usize {
        match &self.bytes {
            Bytes::Owned(bytes) => bytes.len(),
            Bytes::Mapped(_) => 0,
        }
    }

    fn unravel(&self, flat: u64) -> [usize; 3] {
        let [_, height, width] = self.shape.map(|n| n as u64);
        [flat / (height * width), flat / width % height, flat % width].map(|v| v as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::Scripted;
    use proptest::prelude::*;

    /// Every annotated voxel of a class (or of all classes), found by a plain scan.
    fn listed(labels: &[f32], shape: [usize; 3], meaning: Meaning, class: Option<i16>) -> Vec<[usize; 3]> {
        (0..labels.len())
            .filter(|&i| meaning.is_annotated(labels[i] as i16))
            .filter(|&i| class.is_none_or(|c| meaning.label(labels[i] as i16) == c))
            .map(|i| [i / (shape[1] * shape[2]), i / shape[2] % shape[1], i % shape[2]])
            .collect()
    }

    proptest! {
        #[test]
        fn every_rank_gives_the_listed_voxel(
            shape in prop::array::uniform3(1usize..7), seed in any::<u64>(), dense in any::<bool>(), streak in 1u64..9,
        ) {
            let meaning = if dense { Meaning::Dense } else { Meaning::Sparse };
            let count = shape.iter().product::<usize>() as u64;
            // Labels -1 to 2 in streaks, so that there are runs of several voxels across rows.
            let labels: Vec<f32> = (0..count)
                .map(|i| ((i / streak + seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 62) as f32 - 1.0)
                .collect();
            let mut builder = IndexBuilder::new(shape, meaning, true);
            labels.chunks(shape[2]).for_each(|row| builder.push(row));
            let index = builder.finish();
            let expected = listed(&labels, shape, meaning, None);
            prop_assert_eq!(index.annotated(), expected.len() as u64);
            let found: Vec<_> = (0..index.annotated()).map(|rank| index.voxel(rank)).collect();
            prop_assert_eq!(found, expected);
            let classes: Vec<_> = index.classes().collect();
            for (i, (class, voxels)) in classes.into_iter().enumerate() {
                let expected = listed(&labels, shape, meaning, Some(class));
                let found: Vec<_> = (0..voxels)
                    .map(|rank| index.draw(true, &mut Scripted::new(&[i as u64, rank])).unwrap())
                    .collect();
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn an_unannotated_case_draws_none() {
        let index = AnnotationIndex::build(&[-1.0; 8], [2, 2, 2], Meaning::Sparse, true);
        assert_eq!(index.draw(false, &mut Scripted::new(&[])), None);
        assert_eq!(index.draw(true, &mut Scripted::new(&[])), None);
    }

    #[test]
    fn a_dense_case_has_one_run() {
        let labels = [-1.0, 0.0, 1.0, 1.0, 0.0, -1.0, 0.0, 2.0];
        let index = AnnotationIndex::build(&labels, [2, 2, 2], Meaning::Dense, false);
        assert_eq!((index.all.count, index.annotated()), (1, 8));
        assert_eq!(index.classes().count(), 0);
    }
}
