//! Every reader of files as a function over bytes. The fuzz targets (`fuzz/`) and the tests of this crate share the
//! list, so that a reader is tried by both.
//!
//! A reader may refuse a file. It must not panic, overflow, abort, or take more memory than the file can hold.

mod readers;
pub mod samples;
mod workspace;

pub use readers::{find, Reader, READERS};
