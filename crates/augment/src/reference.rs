//! The rules in which nnU-Net v1 and DIAG's fork are wrong, and the choice between them and this package's.

use crate::options::PipelineOptions;

/// The rules of a chain in which this package differs from the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChainRules {
    /// Label of unlabelled voxels that transforms keep apart from background.
    pub unlabelled: Option<i16>,
    /// Whether a patch that is only cropped is interpolated where its centre falls between voxels, instead of
    /// being cropped half a voxel before.
    pub between_voxels: bool,
    /// Whether the cascade's degradation removes connected components that were drawn.
    pub removes_components: bool,
}

impl ChainRules {
    /// The rules that the options ask for.
    pub fn of(options: &PipelineOptions) -> Self {
        if options.reference_rules {
            Self::reference()
        } else {
            Self::own(options.ignore_label)
        }
    }

    /// This package's rules.
    fn own(ignore_label: Option<i16>) -> Self {
        Self {
            unlabelled: ignore_label,
            between_voxels: false,
            removes_components: true,
        }
    }

    /// The reference's rules. It fills with -1 outside the loaded patch, but loses that value in the
    /// interpolation of label masks: unlabelled voxels there and between labels become background. Its mask
    /// transform takes every negative label for the outside of the non-zero mask, and blanks the image there.
    fn reference() -> Self {
        Self {
            unlabelled: None,
            between_voxels: true,
            removes_components: false,
        }
    }
}
