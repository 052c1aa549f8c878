//! Training in libtorch: network, losses, optimiser, checkpoints, and the training loop.

mod buffers;
pub mod checkpoint;
mod compute;
mod error;
pub mod loss;
pub mod network;
pub mod optimizer;
mod shim;
pub mod tensor;
mod trainer;

pub use compute::{available_devices, device_name, find_device, Compute};
pub use error::{Error, Result};
pub use recipe::{Architecture, LossRecipe, Recipe};
pub use settings::{ComputeOptions, Precision, TrainOptions, TrainSummary};
pub use trainer::{train, PROGRESS_FILE};
