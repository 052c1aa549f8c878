//! Random numbers: the keyed generators of this project, and numpy's legacy generator.
//!
//! - [`Rng`]: a stream of Philox4x32-10, keyed by seed, [`Purpose`], epoch, iteration and sample, for
//!   sampling and augmentation. [`Draw`] is the interface of sampling; tests script it.
//! - [`Normals`]: standard normal numbers by position, from SplitMix64, for the network's initial weights.
//! - [`philox`]: the bijection itself, for fields of numbers addressed by position.
//! - [`RandomState`]: numpy's `RandomState`, draw for draw, for splits and class locations.
//!
//! Every generator is a function of its key and a counter, except `RandomState`, which has numpy's state.

mod box_muller;
mod numpy;
mod philox;
mod split_mix;
mod stream;

pub use numpy::RandomState;
pub use philox::philox;
pub use split_mix::Normals;
pub use stream::{Draw, Purpose, Rng};
