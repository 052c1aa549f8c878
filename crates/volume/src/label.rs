//! Label of unlabelled voxels.

/// Label of voxels without annotation, and the only ignore label of training.
///
/// Labels are int16 in label files of nnU-Net v1 and this package, in segmentations and in patches. An ignore
/// label has the same type, so that every value can be stored. Only libtorch's kernels, whose targets are
/// float32, use a float.
pub const UNLABELLED: i16 = -1;
