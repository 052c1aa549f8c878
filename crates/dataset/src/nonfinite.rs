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

/// Largest absolute intensity. The square of a larger one, and with it the standard deviation that normalises an image,
/// would exceed float32, and the whole image would become 0. Float64 voxels beyond float32 are infinite.
const LARGEST: f32 = 1e18;

/// Whether an image with this intensity can be normalised: it is finite, and its square is.
pub fn is_usable(intensity: f32) -> bool {
    // NaN is not.
    intensity.abs() <= LARGEST
}
