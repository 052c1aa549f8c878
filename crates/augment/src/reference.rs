//! Rules that differ between this package and the reference, whose rules are mistakes of nnU-Net v1 and
//! DIAG's fork.

use crate::options::PipelineOptions;

/// Rules of a chain that differ from the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChainRules {
    /// Label of unlabelled voxels that transforms distinguish from background.
    pub unlabelled: Option<i16>,
    /// Whether a cropped patch is interpolated if its centre falls between voxels, instead of being cropped
    /// half a voxel before.
    pub between_voxels: bool,
    /// Whether the cascade's degradation removes the drawn connected components.
    pub removes_components: bool,
}

impl ChainRules {
    /// The rules selected by the options.
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

    /// The reference's rules. It fills with -1 outside the loaded patch, but loses -1 when it interpolates
    /// label masks: unlabelled voxels there and between labels become background. Its mask transform treats
    /// every negative label as outside the non-zero mask, and sets the image to 0 there.
    fn reference() -> Self {
        Self {
            unlabelled: None,
            between_voxels: true,
            removes_components: false,
        }
    }
}
