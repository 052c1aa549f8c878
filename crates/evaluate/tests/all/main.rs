//! One program for the tests of a crate, which are compiled and linked once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod evaluation;
mod measure;
mod parts;
mod postprocessing;
mod summary_v2;
