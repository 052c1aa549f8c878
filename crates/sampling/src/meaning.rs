//! Meaning of -1 in a case's segmentation channel.
//!
//! nnU-Net v1 writes -1 outside the non-zero mask. In sparsely annotated cases, -1 marks unlabelled voxels,
//! and voxels outside the mask that the user labelled 0 stay 0. The case's `outside_nonzero_mask_label`
//! distinguishes the two.

use volume::UNLABELLED;

/// Interpretation of a case's segmentation channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// The recipe has no ignore label. Labels are unchanged, and the augmentation converts -1 to background.
    Plain,
    /// Dense annotation: -1 is background outside the non-zero mask, and is read as 0.
    Dense,
    /// Sparse annotation: -1 is unlabelled. Labelled voxels outside the non-zero mask are 0.
    Sparse,
    /// Unknown, as in files of nnU-Net v1: every -1 is treated as unlabelled, as in DIAG's fork.
    Unknown,
}

impl Meaning {
    /// The meaning for a recipe with or without an ignore label, from the case's
    /// `outside_nonzero_mask_label`.
    pub fn new(ignores: bool, outside_label: Option<i64>) -> Self {
        match (ignores, outside_label) {
            (false, _) => Self::Plain,
            (true, Some(-1)) => Self::Dense,
            (true, Some(_)) => Self::Sparse,
            (true, None) => Self::Unknown,
        }
    }

    /// Returns true if the user gave this label on disk.
    pub fn is_annotated(self, label: i16) -> bool {
        self.label(label) >= 0
    }

    /// The label in a patch for a label on disk.
    pub fn label(self, on_disk: i16) -> i16 {
        if self == Self::Dense && on_disk == UNLABELLED {
            0
        } else {
            on_disk
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_decides_only_where_the_recipe_ignores() {
        assert_eq!(Meaning::new(false, Some(-1)), Meaning::Plain);
        assert_eq!(Meaning::new(true, Some(-1)), Meaning::Dense);
        assert_eq!(Meaning::new(true, Some(0)), Meaning::Sparse);
        assert_eq!(Meaning::new(true, None), Meaning::Unknown);
    }

    #[test]
    fn only_a_dense_case_has_background_at_minus_one() {
        assert!(Meaning::Dense.is_annotated(-1));
        assert_eq!([-1, 0, 2].map(|label| Meaning::Dense.label(label)), [0, 0, 2]);
        for meaning in [Meaning::Plain, Meaning::Sparse, Meaning::Unknown] {
            assert!(!meaning.is_annotated(-1) && meaning.is_annotated(0));
            assert_eq!([-1, 0, 2].map(|label| meaning.label(label)), [-1, 0, 2]);
        }
    }
}
