//! Intensity transforms, in the order of nnU-Net v1's chain.

pub mod blur;
pub mod factor;
pub mod gamma;
pub mod low_resolution;
pub mod noise;
pub(crate) mod statistics;
