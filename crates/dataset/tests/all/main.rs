//! One program for the tests of a crate, which are compiled and linked once.

mod records;
mod results;
mod splits;
