//! Class locations, from which sampling draws foreground patches.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView3};
use random::RandomState;
use run::{Cancel, Cancelled};

/// Maximum number of voxels sampled per class, unless `COVERAGE` requires more.
const SAMPLES: usize = 10_000;
/// Minimum fraction of a class's voxels to sample.
const COVERAGE: f64 = 0.01;
/// Seed of the generator of each case.
const SEED: u32 = 1234;

/// Returns voxels sampled without replacement from each of `classes`: rows of (z, y, x) in the order drawn. A
/// class without voxels has no rows and consumes no random numbers.
///
/// Equal to `RandomState(1234).choice` in nnU-Net v1's `_run_internal`, in the order of `classes`. Stops
/// within the work of one slice if cancelled.
pub fn class_locations(
    segmentation: ArrayView3<'_, i16>,
    classes: &[i64],
    cancel: &Cancel,
) -> Result<BTreeMap<i64, Array2<i64>>, Cancelled> {
    let slots = slots(classes);
    let slot = |label: i16| usize::try_from(slots[(i32::from(label) - i32::from(i16::MIN)) as usize]).ok();

    let mut counts = vec![0usize; classes.len()];
    for slice in segmentation.outer_iter() {
        cancel.check()?;
        let labels = slice.into_iter();
        labels
            .filter_map(|&label| slot(label))
            .for_each(|s| counts[s] += 1);
    }
    let mut random = RandomState::new(SEED);
    let mut draws: Vec<Draw> = counts
        .into_iter()
        .map(|count| Draw::new(count, &mut random))
        .collect();

    // The second pass finds the voxel of each drawn rank, without a list of all voxels.
    let (_, _, nx) = segmentation.dim();
    for (z, slice) in segmentation.outer_iter().enumerate() {
        cancel.check()?;
        for (i, &label) in slice.iter().enumerate() {
            if let Some(s) = slot(label) {
                draws[s].visit(|| [z, i / nx, i % nx]);
            }
        }
    }
    let rows = draws.into_iter().map(|draw| draw.rows);
    Ok(classes.iter().copied().zip(rows).collect())
}

/// Returns the index in `classes` of every int16 label, or -1.
fn slots(classes: &[i64]) -> Vec<i32> {
    let mut slots = vec![-1; 1 << 16];
    for (i, &class) in classes.iter().enumerate() {
        if let Ok(label) = i16::try_from(class) {
            slots[(i32::from(label) - i32::from(i16::MIN)) as usize] = i as i32;
        }
    }
    slots
}

/// Drawn ranks of one class, and their voxels found so far.
struct Draw {
    /// Rank among the class's voxels and row in the result, in descending order of rank.
    wanted: Vec<(usize, usize)>,
    met: usize,
    rows: Array2<i64>,
}

impl Draw {
    fn new(count: usize, random: &mut RandomState) -> Self {
        let least = (count as f64 * COVERAGE).ceil() as usize;
        let samples = SAMPLES.min(count).max(least);
        let ranks = if count == 0 {
            vec![]
        } else {
            random.choice(count, samples)
        };
        let mut wanted: Vec<(usize, usize)> = ranks.into_iter().zip(0..).collect();
        wanted.sort_unstable_by(|a, b| b.cmp(a));
        Self {
            wanted,
            met: 0,
            rows: Array2::zeros((samples, 3)),
        }
    }

    fn visit(&mut self, voxel: impl Fn() -> [usize; 3]) {
        if let Some(&(rank, row)) = self.wanted.last() {
            if rank == self.met {
                self.wanted.pop();
                self.rows
                    .row_mut(row)
                    .assign(&ndarray::aview1(&voxel().map(|v| v as i64)));
            }
        }
        self.met += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ndarray::Array3;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_voxel_of_small_class_is_drawn_once(labels in prop::collection::vec(-1i16..4, 60)) {
            let segmentation = Array3::from_shape_vec((3, 4, 5), labels).unwrap();
            let found = class_locations(segmentation.view(), &[1, 3], &Cancel::new()).unwrap();
            prop_assert_eq!(found.keys().copied().collect::<Vec<_>>(), [1, 3]);
            for (class, rows) in found {
                let drawn: BTreeSet<Vec<i64>> = rows.rows().into_iter().map(|r| r.to_vec()).collect();
                let occurring: BTreeSet<Vec<i64>> = segmentation
                    .indexed_iter()
                    .filter(|(_, &l)| i64::from(l) == class)
                    .map(|((z, y, x), _)| vec![z as i64, y as i64, x as i64])
                    .collect();
                prop_assert_eq!(rows.nrows(), occurring.len());
                prop_assert_eq!(drawn, occurring);
            }
        }
    }

    #[test]
    fn large_classes_are_sampled() {
        let count = |n: usize| {
            let labels = Array3::ones((1, 1, n));
            class_locations(labels.view(), &[1], &Cancel::new()).unwrap()[&1].nrows()
        };
        assert_eq!(count(9_999), 9_999);
        assert_eq!(count(20_000), 10_000);
        assert_eq!(count(1_000_101), 10_002);
    }
}
