//! nnU-Net's folders and records: raw tasks, plans, case properties, splits, results.
//!
//! This crate reads and writes the files of nnU-Net v1, so that either program can continue the work of the
//! other at any step. Arrays are (z, y, x). Spacings are (z, y, x) in millimetres unless the name contains
//! `itk`.

mod configuration;
mod dataset_json;
mod error;
pub mod files;
mod folders;
mod nonfinite;
mod pickled;
mod plans;
mod properties;
pub mod results;
mod same_plans;
pub mod splits;
mod stage_cases;
mod stage_plan;
mod task;
pub mod text;
mod trainers;

pub use configuration::{Configuration, PLANS_2D_FILE, PLANS_3D_FILE, PLANS_IDENTIFIER};
pub use dataset_json::{case_of, DatasetJson, TrainingCase};
pub use error::Error;
pub use folders::{Folders, PREPROCESSED_VARIABLE, RAW_VARIABLE, RESULTS_VARIABLE};
pub use nonfinite::{is_usable, NonFinite};
pub use plans::Plans;
pub use properties::CaseProperties;
pub use splits::Fold;
pub use stage_cases::{preprocessed_cases, stage_cases};
pub use stage_plan::StagePlan;
pub use task::Task;
pub use trainers::{trains_second_stage, trains_with_mirroring};
