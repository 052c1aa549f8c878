//! nnU-Net v1's network, `Generic_UNet`, in 2D and 3D.

mod gradients;
mod init;
mod layout;
mod unet;

pub use gradients::Gradients;
pub use unet::{GenericUNet, Heads, State, Weights};

#[cfg(test)]
pub(crate) mod tests;
