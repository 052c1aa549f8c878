//! Trained models as zip files, as nnU-Net v1 exports and installs them.
//!
//! Source: `nnunet.inference.pretrained_models`. Names in the zip are relative to `RESULTS_FOLDER/nnUNet`.

mod archive;
mod error;
mod export;
mod install;
mod layout;
mod members;
mod meter;
mod names;

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
