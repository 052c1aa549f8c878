//! One program for the tests of a crate, which are compiled and linked once.

mod fixtures;
mod hostile;
mod kinds;
mod roundtrip;
