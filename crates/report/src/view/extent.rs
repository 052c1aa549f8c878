//! The part of a case that is shown.

use ndarray::{s, ArrayView3};
use volume::UNLABELLED;

/// Margin around what is shown, in mm.
const MARGIN: f64 = 20.0;

/// A part of a grid of voxels (z, y, x).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Voxels of the whole grid.
    pub full: [usize; 3],
    /// First voxel of the part.
    pub first: [usize; 3],
    /// End of the part (exclusive).
    pub end: [usize; 3],
}

impl Extent {
    /// Where a label is, or the annotation if it is sparse, with a margin. `None` without any.
    pub fn of_labels<'a>(
        full: [usize; 3],
        spacing: [f64; 3],
        labels: impl IntoIterator<Item = ArrayView3<'a, i16>>,
    ) -> Option<Self> {
        let mut found = Bounds::default();
        for labels in labels {
            let sparse = labels.iter().any(|label| *label == UNLABELLED);
            found.add(labels, |label| label > 0 || (sparse && label != UNLABELLED));
        }
        found.with_margin(full, spacing)
    }

    /// Where an image is not as its darkest, with a margin. `None` if it is the same everywhere.
    pub fn of_image(full: [usize; 3], spacing: [f64; 3], image: ArrayView3<'_, f32>) -> Option<Self> {
        let mut found = Bounds::default();
        let darkest = image.iter().copied().fold(f32::INFINITY, f32::min);
        found.add(image, |value| value > darkest);
        found.with_margin(full, spacing)
    }

    /// All voxels.
    pub fn whole(full: [usize; 3]) -> Self {
        Self {
            full,
            first: [0; 3],
            end: full,
        }
    }

    /// Voxels of the part.
    pub fn size(&self) -> [usize; 3] {
        std::array::from_fn(|axis| self.end[axis] - self.first[axis])
    }

    /// The part of an array that has the whole grid.
    pub fn crop<'a, T>(&self, values: ArrayView3<'a, T>) -> ArrayView3<'a, T> {
        let (first, end) = (self.first, self.end);
        values.slice_move(s![first[0]..end[0], first[1]..end[1], first[2]..end[2]])
    }
}

/// First and last voxel of a box, if it has any.
#[derive(Default)]
struct Bounds(Option<[[usize; 3]; 2]>);

impl Bounds {
    fn add<T: Copy>(&mut self, values: ArrayView3<'_, T>, inside: impl Fn(T) -> bool) {
        for ((z, y, x), value) in values.indexed_iter() {
            if inside(*value) {
                let voxel = [z, y, x];
                let [first, last] = self.0.get_or_insert([voxel; 2]);
                for axis in 0..3 {
                    first[axis] = first[axis].min(voxel[axis]);
                    last[axis] = last[axis].max(voxel[axis]);
                }
            }
        }
    }

    fn with_margin(&self, full: [usize; 3], spacing: [f64; 3]) -> Option<Extent> {
        let [first, last] = self.0?;
        let margin = spacing.map(|mm| (MARGIN / mm).ceil().max(1.0) as usize);
        Some(Extent {
            full,
            first: std::array::from_fn(|axis| first[axis].saturating_sub(margin[axis])),
            end: std::array::from_fn(|axis| full[axis].min(last[axis] + 1 + margin[axis])),
        })
    }
}
