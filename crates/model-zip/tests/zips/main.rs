//! Zip files of models: written and installed, or refused.

mod common;
mod hostile;
mod round_trip;
