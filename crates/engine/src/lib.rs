//! The networks of nnU-Net v1 and v2 in libtorch, with the losses, the optimiser and the checkpoints of v1.

pub mod checkpoint;
mod compute;
mod device_memory;
mod error;
pub mod loss;
mod memory;
pub mod network;
pub mod optimizer;
mod shim;
pub mod tensor;

pub use compute::{available_devices, device_name, find_device, Compute, Kernels};
pub use device_memory::device_memory;
pub use error::{Error, Result};
pub use recipe::{Architecture, LossRecipe, Recipe};
pub use settings::{ComputeOptions, Precision};
pub use shim::device::{Readback, Upload, Uploads};
pub use shim::group::{Group, MeetingPoint, Store};
pub use shim::record::{count_operators, Calls, Operators};

/// Version of libtorch that this crate is built with, such as `2.11.0`. The one that is loaded may have another patch
/// version.
pub const LIBTORCH_VERSION: &str = env!("LIBTORCH_VERSION");

#[cfg(test)]
mod steps;
