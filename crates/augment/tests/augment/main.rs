//! Tests of whole chains through the public API.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail loudly")]

mod cascade;
mod chains;
mod intensity_fixtures;
mod limits;
mod oracle;
mod repeatable;
mod sparse;
mod spatial_fixtures;
mod statistics;
mod support;
