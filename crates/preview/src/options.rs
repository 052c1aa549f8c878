//! Options of a preview.

use std::path::PathBuf;

use loader::Phase;
use recipe::DataOptions;
use run::{OptionError, OptionResult, Options};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Options of [`crate::preview`].
#[run::options]
pub struct PreviewOptions {
    /// Options of the training that determine the network's input.
    #[serde(flatten)]
    pub data: DataOptions,
    /// Augmented training batches, or unaugmented validation batches.
    #[default]
    pub phase: Phase,
    /// Epoch of the batches, counted from 0.
    #[default]
    pub epoch: u64,
    /// Iteration of the first batch within the epoch, counted from 0.
    #[default]
    pub iteration: u64,
    /// Number of consecutive batches.
    #[default(1)]
    #[schemars(range(min = 1))]
    pub batches: u64,
    /// Writes `<case>.npy` files like training, instead of decompressing the cases in memory.
    #[default]
    pub unpack: bool,
}

impl Options for PreviewOptions {
    fn check(&self) -> OptionResult<()> {
        self.data.check()?;
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

/// The side of a picture on which the patient's left is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DisplayConvention {
    /// The patient's left is on the right, as seen from the feet.
    #[default]
    Radiological,
    /// The patient's left is on the left, as seen from the head.
    Neurological,
}

/// Options of the verb `preview`, which draws batches.
#[run::options]
pub struct PictureOptions {
    /// Options of the batches.
    #[serde(flatten)]
    pub batches: PreviewOptions,
    /// Picture to write, `.svg` or `.png`. Replaces an existing file.
    #[default(PathBuf::from("preview.svg"))]
    #[schemars(regex(pattern = r"\.([sS][vV][gG]|[pP][nN][gG])$"))]
    #[schemars(extend("x-expected" = "a file name that ends in .svg or .png"))]
    pub output: PathBuf,
    /// Side of the picture for the patient's left, by the direction in the header of the case.
    #[default]
    pub convention: DisplayConvention,
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
    /// Full name of the task.
    pub task: String,
    /// Number of drawn batches.
    pub batches: u64,
    /// The case of each drawn sample, in order.
    pub cases: Vec<String>,
}
