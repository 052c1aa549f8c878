//! Writing files so that a reader never meets half of one, and copying that needs no permission metadata.

mod atomic;
mod copy;
mod error;
mod space;

pub use atomic::write_atomic;
pub use copy::{copy_file, copy_tree, Links, TreeOptions, TreeSummary};
pub use error::{CopyFailure, Error};
pub use space::{available_space, require_space};
