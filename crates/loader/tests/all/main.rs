//! One program for the tests of a crate, which are compiled and linked once.

mod behaviour;
mod common;
mod compact;
mod fixtures;
mod repeatable;
