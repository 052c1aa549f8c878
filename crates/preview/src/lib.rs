//! Preview of training batches.
//!
//! [`preview`] uses the same loader as `train` for the same options, so batch (epoch, iteration) is
//! byte-identical. It does not need libtorch.

mod batches;
mod directions;
mod error;
mod names;
mod options;

pub use batches::{preview, Array, Preview, PreviewBatch};
pub use error::{Error, Result};
pub use options::{DisplayConvention, PictureOptions, PictureSummary, PreviewOptions};
