//! Errors of this crate.

use run::Coded;

/// Errors of this crate.
#[derive(Debug, thiserror::Error, Coded)]
pub enum Error {
    /// An array or a requested shape has an empty axis.
    #[error(
        "cannot resample an array of shape {found:?} to {expected:?}: every axis needs at least one voxel"
    )]
    #[code(ResampleShape)]
    EmptyShape {
        /// Shape of the input.
        found: Vec<usize>,
        /// Requested shape.
        expected: Vec<usize>,
    },
    /// The interpolation order is not 0, 1 or 3.
    #[error(
        "interpolation order {found} is not supported: use 0 (nearest), 1 (linear) or 3 (cubic B-spline)"
    )]
    #[code(ResampleOrder)]
    #[detail(expected = [0, 1, 3])]
    Order {
        /// Requested order.
        found: i64,
    },
    /// Labels cannot be decided from a few planes with this order.
    #[error(
        "interpolation order {found} needs the whole volume: labels are decided plane by plane with 0 (nearest) or 1 \
         (linear), and 0 along a separate axis"
    )]
    #[code(ResampleOrder)]
    #[detail(expected = [0, 1])]
    Stream {
        /// Interpolation order.
        found: i64,
    },
    /// The planes of a softmax are too many or too few, or of another shape.
    #[error("the planes of the softmax end at {found:?}, expected {expected:?} (z, y, x)")]
    #[code(ResampleShape)]
    Planes {
        /// End of the planes, and their shape.
        found: [usize; 3],
        /// Shape of the softmax.
        expected: [usize; 3],
    },
    /// The axis to resample separately does not exist.
    #[error("axis {found} cannot be resampled separately: a volume has the axes 0, 1 and 2")]
    #[code(ResampleAxis)]
    #[detail(expected = [0, 1, 2])]
    Axis {
        /// Requested axis.
        found: usize,
    },
    /// A spacing is not a positive number.
    #[error("spacing {found:?} is not valid: every axis needs a positive number of millimetres")]
    #[code(ResampleSpacing)]
    Spacing {
        /// The spacing.
        found: [f64; 3],
    },
    /// `transpose_forward` is not a permutation of the axes.
    #[error("transpose_forward {found:?} is not a permutation of 0, 1 and 2")]
    #[code(ExportTranspose)]
    Transpose {
        /// The invalid value.
        found: [usize; 3],
    },
    /// The cropped region does not fit its box.
    #[error(
        "crop_bbox {bbox:?} does not place a region of {region:?} voxels inside the original {original:?} voxels: \
         the case's properties belong to another image"
    )]
    #[code(ExportCrop)]
    Crop {
        /// First voxel and end (exclusive) of each axis.
        #[detail(name = "cropBbox")]
        bbox: [[usize; 2]; 3],
        /// Size after cropping.
        #[detail(name = "sizeAfterCropping")]
        region: [usize; 3],
        /// Size of the original image.
        #[detail(name = "originalSize")]
        original: [usize; 3],
    },
    /// The size of a prediction differs from that of the cropped region.
    #[error("the prediction has {found:?} voxels, but the case has {expected:?} after cropping (size_after_cropping)")]
    #[code(ExportShape)]
    Region {
        /// Size of the prediction.
        found: [usize; 3],
        /// Size after cropping.
        expected: [usize; 3],
    },
    /// The number of region classes differs from the number of channels.
    #[error("region_class_order names {found} classes, but the prediction has {expected} channels")]
    #[code(ExportRegions)]
    Regions {
        /// Number of classes.
        found: usize,
        /// Number of channels of the prediction.
        expected: usize,
    },
    /// The caller asked to stop.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] run::Cancelled),
}
