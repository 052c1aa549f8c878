//! Classes of a dense label.

use std::collections::BTreeMap;

use ndarray::ArrayView3;
use volume::UNLABELLED;

/// The classes that occur in a label, background included, in increasing order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Classes {
    /// Values in the label.
    pub values: Vec<i16>,
    /// Voxels of each class.
    pub voxels: Vec<u64>,
}

impl Classes {
    /// Counts the voxels of each class. Unlabelled voxels have none.
    pub fn of(labels: ArrayView3<'_, i16>) -> Self {
        let mut found = BTreeMap::new();
        for &value in labels.iter().filter(|&&v| v != UNLABELLED) {
            *found.entry(value).or_insert(0) += 1;
        }
        let (values, voxels) = found.into_iter().unzip();
        Self { values, voxels }
    }

    /// Number of classes.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Index of a value; `None` for unlabelled voxels.
    pub fn index(&self, value: i16) -> Option<usize> {
        self.values.binary_search(&value).ok()
    }

    /// Voxels to annotate of each class for a share of all: at least one.
    pub fn wanted(&self, share: f64) -> Vec<u64> {
        let wanted = |&voxels: &u64| ((voxels as f64 * share).round() as u64).clamp(1, voxels);
        self.voxels.iter().map(wanted).collect()
    }
}
