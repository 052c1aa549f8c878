//! Comparison of segmentations with references: metrics, and postprocessing that keeps the largest component.
//!
//! Files and numbers equal those of nnU-Net v1 (`nnunet/evaluation`, `nnunet/postprocessing`).

mod annotation;
mod compare;
mod error;
mod folder;
mod hausdorff;
mod labels;
mod mean;
pub mod measure;
mod metrics;
mod part;
pub mod postprocessing;
mod region;
mod report;
mod scores;
pub mod statistics;
mod summary;
mod summary_v2;

pub use annotation::Annotation;
pub use compare::{compare_folders, paired_tests, CompareOptions, CompareSummary, PairedTest};
pub use error::Error;
pub use folder::{
    evaluate_folder, evaluate_quietly, measure_folder, EvaluateOptions, EvaluateSummary, Measured,
};
pub use hausdorff::hausdorff_95;
pub use mean::{nanmean, quantile};
pub use metrics::{evaluate, MetricOptions};
pub use region::Region;
pub use report::{MetricStatistics, Report};
pub use scores::Scores;
pub use summary::{read_summary, write_summary, CaseScores, Results, Summary};
pub use summary_v2::SummaryFormat;
