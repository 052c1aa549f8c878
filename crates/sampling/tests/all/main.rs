//! One program for the tests of a crate, which are compiled and linked once.

mod centres;
mod collection;
mod common;
mod fixtures;
mod properties;
mod read;
