//! Options of the simulation.

use dataset::Folders;
use run::{OptionError, OptionResult, Options};
use serde::{Deserialize, Serialize};

/// What is annotated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SparsePattern")]
pub enum Pattern {
    /// Whole slices.
    #[default]
    Slices,
    /// Thin lines inside each class and the background.
    Scribbles,
    /// Single voxels of each class.
    Voxels,
}

/// An axis of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SparseAxis")]
pub enum SliceAxis {
    /// The last axis of the file: axial slices of most images.
    Z,
    /// The second axis of the file.
    Y,
    /// The first axis of the file.
    X,
}

impl SliceAxis {
    /// Its index in arrays (z, y, x).
    pub(super) fn index(self) -> usize {
        self as usize
    }
}

/// Options of `simulate_sparse`.
#[run::options]
pub struct SimulateSparseOptions {
    /// Number, `TaskXXX_NAME` or folder of a raw task with dense labels.
    #[schemars(length(min = 1))]
    pub task: String,
    /// Name of the new task, such as `Task602_IcbmSparse`. Its number must be free.
    #[schemars(length(min = 1))]
    pub name: String,
    /// What is annotated: whole slices, scribbles in slices, or single voxels.
    #[default]
    pub pattern: Pattern,
    /// Share of the voxels of a case to annotate, above 0 and at most 1. Scribbles and voxels take this share
    /// of each class, at least one voxel.
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub share: Option<f64>,
    /// Slices of a case to annotate across each of `axes`, instead of `share`. More are annotated where a
    /// class would have no voxel.
    #[schemars(range(min = 1))]
    pub slices: Option<u32>,
    /// Axes across which slices and scribbles lie.
    #[default(vec![SliceAxis::Z])]
    #[schemars(length(min = 1, max = 3))]
    pub axes: Vec<SliceAxis>,
    /// Seed. The voxels depend on it and on the name of the case.
    #[default]
    pub seed: u64,
    /// nnU-Net's folders.
    #[default]
    #[serde(flatten)]
    pub folders: Folders,
}

impl Options for SimulateSparseOptions {
    fn check(&self) -> OptionResult<()> {
        match (self.pattern, self.share, self.slices) {
            (Pattern::Slices, Some(_), Some(_)) => Err(OptionError::new(
                "slices",
                "give either slices or share, not both",
            )),
            (Pattern::Slices, None, None) => Err(OptionError::new("slices", "give slices or share")),
            (Pattern::Scribbles | Pattern::Voxels, _, Some(_)) => Err(OptionError::new(
                "slices",
                "belongs to the pattern slices; give share for scribbles and voxels",
            )),
            (Pattern::Scribbles | Pattern::Voxels, None, _) => {
                Err(OptionError::new("share", "give the share of voxels to annotate"))
            }
            _ => Ok(()),
        }?;
        let repeated = (1..self.axes.len()).any(|i| self.axes[..i].contains(&self.axes[i]));
        if repeated {
            return Err(OptionError::new("axes", "names an axis twice"));
        }
        Ok(())
    }
}
