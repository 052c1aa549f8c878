//! What -1 means in a case's segmentation channel.
//!
//! nnU-Net v1 writes -1 outside the non-zero mask. Where a user left voxels unlabelled, -1 is theirs, and voxels outside
//! the mask that they labelled 0 stay 0: the case's `outside_nonzero_mask_label` tells which of the two a case is.

/// How a case's segmentation channel is to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// The recipe has no ignore label: labels are passed on as they are, and the chain turns -1 into background.
    Plain,
    /// Every voxel was labelled by the user; -1 is background outside the non-zero mask, and read as 0.
    Dense,
    /// -1 is what the user left unlabelled; voxels outside the non-zero mask that they labelled carry 0.
    Sparse,
    /// Not told apart, as in files of nnU-Net v1: all of -1 is taken for unlabelled, as DIAG's fork does.
    Unknown,
}

impl Meaning {
    /// The meaning of a case for a recipe with or without an ignore label, from its `outside_nonzero_mask_label`.
    pub fn new(ignores: bool, outside_label: Option<i64>) -> Self {
        match (ignores, outside_label) {
            (false, _) => Self::Plain,
            (true, Some(-1)) => Self::Dense,
            (true, Some(_)) => Self::Sparse,
            (true, None) => Self::Unknown,
        }
    }

    /// Whether a label on disk was given by the user.
    pub fn is_annotated(self, label: i16) -> bool {
        self == Self::Dense || label >= 0
    }

    /// The label that a patch carries for a label on disk.
    pub fn label(self, on_disk: i16) -> i16 {
        if self == Self::Dense {
            on_disk.max(0)
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
