//! Copies of file content without metadata.
//!
//! Some storage servers store no permission metadata and reject every attempt to set it. Modes, times and
//! owners of files and folders are therefore never set. `shutil.copytree`, and so DIAG's `shutil_sol`, still
//! sets those of folders. Otherwise the behaviour equals `shutil_sol.copyfile` and `copytree`, with two
//! exceptions where those lose files silently: a relative link is resolved from its own folder instead of the
//! current one, and no error is ignored.

mod file;
mod tree;

// Two attributes, because clippy checks for `test` alone.
#[cfg(test)]
#[cfg(unix)]
mod scenarios;

pub use file::{copy_file, copy_file_cancellable, link_or_copy, Links};
pub use tree::{copy_tree, copy_tree_cancellable, count_files, TreeOptions, TreeSummary};
