//! Random numbers: the keyed generators of this project, and numpy's legacy generator.
//!
//! - [`Rng`]: a stream of Philox4x32-10, keyed by seed, [`Purpose`], epoch, iteration and sample. Sampling
//!   and augmentation draw from it. [`Draw`] is the part of it that sampling needs; tests script it.
//! - [`Normals`]: standard normal numbers by position, from SplitMix64: the network's starting weights.
//! - [`philox`]: the bijection itself, for fields of numbers that are addressed by position.
//! - [`RandomState`]: numpy's `RandomState`, draw for draw: splits and class locations.
//!
//! Every generator is a function of its key and a counter, except `RandomState`, whose state is numpy's.

mod box_muller;
mod numpy;
mod philox;
mod split_mix;
mod stream;

pub use numpy::RandomState;
pub use philox::philox;
pub use split_mix::Normals;
pub use stream::{Draw, Purpose, Rng};
