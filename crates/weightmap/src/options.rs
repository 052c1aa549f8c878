use std::path::PathBuf;

use half::f16;
use run::{OptionError, OptionResult, Shard};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Weight;

/// Formula of the weightmap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "WeightmapMode")]
pub enum Mode {
    /// Distance to the nearest eroded object, in three dimensions.
    #[default]
    #[serde(rename = "border")]
    Border,
    /// Formula of the U-Net paper: the sum of the distances to the two nearest objects, which are the
    /// connected components of each class.
    #[serde(rename = "instances")]
    Instances,
    /// [`Mode::Border`] slice by slice: erosion and distance are two-dimensional.
    #[serde(rename = "2d")]
    TwoD,
}

/// Scope of the class frequencies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WeightmapFrequencies")]
pub enum Frequencies {
    /// Each case separately.
    #[default]
    Case,
    /// All cases together. Every case is read twice.
    Dataset,
}

/// Element type on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WeightmapDtype")]
pub enum Dtype {
    /// Half precision: three significant digits, for storage.
    Float16,
    /// Single precision.
    #[default]
    Float32,
    /// Double precision, as in the fork.
    Float64,
}

impl Dtype {
    fn largest(self) -> f64 {
        match self {
            Self::Float16 => f16::LARGEST,
            Self::Float32 => f32::LARGEST,
            Self::Float64 => f64::LARGEST,
        }
    }
}

/// Options of [`crate::generate`].
#[run::options]
pub struct Options {
    /// Folder of preprocessed cases, such as `…/Task501_X/nnUNetData_plans_v2.1_stage0`.
    #[schemars(length(min = 1))]
    pub folder: PathBuf,
    /// Folder for the weightmaps, created if it is missing. The default is the folder of the cases.
    pub output_dir: Option<PathBuf>,
    /// Pattern of the case files in the folder, with `*`, `?`, `[ab]` and `**`.
    #[default("*.npz".to_owned())]
    #[schemars(length(min = 1))]
    pub matching_pattern: String,
    /// Width of the border term in voxels, or in mm with `spacing`.
    #[default(5.0)]
    #[schemars(range(min = 1e-6, max = 1e6))]
    pub sigma: f64,
    /// Height of the border term.
    #[default(10.0)]
    #[schemars(range(min = 0.0))]
    pub w0: f64,
    /// Labels of objects. The default is the non-zero labels of `../dataset.json`.
    pub classes: Option<Vec<i64>>,
    /// Element type on disk.
    #[default]
    pub dtype: Dtype,
    /// Reproduces DIAG's fork to the last digit, including its errors.
    ///
    /// The documentation of the crate lists the differences.
    #[default]
    pub compat: bool,
    /// Measures distances and sigma in millimetres, with the spacing of each case.
    #[default]
    pub spacing: bool,
    /// Formula of the weight.
    #[default]
    pub mode: Mode,
    /// Scope of the class frequencies.
    #[default]
    pub frequencies: Frequencies,
    /// Part of the cases, `I/N`: this machine works on part I of N, from 1. The frequencies of `dataset` remain those of
    /// all cases.
    pub shard: Option<Shard>,
    /// Keeps existing weightmaps.
    #[default]
    pub skip_existing: bool,
    /// Replaces existing weightmaps, which is the default.
    #[default]
    pub overwrite: bool,
}

impl run::Options for Options {
    fn check(&self) -> OptionResult<()> {
        check_numbers(self.sigma, self.w0, self.dtype.largest())?;
        if self.skip_existing && self.overwrite {
            return Err(OptionError::new(
                "skipExisting",
                "expected one of skipExisting and overwrite, got both",
            ));
        }
        let refused = match self {
            Self { compat: false, .. } => None,
            Self { spacing: true, .. } => Some(("spacing", json!(true))),
            Self {
                mode: mode @ (Mode::Instances | Mode::TwoD),
                ..
            } => Some(("mode", json!(mode))),
            Self {
                frequencies: f @ Frequencies::Dataset,
                ..
            } => Some(("frequencies", json!(f))),
            _ => None,
        };
        match refused {
            Some((name, found)) => {
                let expected = "its default, because compat reproduces the function of DIAG's fork";
                Err(OptionError::expected(name, expected, found))
            }
            None => Ok(()),
        }
    }
}

/// Rejects a width or weight that would give non-finite values. `largest` is the largest weight of the
/// element type.
pub(crate) fn check_numbers(sigma: f64, w0: f64, largest: f64) -> OptionResult<()> {
    // The limits exceed every border; square and inverse are finite.
    if !(1e-6..=1e6).contains(&sigma) {
        return Err(OptionError::expected(
            "sigma",
            "a number from 0.000001 to 1000000",
            sigma,
        ));
    }
    // The weight of a class is at most 1.
    if !(w0 >= 0.0 && w0 + 1.0 <= largest) {
        let expected = "a number of 0 or more that the dtype can hold (float16 ends at 65504)";
        return Err(OptionError::expected("w0", expected, w0));
    }
    Ok(())
}
