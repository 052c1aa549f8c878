//! Names of trainers.

use std::fmt;
use std::str::FromStr;

use run::OptionError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name of a trainer of nnU-Net v1 or DIAG's fork, a preset of the recipe. The model folder has this name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Trainer {
    /// nnU-Net v1's standard trainer: oversampled foreground, cross-entropy + Dice.
    #[default]
    #[serde(rename = "nnUNetTrainerV2")]
    V2,
    /// Sparse annotations: patches centred on annotated voxels, -1 ignored.
    #[serde(rename = "nnUNetTrainerV2Sparse")]
    Sparse,
    /// Sparse annotations with nnU-Net's sampling, -1 ignored.
    #[serde(rename = "nnUNetTrainerV2SparseNormalSampling")]
    SparseNormalSampling,
    /// Voxel weightmaps: cross-entropy weighted with `<case>_weightmap.npy`.
    #[serde(rename = "nnUNetTrainerV2Weighted")]
    Weighted,
    /// Class-weighted cross-entropy + class-weighted Dice. Requires class weights.
    #[serde(rename = "nnUNetTrainer_V2_Loss_CEandDice_Weighted")]
    ClassWeighted,
}

impl Trainer {
    /// All trainers.
    pub const ALL: [Self; 5] = [
        Self::V2,
        Self::Sparse,
        Self::SparseNormalSampling,
        Self::Weighted,
        Self::ClassWeighted,
    ];

    /// The name of its Python class.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V2 => "nnUNetTrainerV2",
            Self::Sparse => "nnUNetTrainerV2Sparse",
            Self::SparseNormalSampling => "nnUNetTrainerV2SparseNormalSampling",
            Self::Weighted => "nnUNetTrainerV2Weighted",
            Self::ClassWeighted => "nnUNetTrainer_V2_Loss_CEandDice_Weighted",
        }
    }
}

impl fmt::Display for Trainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Trainer {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Self, OptionError> {
        Self::ALL.into_iter().find(|t| t.name() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            OptionError::expected("trainer", format!("one of {known}"), format!("{text:?}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_equal_the_json_values() {
        for trainer in Trainer::ALL {
            assert_eq!(serde_json::to_value(trainer).unwrap(), trainer.name());
            assert_eq!(trainer.name().parse::<Trainer>().unwrap(), trainer);
        }
    }
}
