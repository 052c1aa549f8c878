//! The label of unlabelled voxels.

/// Label of voxels that nobody annotated, and the only ignore label of training.
///
/// Labels are int16 everywhere: in label files as nnU-Net v1 and this package write them, in segmentations
/// and in patches. An ignore label is one of them, so it has their type, and no value can be asked for that
/// no file can hold. Only libtorch's kernels, whose targets are float32, see it as a float.
pub const UNLABELLED: i16 = -1;
