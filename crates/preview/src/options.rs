//! What to look at.

use std::path::PathBuf;

use loader::Phase;
use recipe::DataOptions;
use run::{OptionError, OptionResult, Options};
use schemars::JsonSchema;
use serde::Serialize;

/// Options of [`crate::preview`].
#[run::options]
pub struct PreviewOptions {
    /// Those of the training that decide what its network sees.
    #[serde(flatten)]
    pub data: DataOptions,
    /// Augmented training batches, or validation batches as they are.
    #[default]
    pub phase: Phase,
    /// Epoch of the batches, counted from 0.
    #[default]
    pub epoch: u64,
    /// Iteration of the first batch within the epoch, counted from 0.
    #[default]
    pub iteration: u64,
    /// Number of batches, of consecutive iterations.
    #[default(1)]
    #[schemars(range(min = 1))]
    pub batches: u64,
    /// Writes `<case>.npy` files as training does, instead of inflating the cases in memory.
    #[default]
    pub unpack: bool,
}

impl Options for PreviewOptions {
    fn check(&self) -> OptionResult<()> {
        self.end().map(|_| ())
    }
}

impl PreviewOptions {
    /// The iteration after the last batch.
    pub(crate) fn end(&self) -> OptionResult<u64> {
        let end = self.iteration.checked_add(self.batches);
        end.ok_or_else(|| OptionError::expected("iteration", "a smaller number", self.iteration))
    }
}

/// Options of the verb `preview`, which draws the batches.
#[run::options]
pub struct PictureOptions {
    /// Those of the batches.
    #[serde(flatten)]
    pub batches: PreviewOptions,
    /// Picture to write, `.svg` or `.png`. An existing one is replaced.
    #[default(PathBuf::from("preview.svg"))]
    #[schemars(regex(pattern = r"\.([sS][vV][gG]|[pP][nN][gG])$"))]
    #[schemars(extend("x-expected" = "a file name that ends in .svg or .png"))]
    pub output: PathBuf,
}

impl Options for PictureOptions {
    fn check(&self) -> OptionResult<()> {
        self.batches.check()
    }
}

/// Outcome of the verb `preview`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PictureSummary {
    /// The picture written.
    pub output: PathBuf,
    /// Whole name of the task.
    pub task: String,
    /// Batches drawn.
    pub batches: u64,
    /// The case of each sample drawn, in order.
    pub cases: Vec<String>,
}
