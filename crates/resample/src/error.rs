//! Errors of this crate.

use run::Coded;

/// Why a resampling or an export was refused.
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
        /// Shape asked for.
        expected: Vec<usize>,
    },
    /// An interpolation order other than 0, 1 and 3.
    #[error(
        "interpolation order {found} is not supported: use 0 (nearest), 1 (linear) or 3 (cubic B-spline)"
    )]
    #[code(ResampleOrder)]
    #[detail(expected = [0, 1, 3])]
    Order {
        /// Order asked for.
        found: i64,
    },
    /// The axis to resample separately does not exist.
    #[error("axis {found} cannot be resampled separately: a volume has the axes 0, 1 and 2")]
    #[code(ResampleAxis)]
    #[detail(expected = [0, 1, 2])]
    Axis {
        /// Axis asked for.
        found: usize,
    },
    /// A spacing that is not a positive number.
    #[error("spacing {found:?} is not valid: every axis needs a positive number of millimetres")]
    #[code(ResampleSpacing)]
    Spacing {
        /// Spacing found.
        found: [f64; 3],
    },
    /// `transpose_forward` is not a permutation of the axes.
    #[error("transpose_forward {found:?} is not a permutation of 0, 1 and 2")]
    #[code(ExportTranspose)]
    Transpose {
        /// Value found.
        found: [usize; 3],
    },
    /// The box of the cropped region does not fit.
    #[error(
        "crop_bbox {bbox:?} does not place a region of {region:?} voxels inside the original {original:?} voxels: \
         the case's properties belong to another image"
    )]
    #[code(ExportCrop)]
    Crop {
        /// First voxel and voxel after the last one, per axis.
        #[detail(name = "cropBbox")]
        bbox: [[usize; 2]; 3],
        /// Size after cropping.
        #[detail(name = "sizeAfterCropping")]
        region: [usize; 3],
        /// Size of the original image.
        #[detail(name = "originalSize")]
        original: [usize; 3],
    },
    /// A prediction that should be on the cropped region's grid has another size.
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
        /// Classes named.
        found: usize,
        /// Channels of the prediction.
        expected: usize,
    },
    /// The caller asked to stop.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] run::Cancelled),
}
