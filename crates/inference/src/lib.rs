//! Sliding-window prediction with models of nnU-Net v1 and v2. [`Predictor`] maps an image to a softmax or to logits,
//! [`predict`] segments a folder of images. [`LoadedModel`] segments images in memory.

mod cascade;
mod digest;
mod dynamic;
mod error;
mod existing;
mod export;
mod gaussian;
mod in_memory;
mod memory;
mod mirror;
mod model;
mod predict;
mod setup;
mod sums;
mod tiles;
mod window;

pub use digest::Digest;
pub use error::Error;
pub use existing::Existing;
pub use export::{Export, Exporting};
pub use gaussian::importance;
pub use in_memory::{Image, LoadedModel, Segmented};
pub use model::Model;
pub use predict::predict;
pub use settings::{PredictOptions, PredictSummary};
pub use tiles::{tile_corners, tile_starts, Padding};
pub use window::{Planes, Predictor, WindowOptions};
