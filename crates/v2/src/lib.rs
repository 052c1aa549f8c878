//! nnU-Net v2's models without their network: model folder, plans, preprocessing of a test case, and export.
//!
//! - [`ModelFolder`] finds plans, `dataset.json`, folds and checkpoints of `<trainer>__<plans>__<configuration>`.
//! - [`CheckpointFile`] reads the parameters of a fold.
//! - [`preprocess()`] converts the images of a case to the input of the network, as `DefaultPreprocessor`.
//! - [`Export`] converts the logits of the network to a segmentation on the image's grid, and to probabilities.
//!
//! Arrays are `(z, y, x)` or `(channel, z, y, x)`. Between [`preprocess()`] and [`Export`] the axes are those of the
//! network: axis `i` is axis `transpose_forward[i]` of the image. A 2D configuration works on the planes of axis 0.
//!
//! Reference: nnunetv2 2.8.1.

pub mod architecture;
mod checkpoint_file;
mod dataset_json;
mod error;
mod export;
mod folder;
mod labels;
mod normalise;
mod plans;
mod preprocess;
mod previous;
mod properties;
mod reader;
mod record;
mod resampling;

pub use architecture::{Architecture, ArchitectureError};
pub use checkpoint_file::CheckpointFile;
pub use dataset_json::Dataset;
pub use error::Error;
pub use export::{Export, Exported, Exporting, PROBABILITIES};
pub use folder::{
    copy_descriptions, fold_folder, folds_in, Checkpoint, ModelFolder, DATASET_FILE, PLANS_FILE,
};
pub use labels::Labels;
pub use normalise::Scheme;
pub use plans::{Configuration, IntensityProperties, Plans};
pub use preprocess::{preprocess, preprocess_volumes, Preprocessed, PreviousStage};
pub use properties::Properties;
pub use reader::{FileEnding, Reader};
pub use resampling::{ResampleFunction, ResampleKind};
