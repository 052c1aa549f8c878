//! Ensembles of models: the mean of their softmax, from the files that prediction writes.
//!
//! Files and numbers equal those of nnU-Net v1 (`nnunet/inference/ensemble_predictions.py`) and, for the probabilities of
//! its models, v2 (`nnunetv2/ensembling/ensemble.py`).

mod best;
mod error;
mod member;
mod merge;
mod probabilities;
mod verb;

pub use best::{
    find_best_configuration, Candidate, FindBestConfigurationOptions, FindBestConfigurationSummary,
};
pub use error::Error;
pub use merge::{merge, Merged};
pub use verb::{ensemble, memory_of_cases, EnsembleOptions, EnsembleSummary};
