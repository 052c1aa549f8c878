//! Options and summaries of the verbs that run a network.
//!
//! They are known without libtorch: their schema is written, and what callers pass is checked, before libtorch is looked
//! for.

mod compute;
mod predict;
mod train;

pub use compute::{ComputeOptions, Precision};
pub use predict::{PredictOptions, PredictSummary};
pub use train::{TrainOptions, TrainSummary};
