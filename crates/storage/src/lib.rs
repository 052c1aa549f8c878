//! Atomic file writes, temporary folders, lock files, and copying without permission metadata.

mod aside;
mod atomic;
mod copy;
mod error;
mod local;
mod lock;
mod process;
mod scratch;
mod space;
mod temporary;

pub use aside::move_aside;
pub use atomic::write_atomic;
pub use copy::{
    copy_file, copy_file_cancellable, copy_tree, copy_tree_cancellable, count_files, link_or_copy, Links,
    TreeOptions, TreeSummary,
};
pub use error::{CopyFailure, Error};
pub use local::{LocalFolder, SharedFolder};
pub use lock::{Holder, Lock};
pub use scratch::Scratch;
pub use space::{available_space, require_space};
pub use temporary::temporary_folder;
