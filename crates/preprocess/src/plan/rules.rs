//! Choices in planning.

use super::pooling;

/// Choices in planning; the default is nnU-Net v1's, but for its mistakes.
#[run::options]
pub struct Rules {
    /// Order of the poolings of the 3D network.
    #[default]
    pub pooling: pooling::Rule,
    /// Applies mask normalisation to a modality called `ct` (not `CT`), as nnU-Net v1 does by mistake.
    #[default]
    pub mask_lowercase_ct: bool,
}
