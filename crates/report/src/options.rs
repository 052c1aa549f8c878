//! Options of the verb.

use std::path::PathBuf;

use run::{CaseFailure, OptionError, OptionResult, Options};
use schemars::JsonSchema;
use serde::Serialize;

/// Options of [`crate::report`].
#[run::options]
pub struct ReportOptions {
    /// Folders of trained models, folds, tasks or predictions. What a folder is, is found by what it holds.
    ///
    /// Runs of several models are laid over one another. Two models or two folders of predictions with cases in common
    /// are compared, too: differences are second minus first.
    #[schemars(length(min = 1))]
    pub paths: Vec<PathBuf>,
    /// File to write.
    #[default(PathBuf::from("report.html"))]
    pub output: PathBuf,
    /// Folder of reference segmentations of the predictions. The default for a model is where its training keeps them.
    pub reference: Option<PathBuf>,
    /// Folder of the images, such as `imagesTs`. The default is where a preprocessed case says that its image is.
    pub images: Option<PathBuf>,
    /// Cases to look at for each path, the worst first; 0 leaves out all images.
    #[default(20)]
    pub cases: usize,
    /// Largest file in megabytes. Images that do not fit are thinned; the page states it.
    #[default(30.0)]
    #[schemars(range(min = 1.0, max = 2000.0))]
    pub max_size: f64,
    /// Label of references that does not count: unlabelled voxels.
    #[default(volume::UNLABELLED)]
    pub ignore_label: i16,
}

impl Options for ReportOptions {
    fn check(&self) -> OptionResult<()> {
        let mut seen = self.paths.clone();
        seen.sort();
        seen.dedup();
        if seen.len() < self.paths.len() {
            return Err(OptionError::new(
                "paths",
                "a folder is named twice; name each once",
            ));
        }
        Ok(())
    }
}

/// Outcome of [`crate::report`].
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportSummary {
    /// The written file.
    pub output: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// What each path is, in order.
    pub kinds: Vec<PathKind>,
    /// Number of cases with images.
    pub cases: usize,
    /// Number of those whose images were thinned to fit `maxSize`.
    pub thinned: usize,
    /// Cases that could not be read or evaluated, with reasons. The report lacks them.
    pub failures: Vec<CaseFailure>,
}

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PathKind {
    /// A trained model or fold.
    Model,
    /// A raw or preprocessed task.
    Task,
    /// A folder of predictions.
    Predictions,
}
