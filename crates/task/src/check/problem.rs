//! What the integrity check can find.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

/// Kind of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ProblemKind {
    /// The channels of `dataset.json` are not numbered 0, 1, 2, ...
    Modalities,
    /// The labels of `dataset.json` have no background 0, or a gap.
    Labels,
    /// A training or test case is listed more than once.
    ListedTwice,
    /// Image and label of an entry have different names.
    NameMismatch,
    /// A file in an image folder does not end in `_XXXX`.
    FileName,
    /// Image or label files of a case that `dataset.json` does not list.
    NotListed,
    /// A case lacks the file of a channel.
    ChannelMissing,
    /// A case has a channel that `dataset.json` does not know.
    ChannelUnexpected,
    /// A case has an image but no label.
    LabelMissing,
    /// A case has a label but no image.
    ImageMissing,
    /// A file cannot be read; its error's code is in the details.
    Unreadable,
    /// A file holds several volumes.
    SeveralVolumes,
    /// A file has another size than the case's first channel.
    Size,
    /// A file has another spacing, origin or direction than the case's first channel.
    Geometry,
    /// An image holds NaN or infinity.
    NotFinite,
    /// A label file holds values that `dataset.json` does not list.
    UnlistedLabel,
    /// All voxels of a label file are -1, unlabelled.
    NoAnnotation,
}

/// One thing that is wrong with a task.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CheckProblem")]
pub struct Problem {
    /// What kind of thing.
    pub kind: ProblemKind,
    /// The case, where there is one.
    pub case: Option<String>,
    /// The file, where there is one.
    pub file: Option<PathBuf>,
    /// What was found, what was expected, what to do.
    pub message: String,
    /// The values behind the message.
    pub details: Json,
    /// Whether it was repaired in this run.
    pub fixed: bool,
}

impl Problem {
    pub(super) fn new(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            case: None,
            file: None,
            message: message.into(),
            details: Json::Null,
            fixed: false,
        }
    }

    pub(super) fn of_case(mut self, case: &str) -> Self {
        self.case = Some(case.to_owned());
        self
    }

    pub(super) fn in_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }

    pub(super) fn with(mut self, details: Json) -> Self {
        self.details = details;
        self
    }
}
