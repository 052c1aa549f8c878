//! Positions of patches in preprocessed cases, and reading them.
//!
//! Arrays are C-contiguous `(channel, z, y, x)`; a 2D patch is a box of one slice. All random numbers come
//! from a [`random::Draw`], so boxes and centres are pure functions of the drawn numbers.
//!
//! - [`Range`], [`draw_box`], [`is_forced`]: the boxes of nnU-Net v1's loaders.
//! - [`AnnotationIndex`], [`place`]: patches around annotated voxels; [`draw_fork_centre`] is the rule of
//!   DIAG's fork.
//! - [`Case::read`]: image, segmentation and weightmap of a box, through a memory map.
//! - [`unpack`]: conversion of npz files to npy files.
//! - [`Collection`]: all cases of a split, checked before training starts.

mod annotation;
mod boxes;
mod cache;
mod case;
mod centre;
mod collection;
mod counts;
mod error;
mod foreground;
mod fork;
mod grid;
mod index_file;
mod meaning;
mod options;
mod properties;
mod runs;
#[cfg(test)]
mod scripted;
mod unpack;

pub use annotation::{AnnotationIndex, IndexBuilder};
pub use boxes::{draw_box, is_forced, PatchBox, PatchSizes, Range};
pub use cache::PackedCache;
pub use case::{Case, StageFolder};
pub use centre::{draw_lower, place, shift_range};
pub use collection::{Collection, CollectionOptions, Placement, SampledCase};
pub use counts::count_labels;
pub use error::{Error, ShapeMismatch};
pub use foreground::ClassLocations;
pub use fork::{draw_fork_centre, fork_centre};
pub use index_file::{index_path, Stamp};
pub use meaning::Meaning;
pub use options::{Annotated, Sampling, FOREGROUND_FRACTION};
pub use unpack::{unpack, Unpacked};
