//! Copying of content alone.
//!
//! Some storage servers keep no permission metadata and refuse every attempt to set it, so modes, times and owners are
//! never touched: not of files, and not of folders (which `shutil.copytree`, and so DIAG's `shutil_sol`, still does).
//! Otherwise the behaviour is that of `shutil_sol.copyfile` and `copytree`, except where those lose files silently: a
//! relative link is resolved from its own folder instead of the current one, and no error is swallowed.

mod file;
mod tree;

// Two attributes, because clippy looks for `test` alone.
#[cfg(test)]
#[cfg(unix)]
mod scenarios;

pub use file::{copy_file, Links};
pub use tree::{copy_tree, TreeOptions, TreeSummary};
