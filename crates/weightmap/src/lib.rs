//! U-Net border weightmaps: one weight per voxel, high near the borders of objects, for a voxel-weighted
//! loss.
//!
//! The default mode follows DIAG's fork of nnU-Net v1 (`generate_unet_weightmaps`), after O. Ronneberger et
//! al., "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015:
//!
//! `w = w_c + w0 · exp(-d² / 2σ²)`, and `w = w_c` inside an object,
//!
//! where `w_c` is one minus the frequency of the voxel's class. The inside of an object is its class eroded
//! by one voxel (face neighbours; the outside of the volume is no object). `d` is the distance to the nearest
//! inside voxel of any class. Labels outside the list of classes are background.
//!
//! # Differences from the fork
//!
//! | | this crate | the fork, and this crate with `compat` |
//! | --- | --- | --- |
//! | channel | the last, which is the segmentation | channel 1, an image if there are several modalities |
//! | no inside voxel at all | no border term | distance to a virtual voxel at (-1, 0, 0) |
//! | -1, unlabelled | weight 0, not part of any frequency, never a border | background |
//! | an axis of length one | no erosion along it | everything is eroded |
//! | spacing | voxels, or mm with `spacing` | voxels |
//!
//! -1 means unlabelled, unless the case's `.pkl` says that it marks voxels outside the non-zero mask
//! (`outside_nonzero_mask_label` = -1). In that case it is background.
//!
//! Arrays are (z, y, x) and spacing (z, y, x) in mm.

mod border;
mod classes;
mod discover;
mod erosion;
mod error;
mod generate;
mod instances;
mod labels;
mod map;
mod options;
mod properties;
mod read;
mod weight;

pub use error::Error;
pub use generate::{generate, memory_of_cases, Summary};
pub use map::{border_weightmap, Parameters};
pub use options::{Dtype, Frequencies, Mode, Options};
pub use weight::Weight;
