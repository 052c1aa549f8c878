//! Verbs on a task's files: integrity check, conversion of other datasets, splits, simulation of
//! sparse labels, copies, and inspection of one file.
//!
//! The crate `dataset` defines folders and records.

pub mod check;
pub mod convert;
pub mod copy;
mod error;
pub mod inspect;
pub mod simulate;
pub mod splits;

pub use error::Error;
