//! Batches as training would see them, without training.
//!
//! [`preview`] opens the very loader that `train` opens for the same options, so that batch (epoch, iteration) is the same
//! to the byte; it needs no libtorch.

mod batches;
mod error;
mod names;
mod options;

pub use batches::{preview, Array, Preview, PreviewBatch};
pub use error::{Error, Result};
pub use options::{PictureOptions, PictureSummary, PreviewOptions};
