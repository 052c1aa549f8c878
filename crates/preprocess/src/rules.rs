//! Rules for reading a case.

use dataset::{NonFinite, Plans};
use pickle::Value;
use serde::{Deserialize, Serialize};

use crate::crop::Unlabelled;

/// Key of a record of cases that were not cropped. nnU-Net v1 ignores it.
pub(crate) const CROP: &str = "crop";

/// Region of an image that preprocessing keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Crop {
    /// The box around the voxels that are not 0, as in nnU-Net v1. Labelled voxels outside it are lost, with a
    /// warning.
    #[default]
    Nonzero,
    /// The whole image. The plans record it, so that inference does the same.
    None,
}

impl Crop {
    /// Returns the rule of a task's plans.
    pub fn of_plans(plans: &Plans) -> Self {
        Self::of(plans.dataset_properties.get(CROP))
    }

    pub(crate) fn of(recorded: Option<&Value>) -> Self {
        match recorded.and_then(Value::as_str) {
            Some("none") => Self::None,
            _ => Self::Nonzero,
        }
    }

    /// Returns the value to record, if any: files of the default rule equal those of nnU-Net v1.
    pub(crate) fn record(self) -> Option<&'static str> {
        (self == Self::None).then_some("none")
    }
}

/// Rules for reading a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadRules {
    /// Meaning of -1 in labels.
    pub unlabelled: Unlabelled,
    /// Kept region.
    pub crop: Crop,
    /// Treatment of voxels that are not finite.
    pub nonfinite: NonFinite,
}

/// Something about a case that its user should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Code of the warning.
    pub code: &'static str,
    /// What was found, and what to do.
    pub message: String,
}
