//! Fingerprint, planning, cropping, resampling and normalisation: from raw data to training data.
//!
//! [`plan_experiment`], [`preprocess`] and [`plan_and_preprocess`] read and write nnU-Net v1's folders and
//! files. [`preprocess_test_case`] preprocesses one case in memory, for inference.

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
mod memory;
pub mod normalise;
mod options;
mod output;
pub mod outside;
pub mod plan;
mod planning;
mod preprocessing;
mod record;
mod rules;
mod session;
mod source;
pub mod stage;
mod statistics;
mod task_cases;
mod test_case;

pub use error::Error;
pub use memory::{memory_of_cases, CaseMemory};
pub use options::Options;
pub use planning::{plan_experiment, ConfigurationSummary, PlanSummary};
pub use preprocessing::{preprocess, PreprocessSummary};
pub use rules::{Crop, Notice, ReadRules};
pub use statistics::mean_and_deviation;
pub use test_case::{preprocess_case, preprocess_image, preprocess_test_case, PreprocessedCase};

use run::Context;
use serde::Serialize;

use session::Session;

/// Result of planning and preprocessing.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "PreprocessSummary")]
pub struct PlanAndPreprocessSummary {
    /// Result of planning; null with `shard`, which takes existing plans.
    pub plan: Option<PlanSummary>,
    /// Result of preprocessing.
    pub preprocess: PreprocessSummary,
}

/// Runs [`plan_experiment`], then [`preprocess`], as nnU-Net v1's `nnUNet_plan_and_preprocess`. The start
/// event is emitted once. Progress counts the cases of each part with its own unit.
///
/// Plans need every case. With `shard`, the plans of the task are taken, and only the cases of the part are preprocessed.
///
/// # Errors
/// As [`plan_experiment`] and [`preprocess`]. [`Error::Option`] for an option of the plans with `shard`.
pub fn plan_and_preprocess(options: &Options, context: &Context) -> Result<PlanAndPreprocessSummary, Error> {
    if options.shard.is_some() {
        options.refuse_planning()?;
    }
    let session = Session::start("preprocess", options, context)?;
    let plan = match options.shard {
        Some(_) => None,
        None => Some(planning::plan(&session)?),
    };
    Ok(PlanAndPreprocessSummary {
        plan,
        preprocess: preprocessing::preprocess_all(&session)?,
    })
}
