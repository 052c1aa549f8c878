//! Networks: nnU-Net v1's `Generic_UNet`, and nnU-Net v2's `PlainConvUNet` and `ResidualEncoderUNet`, in 2D and 3D.

mod dynamic;
mod gradients;
mod init;
mod layout;
mod ops;
mod predicting;
mod ranks;
mod unet;

pub use dynamic::DynamicUNet;
pub use gradients::Gradients;
pub use predicting::Network;
pub use ranks::RankGradients;
pub use unet::{GenericUNet, Heads, State, Weights};

#[cfg(test)]
pub(crate) mod tests;
