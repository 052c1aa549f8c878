//! Exact squared Euclidean distance transform of images of one to three axes.
//!
//! Every non-zero voxel gets its squared distance to the nearest zero voxel, as `scipy.ndimage.distance_transform_edt`
//! (squared) does; zero voxels get 0. Where no zero voxel exists, or none within the bound, the result is infinite.
//!
//! The transform is separable: squared distances along one axis, then a minimum of parabolas
//! `min_j f(j) + s²(i - j)²` along each further axis (A. Meijster et al., "A general algorithm for computing distance
//! transforms in linear time", 2000). Departures from the paper:
//!
//! - The minimum is searched outwards from `i` for many contiguous columns at once, until `s²k²` exceeds the largest
//!   value found so far in any of them. This vectorises, and distances in practice are short. Where it would pass a fixed
//!   number of steps per voxel, the lower envelope of P. Felzenszwalb and D. Huttenlocher ("Distance transforms of
//!   sampled functions", 2012) takes over, so that the time stays linear in the number of voxels.
//! - With equal spacing on all axes the work is done in saturating 16-bit integers where squared distances fit, which
//!   halves the memory moved and doubles the vector width; the intermediate lies in the output's own memory.
//!
//! Two sweeps read the mask once and pass over the output twice. Beside the output a thread holds a row with room on both
//! sides, and 64 columns with their results.
//!
//! # Exactness
//!
//! With equal spacing, squared distances below 2²⁴ voxels are exact integers, times the squared spacing with one
//! rounding. Otherwise every sum is rounded to float32: at most 3 units in the last place.
//! Results do not depend on the number of threads, nor on the vector instructions of the processor.

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

/// A mask's element: anything that is zero or not.
pub trait Voxel: Copy + Send + Sync {
    /// Whether this voxel is one that distances are measured to.
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
