//! One program for the tests of a crate, which are compiled and linked once.

mod convert;
mod copy;
mod groups;
mod simulate;
mod splits;
