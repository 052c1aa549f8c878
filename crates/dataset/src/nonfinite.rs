//! Treatment of voxels that are not finite.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Treatment of image voxels that are NaN or infinite, and of CT intensities without a spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NonFinite {
    /// The case fails.
    #[default]
    Refuse,
    /// The values become 0, with a warning.
    Zero,
}
