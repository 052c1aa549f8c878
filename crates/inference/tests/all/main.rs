//! One program for the tests of a crate, which are compiled and linked once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod cascade;
mod common;
mod converted;
mod dynamic;
mod dynamic_folder;
mod folder;
mod made;
mod memory;
mod predict;
mod recorded;
