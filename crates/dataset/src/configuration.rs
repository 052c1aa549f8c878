//! nnU-Net's configurations.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Plans};

/// Name of the plans file of the 3D configurations.
pub const PLANS_3D_FILE: &str = "nnUNetPlansv2.1_plans_3D.pkl";
/// Name of the plans file of the 2D configuration.
pub const PLANS_2D_FILE: &str = "nnUNetPlansv2.1_plans_2D.pkl";
/// Plans identifier in the names of model folders.
pub const PLANS_IDENTIFIER: &str = "nnUNetPlansv2.1";

/// A configuration of nnU-Net.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
pub enum Configuration {
    /// A 2D network on slices.
    #[serde(rename = "2d")]
    TwoD,
    /// Volumes at full resolution.
    #[serde(rename = "3d_fullres")]
    FullRes,
    /// Volumes at low resolution; the first stage of the cascade.
    #[serde(rename = "3d_lowres")]
    LowRes,
    /// Volumes at full resolution, with the segmentation of the low resolution as additional input.
    #[serde(rename = "3d_cascade_fullres")]
    CascadeFullRes,
}

impl Configuration {
    /// All configurations, in nnU-Net's order.
    pub const ALL: [Self; 4] = [Self::TwoD, Self::FullRes, Self::LowRes, Self::CascadeFullRes];

    /// nnU-Net's name of the configuration, which is also the folder name.
    pub fn name(self) -> &'static str {
        match self {
            Self::TwoD => "2d",
            Self::FullRes => "3d_fullres",
            Self::LowRes => "3d_lowres",
            Self::CascadeFullRes => "3d_cascade_fullres",
        }
    }

    /// Returns the name of the plans file in the preprocessed task.
    pub fn plans_file(self) -> &'static str {
        match self {
            Self::TwoD => PLANS_2D_FILE,
            _ => PLANS_3D_FILE,
        }
    }

    /// Returns the stage of the plans for this configuration. With two stages, stage 0 is the low resolution.
    ///
    /// # Errors
    /// [`Error::Option`] if the plans have no low resolution or cascade, because full resolution is small
    /// enough.
    pub fn stage(self, plans: &Plans) -> Result<usize, Error> {
        let last = plans.plans_per_stage.keys().next_back().copied().unwrap_or(0);
        match self {
            Self::TwoD | Self::FullRes => Ok(last),
            Self::LowRes if last > 0 => Ok(0),
            Self::CascadeFullRes if last > 0 => Ok(last),
            _ => {
                let problem = format!(
                    "{self} was not planned: one patch of 3d_fullres covers most of a case; use 3d_fullres"
                );
                Err(run::OptionError::new("configuration", problem).into())
            }
        }
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Configuration {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|c| c.name() == text).ok_or_else(|| {
            let known = "one of 2d, 3d_fullres, 3d_lowres, 3d_cascade_fullres";
            run::OptionError::expected("configuration", known, format!("{text:?}")).into()
        })
    }
}
