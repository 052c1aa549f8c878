//! Atomic file writes, lock files, and copying without permission metadata.

mod atomic;
mod copy;
mod error;
mod lock;
mod process;
mod space;

pub use atomic::write_atomic;
pub use copy::{copy_file, copy_tree, link_or_copy, Links, TreeOptions, TreeSummary};
pub use error::{CopyFailure, Error};
pub use lock::{Holder, Lock};
pub use space::{available_space, require_space};
