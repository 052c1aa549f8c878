//! Cases to look at: layers of voxels.

use schemars::JsonSchema;
use serde::Serialize;

/// A label of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViewLabel {
    /// Value.
    pub value: i64,
    /// Name.
    pub name: String,
}

/// A case to look at: the part of its image where something is.
///
/// Arrays of three have the order z, y, x unless said otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViewCase {
    /// Name of the case.
    pub name: String,
    /// Drawn voxels.
    pub shape: [usize; 3],
    /// First voxel of the crop in the image.
    pub offset: [usize; 3],
    /// Voxels of the image.
    pub full: [usize; 3],
    /// Distance of drawn voxels in mm.
    pub spacing: [f64; 3],
    /// Voxels of the image for one drawn voxel; above 1 where the image was thinned to fit the size limit. Drawn voxel
    /// `i` is voxel `offset + step * i` of the image.
    pub step: [usize; 3],
    /// Row-major matrix from a drawn voxel (x, y, z, 1) to millimetres (LPS).
    pub affine: [f64; 16],
    /// Labels that occur in the layers, without the background.
    pub labels: Vec<ViewLabel>,
    /// Layers, each with as many bytes as there are drawn voxels. The channels of the image are layers of their own, in
    /// the order of their numbers.
    pub layers: Vec<Layer>,
    /// Names of the channels that are left out to fit the size limit.
    pub left_out: Vec<String>,
    /// Mean Dice of the classes; null without a reference.
    pub score: Option<f64>,
    /// A drawn voxel in the middle of the largest connected error; null without one.
    pub largest_error: Option<[usize; 3]>,
    /// Compressed bytes of all layers.
    pub bytes: u64,
}

/// Role of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LayerRole {
    /// Intensities of a channel.
    Image,
    /// Labels of the reference.
    Reference,
    /// Labels of the prediction.
    Prediction,
    /// Weights of voxels.
    Weightmap,
}

/// A layer of a case: bytes in C order (z, y, x), compressed with gzip.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Layer {
    /// Its role.
    pub role: LayerRole,
    /// Name for readers: of a channel, its modality.
    pub name: String,
    /// Number of its blob.
    pub blob: usize,
    /// Always `uint8`.
    #[serde(rename = "type")]
    #[schemars(extend("const" = "uint8"))]
    pub element: &'static str,
    /// A value is `slope * byte + intercept`.
    pub slope: f64,
    /// A value is `slope * byte + intercept`.
    pub intercept: f64,
    /// Values that are drawn black and white at first.
    pub window: [f64; 2],
    /// Whether the values are Hounsfield units.
    pub ct: bool,
    /// Byte that means -1 (unlabelled); null for layers without labels, and without unlabelled voxels.
    pub unlabelled: Option<u8>,
}
