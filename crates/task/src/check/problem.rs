//! Problems found by the integrity check.

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
    /// The name of a channel looks like CT, but nnU-Net normalises only `CT` and `ct` as CT.
    ChannelName,
    /// The labels of `dataset.json` have no background 0, or are not consecutive.
    Labels,
    /// A training or test case is listed more than once.
    ListedTwice,
    /// Image and label of an entry have different names.
    NameMismatch,
    /// A file in an image folder does not end in `_XXXX`, has an extension in upper case or of another format, is a
    /// folder, or is a link to nothing.
    FileName,
    /// A volume exists as `.nii` and as `.nii.gz`.
    TwoFiles,
    /// The name of a case is misunderstood: `dataset.json` lists an image with its channel number, the case has the
    /// name of another case's weightmap, or the name of another case but for upper and lower case.
    CaseName,
    /// `dataset.json` does not list the case of an image or label file.
    NotListed,
    /// The file of a channel is missing for a case.
    ChannelMissing,
    /// A case has a channel that is not in `dataset.json`.
    ChannelUnexpected,
    /// A case has an image but no label.
    LabelMissing,
    /// A case has a label but no image.
    ImageMissing,
    /// A file cannot be read. The details contain the error code.
    Unreadable,
    /// A file contains several volumes.
    SeveralVolumes,
    /// The header of a file contradicts itself, so that programs disagree about the spacing or the position.
    Header,
    /// The size of a file differs from that of the case's first channel.
    Size,
    /// The spacing, origin or direction of a file differs from that of the case's first channel. The difference is
    /// harmless if no voxel is displaced by more than half a voxel.
    Geometry,
    /// An image contains NaN or infinity.
    NotFinite,
    /// Every voxel of an image is 0. nnU-Net cannot crop it.
    AllZero,
    /// Every voxel of an image has the same value, so that it says nothing.
    Constant,
    /// The foreground of a CT channel has one single intensity in all cases. nnU-Net divides by its deviation.
    NoSpread,
    /// Labelled voxels lie outside the box around the non-zero voxels, and cropping takes them away.
    LabelsCropped,
    /// A label file contains values that `dataset.json` does not list.
    UnlistedLabel,
    /// No case has voxels of a label that `dataset.json` lists.
    AbsentLabel,
    /// All voxels of a label file are -1 (unlabelled).
    NoAnnotation,
}

/// A problem of a task.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CheckProblem")]
pub struct Problem {
    /// Kind of the problem.
    pub kind: ProblemKind,
    /// The affected case, if any.
    pub case: Option<String>,
    /// The affected file, if any.
    pub file: Option<PathBuf>,
    /// Description: found value, expected value, and what to do.
    pub message: String,
    /// Values in the message.
    pub details: Json,
    /// Whether this run repaired the problem.
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
