//! Planning rules.

use super::pooling;

/// Planning rules. The defaults are those of nnU-Net v1, without its errors.
#[run::options]
pub struct Rules {
    /// Order of the poolings of the 3D network.
    #[default]
    pub pooling: pooling::Rule,
    /// Applies mask normalisation to a modality called `ct` (not `CT`), which nnU-Net v1 does by mistake.
    #[default]
    pub mask_lowercase_ct: bool,
}
