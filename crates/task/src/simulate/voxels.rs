//! Single voxels.

use ndarray::{Array3, ArrayView3, Zip};
use random::Rng;

use super::classes::Classes;

/// Draws voxels of each class without replacement: the share of its voxels, at least one. One pass over the
/// label (selection sampling: Knuth, The Art of Computer Programming, volume 2, algorithm 3.4.2 S).
pub(super) fn annotate(
    labels: ArrayView3<'_, i16>,
    classes: &Classes,
    share: f64,
    rng: &mut Rng,
) -> Array3<bool> {
    let mut wanted = classes.wanted(share);
    let mut left = classes.voxels.clone();
    let mut mask = Array3::from_elem(labels.dim(), false);
    Zip::from(&mut mask).and(labels).for_each(|chosen, &value| {
        if let Some(class) = classes.index(value) {
            *chosen = rng.below(left[class]) < wanted[class];
            wanted[class] -= u64::from(*chosen);
            left[class] -= 1;
        }
    });
    mask
}
