//! The network of nnU-Net v1 in libtorch, with its losses, optimiser and checkpoints.

pub mod checkpoint;
mod compute;
mod device_memory;
mod error;
pub mod loss;
pub mod network;
pub mod optimizer;
mod shim;
pub mod tensor;

pub use compute::{available_devices, device_name, find_device, Compute};
pub use device_memory::device_memory;
pub use error::{Error, Result};
pub use recipe::{Architecture, LossRecipe, Recipe};
pub use settings::{ComputeOptions, Precision};

#[cfg(test)]
mod steps;
