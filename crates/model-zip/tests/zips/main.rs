//! Zip files of models: written and installed, or refused.
#![allow(clippy::unwrap_used, reason = "test helpers fail by panicking")]

mod common;
mod hostile;
mod round_trip;
mod v2_models;
