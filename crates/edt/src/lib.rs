//! Exact squared Euclidean distance transform of images of one to three axes.
//!
//! Every non-zero voxel gets its squared distance to the nearest zero voxel, the square of
//! `scipy.ndimage.distance_transform_edt`. Zero voxels get 0. The result is infinite if no zero voxel exists,
//! or none within the bound.
//!
//! The transform is separable: squared distances along one axis, then a minimum of parabolas `min_j f(j) +
//! s²(i - j)²` along each further axis (A. Meijster et al., "A general algorithm for computing distance
//! transforms in linear time", 2000). Departures from the paper:
//!
//! - The minimum is searched outwards from `i` for many contiguous columns at once, until `s²k²` exceeds the
//!   largest value found in any of them. This vectorises, and distances in practice are short. If the search
//!   exceeds a fixed number of steps per voxel, the lower envelope of P. Felzenszwalb and D. Huttenlocher
//!   ("Distance transforms of sampled functions", 2012) replaces it. The time remains linear in the number of
//!   voxels.
//! - With equal spacing on all axes, saturating 16-bit integers are used if squared distances fit. This
//!   halves the memory traffic and doubles the vector width. The intermediate uses the memory of the output.
//!
//! Two sweeps read the mask once and pass over the output twice. Each thread needs a padded row, and 64
//! columns with their results.
//!
//! # Exactness
//!
//! With equal spacing, squared distances below 2²⁴ voxels are exact integers, multiplied by the squared
//! spacing with one rounding. Otherwise every sum is rounded to float32: at most 3 units in the last place.
//! Results depend neither on the number of threads nor on the vector instructions of the processor.

mod columns;
mod envelope;
mod error;
mod grid;
mod lane;
mod objects;
mod row;
mod simd;
mod sweep;
mod transform;

pub use error::Error;
pub use objects::two_nearest_objects;
pub use simd::{dispatch, Kernel};
pub use transform::{squared_distance, squared_distance_into};

/// Element of a mask.
pub trait Voxel: Copy + Send + Sync {
    /// Whether distances are measured to this voxel.
    fn is_zero(self) -> bool;
}

macro_rules! voxel {
    ($($type:ty: $zero:expr),*) => {
        $(impl Voxel for $type {
            #[inline(always)]
            fn is_zero(self) -> bool {
                self == $zero
            }
        })*
    };
}

voxel!(bool: false, u8: 0, u16: 0, u32: 0, u64: 0, i8: 0, i16: 0, i32: 0, i64: 0, f32: 0.0, f64: 0.0);
