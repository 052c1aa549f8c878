//! One pass over the voxels of an image.

use dataset::is_usable;
use ndarray::{ArrayView3, ArrayView4, Zip};

/// Start and end of a box along (z, y, x).
pub(super) type Bounds = [[usize; 2]; 3];

/// Facts about the voxels of an image.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Scan {
    pub(super) nan: usize,
    /// Values that are infinite, or whose square is not far from it; see [`is_usable`].
    pub(super) infinite: usize,
    /// Smallest and largest usable value.
    pub(super) range: Option<[f32; 2]>,
    /// Box around the voxels that are not 0, to which nnU-Net crops. As there, NaN is not 0.
    pub(super) bounds: Option<Bounds>,
}

impl Scan {
    /// Scans an image (channel, z, y, x).
    pub(super) fn of(image: &ArrayView4<'_, f32>) -> Self {
        let mut scan = Self::default();
        for volume in image.outer_iter() {
            for (z, slice) in volume.outer_iter().enumerate() {
                for (y, row) in slice.outer_iter().enumerate() {
                    for &v in row {
                        match v {
                            _ if is_usable(v) => widen(&mut scan.range, v),
                            _ if v.is_nan() => scan.nan += 1,
                            _ => scan.infinite += 1,
                        }
                    }
                    let first = row.iter().position(|&v| v != 0.0);
                    let last = row.iter().rposition(|&v| v != 0.0);
                    if let (Some(first), Some(last)) = (first, last) {
                        let row = [[z, z + 1], [y, y + 1], [first, last + 1]];
                        scan.bounds = union(scan.bounds, Some(row));
                    }
                }
            }
        }
        scan
    }

    /// Returns the only value of an image that has one.
    pub(super) fn constant(&self) -> Option<f32> {
        let [low, high] = self.range?;
        (low == high && self.nan + self.infinite == 0).then_some(low)
    }
}

/// Returns the smallest and largest finite intensity at voxels with a label above 0.
pub(super) fn foreground(image: ArrayView3<'_, f32>, label: ArrayView3<'_, i16>) -> Option<[f32; 2]> {
    let mut range = None;
    Zip::from(image).and(label).for_each(|&v, &label| {
        if label > 0 && is_usable(v) {
            widen(&mut range, v);
        }
    });
    range
}

/// Returns the number of voxels with a label above 0: outside the box, and in all.
pub(super) fn lost(label: ArrayView3<'_, i16>, [z, y, x]: Bounds) -> (usize, usize) {
    let count = |part: ArrayView3<'_, i16>| part.iter().filter(|&&v| v > 0).count();
    let all = count(label);
    let kept = count(label.slice(ndarray::s![z[0]..z[1], y[0]..y[1], x[0]..x[1]]));
    (all - kept, all)
}

/// Returns the box around both boxes.
pub(super) fn union(one: Option<Bounds>, two: Option<Bounds>) -> Option<Bounds> {
    let (Some(one), Some(two)) = (one, two) else {
        return one.or(two);
    };
    Some([0, 1, 2].map(|axis| [one[axis][0].min(two[axis][0]), one[axis][1].max(two[axis][1])]))
}

fn widen(range: &mut Option<[f32; 2]>, v: f32) {
    let [low, high] = range.get_or_insert([v, v]);
    *low = low.min(v);
    *high = high.max(v);
}
