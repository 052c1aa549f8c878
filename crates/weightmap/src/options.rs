use std::path::PathBuf;

use half::f16;
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};

use crate::{Error, Weight};

/// Which formula makes the map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Distance to the nearest eroded object, in three dimensions.
    #[default]
    #[serde(rename = "border")]
    Border,
    /// The U-Net paper's own: the sum of the distances to the two nearest objects, which are the connected components of
    /// each class.
    #[serde(rename = "instances")]
    Instances,
    /// [`Mode::Border`] slice by slice: erosion and distance stay in the plane.
    #[serde(rename = "2d")]
    TwoD,
}

/// What the class frequencies are counted over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Frequencies {
    /// Each case alone.
    #[default]
    Case,
    /// All cases together; reads every case twice.
    Dataset,
}

/// What to do where a weightmap exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Existing {
    /// Replace it, in one step.
    #[default]
    Overwrite,
    /// Leave it and count the case as skipped.
    Skip,
}

/// Element type on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Dtype {
    /// Half precision: three significant digits, for storage.
    Float16,
    /// Single precision.
    #[default]
    Float32,
    /// Double precision, as the fork writes.
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
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Options {
    /// Folder of preprocessed cases (`<case>.npz` or `.npy`, channels first).
    pub folder: PathBuf,
    /// Where the maps go; beside each case when absent. Created if need be.
    pub output_dir: Option<PathBuf>,
    /// Which files of the folder are cases: `*`, `?`, `[ab]` and `**`.
    pub matching_pattern: String,
    /// Width of the border in voxels, or in mm with `spacing`; from 1e-6 to 1e6.
    pub sigma: f64,
    /// Weight added at a border; 0 or more, and what `dtype` can hold.
    pub w0: f64,
    /// Labels whose borders count; the non-zero labels of `../dataset.json` when absent or empty.
    pub classes: Option<Vec<i64>>,
    /// Element type of the maps.
    pub dtype: Dtype,
    /// Reproduce the fork's results where they are wrong; see the crate's table.
    pub compat: bool,
    /// Measure in mm, by the spacing in each case's `.pkl`.
    pub spacing: bool,
    /// The formula.
    pub mode: Mode,
    /// What class frequencies are counted over.
    pub frequencies: Frequencies,
    /// What to do with maps that exist.
    pub existing: Existing,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            folder: PathBuf::new(),
            output_dir: None,
            matching_pattern: "*.npz".to_owned(),
            sigma: 5.0,
            w0: 10.0,
            classes: None,
            dtype: Dtype::default(),
            compat: false,
            spacing: false,
            mode: Mode::default(),
            frequencies: Frequencies::default(),
            existing: Existing::default(),
        }
    }
}

impl Options {
    /// Refuses values that no map can be made with, and what contradicts `compat`.
    pub(crate) fn check(&self) -> Result<(), Error> {
        check_numbers(self.sigma, self.w0, self.dtype.largest())?;
        let fork = |name, found: Value| {
            Err(Error::Option {
                name,
                found: found.to_string(),
                expected: "its default: with `compat` the fork's function is reproduced",
            })
        };
        match self {
            Self {
                compat: true,
                spacing: true,
                ..
            } => fork("spacing", json!(true)),
            Self {
                compat: true,
                mode: mode @ (Mode::Instances | Mode::TwoD),
                ..
            } => fork("mode", json!(mode)),
            Self {
                compat: true,
                frequencies: f @ Frequencies::Dataset,
                ..
            } => fork("frequencies", json!(f)),
            _ => Ok(()),
        }
    }
}

/// Refuses a width or weight with which a map would not be numbers; `largest` is the largest weight that can be written.
pub(crate) fn check_numbers(sigma: f64, w0: f64, largest: f64) -> Result<(), Error> {
    // Far beyond any border; its square and its inverse are finite.
    if !(1e-6..=1e6).contains(&sigma) {
        return Err(Error::Option {
            name: "sigma",
            found: format!("{sigma:?}"),
            expected: "a number from 0.000001 to 1000000",
        });
    }
    // The weight of the class is at most 1.
    if !(w0 >= 0.0 && w0 + 1.0 <= largest) {
        return Err(Error::Option {
            name: "w0",
            found: format!("{w0:?}"),
            expected: "a number of 0 or more that the dtype can hold (float16 ends at 65504)",
        });
    }
    Ok(())
}
