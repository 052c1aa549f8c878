//! Connected components of 1D, 2D and 3D images.
//!
//! Run-based two-pass labelling with union-find (L. He, Y. Chao, K. Suzuki, "A run-based two-scan labeling algorithm",
//! 2008), extended to 3D: voxels are read once to find the runs of each row, touching runs of neighbouring rows are
//! joined, and each run is written once. Reading and writing are parallel over rows; joining works on runs alone, of
//! which there are few. Memory beside the result is 16 bytes a run, and 32 a row.

mod connectivity;
mod error;
mod forest;
mod label;
mod runs;

pub use connectivity::Connectivity;
pub use error::Error;
pub use label::{label, label_values, Components};
