//! Trained models as zip files, as nnU-Net v1 and v2 export and install them.
//!
//! Sources: `nnunet.inference.pretrained_models`, `nnunetv2.model_sharing`. Names in the zip are relative to
//! `RESULTS_FOLDER/nnUNet`, or to `nnUNet_results` of v2.

mod archive;
mod error;
mod export;
mod install;
mod layout;
mod members;
mod meter;
mod names;
mod v2_model;

pub use error::Error;
pub use export::{export_model, ExportModelOptions, ExportModelSummary, ExportedModel};
pub use install::{install_model, InstallModelOptions, InstallModelSummary, InstalledFolder};

/// Bytes that are read and written at a time.
const PIECE: usize = 1 << 20;
/// Largest pickle that is read whole. The plans of thousands of cases have some megabytes.
const LARGEST_PICKLE: u64 = 256 << 20;

/// Checks a pickle with the restricted reader, which runs nothing and accepts only values. Whether they are plans that
/// this version knows, `predict` says.
fn check_pickle(bytes: &[u8]) -> Result<(), pickle::Error> {
    pickle::read(bytes, &pickle::Limits::default()).map(|_| ())
}
