//! Deterministic data loading: threads that sample and augment batches into a bounded queue.
//!
//! [`PreparedLoader::open`] checks options and cases and computes the memory; [`PreparedLoader::start`]
//! starts the threads. [`Loader::next`] returns the batches of the schedule in order, and [`Loader::recycle`]
//! reuses their memory. Batch (epoch, iteration) is a pure function of seed, options and data. It does not
//! depend on the number of threads, on timing or on the start of the schedule.

mod batch;
mod buffer;
mod error;
mod fork;
mod format;
mod labels;
mod loader;
mod maker;
mod memory;
mod options;
mod queue;
mod stage;

pub use batch::{Batch, Tensor};
pub use buffer::{Buffer, BufferSource, HeapBuffers};
pub use error::Error;
pub use format::{Element, Format};
pub use loader::{expected_memory, Loader, PreparedLoader};
pub use memory::MemoryUse;
pub use options::{LoaderOptions, Phase};
