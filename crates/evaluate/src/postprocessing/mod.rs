//! Removal of all but the largest connected component, and its selection on validation cases.
//!
//! Source: nnU-Net v1's `nnunet/postprocessing/connected_components.py`.

mod apply;
mod consolidate;
mod determine;
mod largest;
mod rules;
mod v2;
mod verb;

pub use apply::{apply_postprocessing, ApplyPostprocessingOptions, ApplyPostprocessingSummary};
pub use consolidate::{
    consolidate_folds, consolidate_quietly, ConsolidateFoldsOptions, ConsolidateFoldsSummary,
};
pub use determine::{determine_postprocessing, DetermineOptions};
pub use largest::{remove_all_but_largest, Removal};
pub use rules::{read_rules, write_rules, Rules};
pub use verb::{determine, DeterminePostprocessingOptions, DeterminePostprocessingSummary};
