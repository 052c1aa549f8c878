//! Fingerprint, planning, cropping, resampling and normalisation: from raw data to what training reads.
//!
//! [`plan_experiment`], [`preprocess`] and [`plan_and_preprocess`] read and write nnU-Net v1's folders and files.
//! [`preprocess_test_case`] does the same to one case in memory, for inference.

mod archive;
pub mod case;
mod collect;
pub mod crop;
mod error;
mod files;
pub mod fingerprint;
mod finished;
mod intensity;
mod locations;
pub mod normalise;
mod options;
mod output;
pub mod outside;
pub mod plan;
mod planning;
mod preprocessing;
mod record;
mod session;
mod source;
pub mod stage;
mod statistics;
mod task_cases;
mod test_case;

pub use error::Error;
pub use options::Options;
pub use planning::{plan_experiment, ConfigurationSummary, PlanSummary};
pub use preprocessing::{preprocess, PreprocessSummary};
pub use test_case::{preprocess_case, preprocess_test_case, PreprocessedCase};

use run::Context;
use serde::Serialize;

use session::Session;

/// What was planned and preprocessed.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "PreprocessSummary")]
pub struct PlanAndPreprocessSummary {
    /// The plans.
    pub plan: PlanSummary,
    /// The preprocessed data.
    pub preprocess: PreprocessSummary,
}

/// [`plan_experiment`], then [`preprocess`]: nnU-Net v1's `nnUNet_plan_and_preprocess`. One verb, which starts once; its
/// progress counts the cases of either part under a unit of its own.
///
/// # Errors
/// As those two.
pub fn plan_and_preprocess(options: &Options, context: &Context) -> Result<PlanAndPreprocessSummary, Error> {
    let session = Session::start("preprocess", options, context)?;
    Ok(PlanAndPreprocessSummary {
        plan: planning::plan(&session)?,
        preprocess: preprocessing::preprocess_all(&session)?,
    })
}
