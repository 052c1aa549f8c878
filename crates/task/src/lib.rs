//! The small verbs of a task: integrity check, conversion of foreign data sets, splits, and a look into one file.
//!
//! Folders and records are those of the crate `dataset`.

pub mod check;
pub mod convert;
mod error;
pub mod inspect;
pub mod splits;

pub use error::Error;
