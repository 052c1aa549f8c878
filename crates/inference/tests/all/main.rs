//! One program for the tests of a crate, which are compiled and linked once.

mod cascade;
mod common;
mod converted;
mod dynamic;
mod dynamic_folder;
mod folder;
mod made;
mod memory;
mod predict;
mod recorded;
