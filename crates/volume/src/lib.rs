//! Arrays with geometry; NIfTI, npy and npz files.
//!
//! Arrays are C-contiguous. Everything read is checked against the bytes that are really there before memory is taken
//! for it, so that a truncated or hostile file gives a typed [`Error`] instead of a crash or an exhausted machine.

mod buffer;
mod element;
mod error;
mod geometry;
mod label;
pub mod nifti;
pub mod npy;
pub mod npz;

pub use element::{Dtype, Element};
pub use error::{Error, Place};
pub use geometry::{Deviation, Geometry};
pub use label::UNLABELLED;
