//! Arrays with geometry; NIfTI, npy and npz files.
//!
//! Arrays are C-contiguous. Sizes in a file are checked against its real length before memory is allocated. A
//! truncated or hostile file therefore gives a typed [`Error`], not a crash or exhausted memory.

mod buffer;
mod element;
mod error;
mod geometry;
mod gzip;
mod label;
pub mod nifti;
pub mod npy;
pub mod npz;

pub use element::{Dtype, Element};
pub use error::{Error, Place};
pub use geometry::{Deviation, Geometry};
pub use label::UNLABELLED;

/// Number of voxels of a shape (z, y, x). A wrong header gives the largest number instead of an overflow.
#[must_use]
pub fn voxels(shape: [usize; 3]) -> u64 {
    shape.iter().fold(1, |n, &axis| n.saturating_mul(axis as u64))
}
