//! DIAG's fork's rules for -1 and patch centres, for comparison with its results.

use random::Draw;
use volume::UNLABELLED;

use crate::meaning::Meaning;
use crate::properties::Properties;

/// Source of the meaning of -1 in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MeaningRule {
    /// The case's properties.
    Recorded,
    /// The fork's rule: every -1 is unlabelled, regardless of the properties.
    Merged,
}

impl MeaningRule {
    /// The fork's rule, or this package's.
    pub fn of(reference_rules: bool) -> Self {
        if reference_rules {
            Self::Merged
        } else {
            Self::Recorded
        }
    }

    /// The meaning for a case of a recipe with or without an ignore label.
    pub fn meaning(self, ignores: bool, properties: Option<&Properties>) -> Meaning {
        let outside = match self {
            Self::Recorded => properties.and_then(|p| p.outside_label),
            Self::Merged => None,
        };
        Meaning::new(ignores, outside)
    }

    /// Returns true if cases of unknown meaning need a warning. The fork's rule treats all cases alike and
    /// needs none.
    pub fn warns(self) -> bool {
        self == Self::Recorded
    }
}

/// The centre of DIAG's fork on one axis (`augment_spatial_sparse`): the voxel of a *loaded* patch of
/// `loaded` voxels, raised to `patch / 2` and then lowered to `loaded - patch / 2`. The voxel may lie outside
/// the patch around it.
pub fn fork_centre(voxel: usize, loaded: usize, patch: usize) -> i64 {
    let distance = (patch / 2) as i64;
    (voxel as i64).max(distance).min(loaded as i64 - distance)
}

/// Draws the centre of DIAG's fork in voxels of a loaded patch: an annotated voxel of `labels` (z, y, x), of
/// `loaded` voxels, kept half a patch from the borders. Only the first `slices` slices are searched. Returns
/// `None` if they have no annotated voxel; the fork fails then.
pub fn draw_fork_centre(
    labels: &[i16],
    loaded: [usize; 3],
    slices: usize,
    patch: [usize; 3],
    draw: &mut impl Draw,
) -> Option<[f64; 3]> {
    let [_, height, width] = loaded;
    let annotated = || {
        labels[..slices * height * width]
            .iter()
            .enumerate()
            .filter(|(_, label)| **label != UNLABELLED)
            .map(|(i, _)| i)
    };
    let count = annotated().count() as u64;
    if count == 0 {
        return None;
    }
    let at = annotated().nth(draw.below(count) as usize)?;
    let voxel = [at / (height * width), at / width % height, at % width];
    Some(std::array::from_fn(|d| {
        fork_centre(voxel[d], loaded[d], patch[d]) as f64
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::Scripted;

    #[test]
    fn the_centre_is_drawn_from_the_first_slices_and_kept_from_the_border() {
        // Two slices of 4 x 6; annotated are (0, 0, 5), (0, 2, 2) and all of the second slice.
        let mut labels = vec![UNLABELLED; 48];
        (labels[5], labels[14]) = (1, 0);
        labels[24..].fill(2);
        let draw = |slices, number| {
            draw_fork_centre(
                &labels,
                [2, 4, 6],
                slices,
                [1, 2, 4],
                &mut Scripted::new(&[number]),
            )
        };
        assert_eq!(draw(1, 0), Some([0.0, 1.0, 4.0]));
        assert_eq!(draw(1, 1), Some([0.0, 2.0, 2.0]));
        assert_eq!(draw(2, 2), Some([1.0, 1.0, 2.0]));
        let bare = [UNLABELLED; 8];
        let none = draw_fork_centre(&bare, [2, 2, 2], 2, [1, 1, 1], &mut Scripted::new(&[]));
        assert_eq!(none, None);
    }
}
