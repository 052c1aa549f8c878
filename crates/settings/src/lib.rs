//! Options and summaries of the verbs that run a network.
//!
//! They do not depend on libtorch: schemas are generated and options are checked before libtorch is loaded.

mod class_weights;
mod compute;
mod duration;
mod memory_size;
mod predict;
mod slurm;
mod train;

pub use class_weights::ClassWeights;
pub use compute::{ComputeOptions, Precision};
pub use duration::parse_duration;
pub use memory_size::MemorySize;
pub use predict::{default_export_mode, LoadModelOptions, PredictOptions, PredictSummary};
pub use slurm::SlurmOptions;
pub use train::{TrainOptions, TrainSummary, TrainedFold};
