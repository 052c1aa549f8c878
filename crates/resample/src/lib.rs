//! Spline, linear and nearest resampling of images and segmentations, and the resampling of a network's
//! softmax back to the original grid.
//!
//! Arrays are `(z, y, x)` or `(channel, z, y, x)`, spacings `(z, y, x)` in millimetres. Any consistent axis
//! order is valid. The interpolation equals `skimage.transform.resize(mode='edge', anti_aliasing=False,
//! clip=True)`, which nnU-Net v1 uses:
//!
//! - output voxel `i` of an axis is at `(i + 0.5) * n_in / n_out - 0.5` on the input axis;
//! - the image is extended past its border by its edge value;
//! - order 3 is exact cubic B-spline interpolation (M. Unser, "Splines: a perfect fit for signal and image
//!   processing", 1999), clipped to the range of the input.
//!
//! Kernels run in the current rayon pool. Results do not depend on the number of threads or the instruction
//! set.

mod blocks;
mod bspline;
mod channel;
mod data;
mod error;
pub mod export;
mod label;
mod order;
mod real;
mod resize;
mod rows;
mod segmentation;
mod simd;
mod softmax;
mod spacing;
mod stream;
mod taps;

pub use data::{resample_data, Resampling};
pub use error::Error;
pub use order::Order;
pub use real::Real;
pub use resize::resize;
pub use segmentation::{resample_segmentation, resize_segmentation};
pub use softmax::{decide, resample_labels, resample_softmax, Decision, ExportMode};
pub use spacing::{low_resolution_axes, resampled_shape, separate_axis, SeparateZ, ANISOTROPY_THRESHOLD};
pub use stream::{LabelStream, Observer};
