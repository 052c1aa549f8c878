use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Error;

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
    /// Width of the border in voxels, or in mm with `spacing`.
    pub sigma: f64,
    /// Weight added at a border.
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
        check_numbers(self.sigma, self.w0)?;
        let fork = |name, found: &dyn std::fmt::Debug| {
            let found = format!("{found:?}");
            Err(Error::Option {
                name,
                found,
                expected: "its default: with `compat` the fork's function is reproduced",
            })
        };
        match self {
            Self {
                compat: true,
                spacing: true,
                ..
            } => fork("spacing", &true),
            Self {
                compat: true,
                mode: mode @ (Mode::Instances | Mode::TwoD),
                ..
            } => fork("mode", mode),
            Self {
                compat: true,
                frequencies: f @ Frequencies::Dataset,
                ..
            } => fork("frequencies", f),
            _ => Ok(()),
        }
    }
}

/// Refuses a width or weight that is not a usable number.
pub(crate) fn check_numbers(sigma: f64, w0: f64) -> Result<(), Error> {
    if !(sigma.is_finite() && sigma > 0.0) {
        return Err(Error::Option {
            name: "sigma",
            found: sigma.to_string(),
            expected: "a positive finite number",
        });
    }
    if !(w0.is_finite() && w0 >= 0.0) {
        return Err(Error::Option {
            name: "w0",
            found: w0.to_string(),
            expected: "a finite number of 0 or more",
        });
    }
    Ok(())
}
