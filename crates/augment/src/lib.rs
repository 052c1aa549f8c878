//! Spatial and intensity transforms of image, segmentation and weightmap: the augmentation chain of
//! `nnUNetTrainerV2` in 3D, anisotropic 3D ("dummy 2D") and 2D, with DIAG's sparse annotations and voxel
//! weights.
//!
//! Every transform is first drawn, as plain [`Params`], and then applied. Applying is pure: the result
//! depends only on the sample and the drawn parameters. Draws come from a counter-based generator
//! ([`random::Rng`]) keyed by purpose.
//!
//! Arrays are (channel, z, y, x) in C order; 2D has z = 1. One thread processes one sample.
//!
//! ```
//! use augment::{Block, Params, Pipeline, PipelineOptions, Sample, Workspace};
//! use random::{Purpose, Rng};
//!
//! let options = PipelineOptions::new(&[16, 16, 16], 1);
//! let chain = Pipeline::training(&options)?;
//! let [z, y, x] = options.initial_patch_size()[..] else { unreachable!() };
//! let sample = Sample::whole(Block::new([1, z, y, x]), Block::new([1, z, y, x]), None);
//! let mut params = Params::default();
//! chain.draw(&mut Rng::keyed(12345, Purpose::TrainingTransform, 0, 0, 0), &mut params);
//! let mut out = chain.destination();
//! chain.apply(&params, None, &sample, &mut Workspace::default(), &mut out)?;
//! assert_eq!(out.data.len(), 16 * 16 * 16);
//! # Ok::<(), augment::Error>(())
//! ```

mod buffer;
pub mod cascade;
mod error;
mod field;
mod grid;
pub mod intensity;
mod math;
pub mod mirror;
mod options;
mod patch_size;
mod pipeline;
mod reference;
mod sample;
mod separable;
mod simd;
pub mod spatial;
mod spline;
mod supervision;

pub use error::Error;
pub use options::{PipelineOptions, Strength};
pub use patch_size::initial_patch_size;
pub use pipeline::{Params, Pipeline, Workspace};
pub use sample::{Augmented, Block, Destination, Sample};
pub use spatial::{apply_spatial, LabelRule, SpatialParams, SpatialRules};
