//! Reports: trained models, tasks and predictions as one HTML file, or as data for a live page.
//!
//! [`report`] finds what each path is by what it holds, collects the data that the page needs ([`data`]), cuts
//! out the images of the worst cases as compressed bytes, and fills them into the page.
//! [`Source`] gives the same data of a run that is being trained.

mod collect;
mod curves;
pub mod data;
mod error;
mod find;
mod grid;
mod images;
mod jobs;
mod measured;
mod model;
mod names;
mod options;
mod page;
mod predictions;
mod scores;
mod section;
mod source;
mod task_data;
mod verb;
mod view;

pub use error::{Error, Result};
pub use options::{PageOptions, PathKind, ReportOptions, ReportSummary, WatchOptions};
pub use page::TEMPLATE;
pub use source::{prepare, Prepared, Source};
pub use verb::report;
