//! One program for the tests of a crate, which are compiled and linked once.

mod best;
mod ensemble;
mod v2;
