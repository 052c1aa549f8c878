//! Options of the verb.

use std::path::PathBuf;

use run::{CaseFailure, OptionError, OptionResult, Options};
use schemars::JsonSchema;
use serde::Serialize;

/// What a page shows: a part of the options of `report` and `watch`.
#[run::options]
pub struct PageOptions {
    /// Folders of trained models, folds, tasks or predictions. What a folder is, is found by what it holds.
    ///
    /// Runs of several models are laid over one another. Two models or two folders of predictions with cases in common
    /// are compared, too: differences are second minus first.
    #[schemars(length(min = 1))]
    pub paths: Vec<PathBuf>,
    /// Folder of reference segmentations of the predictions. The default for a model is where its training keeps them.
    pub reference: Option<PathBuf>,
    /// Folder of the images, such as `imagesTs`. The default is where a preprocessed case says that its image is.
    pub images: Option<PathBuf>,
    /// Cases to look at for each path, the worst first; 0 leaves out all images.
    #[default(20)]
    pub cases: usize,
    /// Largest size of the page in megabytes. Images that do not fit are thinned, and channels that do not fit even then
    /// are left out; the page states it.
    #[default(30.0)]
    #[schemars(range(min = 1.0, max = 2000.0))]
    pub max_size: f64,
    /// Label of references that does not count: unlabelled voxels.
    #[default(volume::UNLABELLED)]
    pub ignore_label: i16,
}

impl Options for PageOptions {
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

/// Options of [`crate::report`].
#[run::options]
pub struct ReportOptions {
    /// What the page shows.
    #[serde(flatten)]
    pub page: PageOptions,
    /// File to write.
    #[default(PathBuf::from("report.html"))]
    pub output: PathBuf,
}

impl Options for ReportOptions {
    fn check(&self) -> OptionResult<()> {
        self.page.check()
    }
}

/// Options of `watch`, which serves the page.
#[run::options]
pub struct WatchOptions {
    /// What the page shows.
    #[serde(flatten)]
    pub page: PageOptions,
    /// Address to listen at. Another one than this machine's own (`127.0.0.1`, `::1`, `localhost`) lets other machines
    /// read the page if they know its token, without encryption; a warning says so.
    #[default("127.0.0.1".to_owned())]
    #[schemars(length(min = 1))]
    pub host: String,
    /// Port to listen at; 0 takes a free one.
    #[default]
    pub port: u16,
    /// Seconds between two looks at the files.
    #[default(1.0)]
    #[schemars(range(min = 0.1, max = 3600.0))]
    pub interval: f64,
    /// Opens the page in the browser of this machine. A failure is a warning.
    #[default]
    pub open: bool,
}

impl Options for WatchOptions {
    fn check(&self) -> OptionResult<()> {
        self.page.check()
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
    /// Number of those that lack some channels of their images, which did not fit `maxSize`.
    pub without_channels: usize,
    /// Cases that could not be read or evaluated, with reasons. The report lacks them, or the channel that could not be
    /// read.
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
