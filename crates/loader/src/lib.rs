//! Threads that sample and augment into a bounded queue, deterministically.
//!
//! [`PreparedLoader::open`] checks options and cases and tells the memory needed; [`PreparedLoader::start`] starts the threads;
//! [`Loader::next`] gives the batches of the schedule in order, and [`Loader::recycle`] takes their memory back. Batch
//! (epoch, iteration) is a pure function of seed, options and data: the number of threads, timing and where the schedule was
//! resumed cannot reach it.

mod batch;
mod buffer;
mod error;
mod fork;
mod loader;
mod maker;
mod memory;
mod options;
mod queue;

pub use batch::{Batch, Tensor};
pub use buffer::{Buffer, BufferSource, HeapBuffers};
pub use error::Error;
pub use loader::{Loader, PreparedLoader};
pub use memory::MemoryUse;
pub use options::{LoaderOptions, Phase};
