//! Drawn parameters of the spatial transform of one sample.

use serde::{Deserialize, Serialize};

use super::elastic::ElasticParams;

/// Drawn spatial transform.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SpatialParams {
    /// Angles in radians about the first, second and third array axis. In 2D and dummy 2D the first is in
    /// plane.
    pub rotation: Option<[f64; 3]>,
    /// Scale per axis (z, y, x). Above 1 the patch covers more of the image.
    pub scale: Option<[f64; 3]>,
    /// Elastic deformation.
    pub elastic: Option<ElasticParams>,
}

impl SpatialParams {
    /// Whether the patch is only cropped.
    pub fn is_identity(&self) -> bool {
        self.rotation.is_none() && self.scale.is_none() && self.elastic.is_none()
    }
}
