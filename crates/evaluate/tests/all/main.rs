//! One program for the tests of a crate, which are compiled and linked once.

mod evaluation;
mod measure;
mod postprocessing;
mod summary_v2;
