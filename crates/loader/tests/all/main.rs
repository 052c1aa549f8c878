//! One program for the tests of a crate, which are compiled and linked once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod behaviour;
mod common;
mod compact;
mod fixtures;
mod repeatable;
