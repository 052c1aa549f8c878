//! What can be wrong with a request to resample.

use run::Coded;
use serde_json::{json, Value};

/// Why a resampling or an export was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An array or a requested shape has an empty axis.
    #[error(
        "cannot resample an array of shape {found:?} to {wanted:?}: every axis needs at least one voxel"
    )]
    EmptyShape {
        /// Shape of the input.
        found: Vec<usize>,
        /// Shape asked for.
        wanted: Vec<usize>,
    },
    /// An interpolation order other than 0, 1 and 3.
    #[error(
        "interpolation order {found} is not supported: use 0 (nearest), 1 (linear) or 3 (cubic B-spline)"
    )]
    Order {
        /// Order asked for.
        found: i64,
    },
    /// The axis to resample separately does not exist.
    #[error("axis {found} cannot be resampled separately: a volume has the axes 0, 1 and 2")]
    Axis {
        /// Axis asked for.
        found: usize,
    },
    /// A spacing that is not a positive number.
    #[error("spacing {found:?} is not valid: every axis needs a positive number of millimetres")]
    Spacing {
        /// Spacing found.
        found: [f64; 3],
    },
    /// `transpose_forward` is not a permutation of the axes.
    #[error("transpose_forward {found:?} is not a permutation of 0, 1 and 2")]
    Transpose {
        /// Value found.
        found: [usize; 3],
    },
    /// The box of the cropped region does not fit.
    #[error(
        "crop_bbox {bbox:?} does not place a region of {region:?} voxels inside the original {original:?} voxels: \
         the case's properties belong to another image"
    )]
    Crop {
        /// First voxel and voxel after the last one, per axis.
        bbox: [[usize; 2]; 3],
        /// Size after cropping.
        region: [usize; 3],
        /// Size of the original image.
        original: [usize; 3],
    },
    /// A prediction that should be on the cropped region's grid has another size.
    #[error("the prediction has {found:?} voxels, but the case has {expected:?} after cropping (size_after_cropping)")]
    Region {
        /// Size of the prediction.
        found: [usize; 3],
        /// Size after cropping.
        expected: [usize; 3],
    },
    /// The number of region classes differs from the number of channels.
    #[error("region_class_order names {found} classes, but the prediction has {expected} channels")]
    Regions {
        /// Classes named.
        found: usize,
        /// Channels of the prediction.
        expected: usize,
    },
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] run::Cancelled),
    /// The receiver of a streamed softmax failed.
    #[error("the resampled softmax could not be written: {source}")]
    Sink {
        /// What the receiver said.
        #[source]
        source: std::io::Error,
    },
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Cancelled(e) => e.code(),
            Self::EmptyShape { .. } => "ERR_RESAMPLE_SHAPE",
            Self::Order { .. } => "ERR_RESAMPLE_ORDER",
            Self::Axis { .. } => "ERR_RESAMPLE_AXIS",
            Self::Spacing { .. } => "ERR_RESAMPLE_SPACING",
            Self::Transpose { .. } => "ERR_EXPORT_TRANSPOSE",
            Self::Crop { .. } => "ERR_EXPORT_CROP",
            Self::Region { .. } => "ERR_EXPORT_SHAPE",
            Self::Regions { .. } => "ERR_EXPORT_REGIONS",
            Self::Sink { .. } => "ERR_EXPORT_WRITE",
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Cancelled(e) => e.details(),
            Self::EmptyShape { found, wanted } => json!({ "found": found, "wanted": wanted }),
            Self::Order { found } => json!({ "found": found, "expected": [0, 1, 3] }),
            Self::Axis { found } => json!({ "found": found, "expected": [0, 1, 2] }),
            Self::Spacing { found } => json!({ "found": found }),
            Self::Transpose { found } => json!({ "found": found }),
            Self::Crop {
                bbox,
                region,
                original,
            } => {
                json!({ "cropBbox": bbox, "sizeAfterCropping": region, "originalSize": original })
            }
            Self::Region { found, expected } => json!({ "found": found, "expected": expected }),
            Self::Regions { found, expected } => json!({ "found": found, "expected": expected }),
            Self::Sink { source } => json!({ "cause": source.to_string() }),
        }
    }
}
