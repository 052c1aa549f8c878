//! Connected components of 1D, 2D and 3D images.
//!
//! The algorithm is run-based two-pass labelling with union-find (L. He, Y. Chao, K. Suzuki, "A run-based
//! two-scan labeling algorithm", 2008), extended to 3D. The first pass reads each voxel once and finds the
//! runs of each row. Touching runs of neighbouring rows are joined. The second pass writes each run once.
//! Reading and writing are parallel over rows, joining over slabs of slices. Memory besides the
//! result is 16 bytes per run and 32 bytes per row.

mod connectivity;
mod error;
mod forest;
mod label;
mod runs;

pub use connectivity::Connectivity;
pub use error::Error;
pub use label::{label, label_values, Components};
