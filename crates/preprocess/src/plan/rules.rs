//! Choices in planning.

use serde::{Deserialize, Serialize};

use super::pooling;

/// Choices in planning; the default is nnU-Net v1's, but for its mistakes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Rules {
    /// Order of the 3D network's poolings.
    pub pooling: pooling::Rule,
    /// nnU-Net v1 lets a modality called `ct` (not `CT`) take part in mask normalisation although it gets CT
    /// normalisation. Repeat that.
    pub mask_lowercase_ct: bool,
}
