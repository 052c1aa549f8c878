//! Trainers as values: independent choices instead of a subclass each.

use run::OptionError;
use sampling::{Annotated, Sampling};
use serde::{Deserialize, Serialize};

use crate::Result;

/// How the loss is put together. Class weights have one value for each class, background first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct LossRecipe {
    /// Weight of the cross-entropy.
    pub cross_entropy: f64,
    /// Weight of the soft Dice term.
    pub dice: f64,
    /// Class weights of the cross-entropy: a voxel counts as much as its label's class.
    pub cross_entropy_class_weights: Option<Vec<f64>>,
    /// Class weights of Dice: its mean over foreground classes becomes a weighted mean.
    pub dice_class_weights: Option<Vec<f64>>,
    /// Take -log(Dice) instead of -Dice.
    pub log_dice: bool,
    /// Added to numerator and denominator of Dice.
    pub smooth: f64,
    /// Ignored voxels count as background in the cross-entropy, as in the fork's class-weighted loss.
    pub ignored_is_background: bool,
}

impl Default for LossRecipe {
    fn default() -> Self {
        Self {
            cross_entropy: 1.0,
            dice: 1.0,
            cross_entropy_class_weights: None,
            dice_class_weights: None,
            log_dice: false,
            smooth: 1e-5,
            ignored_is_background: false,
        }
    }
}

/// How training patches are transformed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Augmentation {
    /// Does as nnU-Net v1 and DIAG's fork do where they are wrong, for comparison with their results; see
    /// [`augment::PipelineOptions::reference_rules`].
    pub reference_rules: bool,
}

/// A trainer: what patches it sees, which voxels count how much, and what it minimises.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Recipe {
    /// Where training patches lie: anywhere with a third of each batch forced onto foreground (nnU-Net v1), or around
    /// voxels that the user labelled, background included (DIAG's sparse trainer).
    pub sampling: Sampling,
    /// Label excluded from loss and metrics; nnU-Net's unlabelled voxels are -1.
    pub ignore_label: Option<i64>,
    /// Whether to read `<case>_weightmap.npy` and weight the voxels of the cross-entropy with it.
    pub voxel_weights: bool,
    /// How patches are transformed.
    pub augmentation: Augmentation,
    /// What is minimised.
    pub loss: LossRecipe,
}

/// Names of the presets: nnU-Net v1's standard trainer and DIAG's own.
pub const TRAINERS: [&str; 5] = [
    "nnUNetTrainerV2",
    "nnUNetTrainerV2Sparse",
    "nnUNetTrainerV2SparseNormalSampling",
    "nnUNetTrainerV2Weighted",
    "nnUNetTrainer_V2_Loss_CEandDice_Weighted",
];

impl Recipe {
    /// The recipe of a trainer known by name. That of the class-weighted trainer still needs its class weights.
    ///
    /// # Errors
    /// [`crate::Error::Option`] for any other name.
    pub fn preset(trainer: &str) -> Result<Self> {
        let sparse = Self {
            ignore_label: Some(-1),
            ..Self::default()
        };
        Ok(match trainer {
            "nnUNetTrainerV2" | "nnUNetTrainer_V2_Loss_CEandDice_Weighted" => Self::default(),
            "nnUNetTrainerV2Sparse" => Self {
                sampling: Sampling::Annotated(Annotated::default()),
                ..sparse
            },
            "nnUNetTrainerV2SparseNormalSampling" => sparse,
            "nnUNetTrainerV2Weighted" => Self {
                voxel_weights: true,
                loss: LossRecipe {
                    dice: 0.0,
                    ..LossRecipe::default()
                },
                ..Self::default()
            },
            _ => {
                let known = format!("one of {}", TRAINERS.join(", "));
                return Err(OptionError::expected("trainer", known, trainer).into());
            }
        })
    }

    /// Checks the recipe against a number of classes, background included.
    ///
    /// # Errors
    /// [`crate::Error::Option`] naming the field.
    pub fn validate(&self, trainer: &str, classes: usize) -> Result<()> {
        let loss = &self.loss;
        let refuse = |option: &str, problem: String| Err(OptionError::new(option, problem).into());
        let weights = [
            (
                "recipe.loss.crossEntropyClassWeights",
                &loss.cross_entropy_class_weights,
            ),
            ("recipe.loss.diceClassWeights", &loss.dice_class_weights),
        ];
        for (option, values) in weights {
            let Some(values) = values else { continue };
            if values.len() != classes || values.iter().any(|w| !w.is_finite() || *w < 0.0) {
                let problem =
                    format!("expected {classes} weights of at least 0 (background first), got {values:?}");
                return refuse(option, problem);
            }
        }
        let weighted = loss.cross_entropy_class_weights.is_some() || loss.dice_class_weights.is_some();
        if trainer == "nnUNetTrainer_V2_Loss_CEandDice_Weighted" && !weighted {
            let problem =
                format!("{trainer} needs one weight for each of {classes} classes, background first");
            return refuse("classWeights", problem);
        }
        if [loss.cross_entropy, loss.dice]
            .iter()
            .any(|w| !w.is_finite() || *w < 0.0)
            || loss.cross_entropy + loss.dice == 0.0
        {
            let problem = format!(
                "expected weights of at least 0 for cross-entropy and Dice, not both 0, got {} and {}",
                loss.cross_entropy, loss.dice
            );
            return refuse("recipe.loss", problem);
        }
        if !loss.smooth.is_finite() || loss.smooth <= 0.0 {
            return refuse(
                "recipe.loss.smooth",
                format!("expected a positive number, got {}", loss.smooth),
            );
        }
        self.validate_data()
    }

    /// Checks what decides the data alone, whatever is minimised.
    pub(crate) fn validate_data(&self) -> Result<()> {
        if let Some(label) = self
            .ignore_label
            .filter(|&label| label != i64::from(sampling::UNLABELLED))
        {
            let problem =
                format!("expected -1, the label of unlabelled voxels in preprocessed data, got {label}");
            return Err(OptionError::new("recipe.ignoreLabel", problem).into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_those_of_the_table() {
        let preset = |name| Recipe::preset(name).expect("a preset");
        let v2 = preset("nnUNetTrainerV2");
        assert_eq!(
            (v2.sampling, v2.ignore_label, v2.voxel_weights),
            (Sampling::default(), None, false)
        );
        assert_eq!((v2.loss.cross_entropy, v2.loss.dice), (1.0, 1.0));
        let sparse = preset("nnUNetTrainerV2Sparse");
        assert_eq!(
            (sparse.sampling, sparse.ignore_label),
            (Sampling::Annotated(Annotated::default()), Some(-1))
        );
        let normal = preset("nnUNetTrainerV2SparseNormalSampling");
        assert_eq!(
            (normal.sampling, normal.ignore_label),
            (Sampling::default(), Some(-1))
        );
        let weighted = preset("nnUNetTrainerV2Weighted");
        assert_eq!((weighted.voxel_weights, weighted.loss.dice), (true, 0.0));
        let error = Recipe::preset("nnUNetTrainerV3").expect_err("no such trainer");
        assert!(error.to_string().contains("nnUNetTrainerV2Sparse"), "{error}");
    }

    #[test]
    fn wrong_weights_are_named() {
        let name = "nnUNetTrainer_V2_Loss_CEandDice_Weighted";
        let mut recipe = Recipe::preset(name).expect("a preset");
        assert!(recipe.validate(name, 3).is_err(), "needs class weights");
        recipe.loss.dice_class_weights = Some(vec![1.0, 2.0]);
        assert!(recipe
            .validate(name, 3)
            .expect_err("two of three")
            .to_string()
            .contains("diceClassWeights"));
        recipe.loss.dice_class_weights = Some(vec![1.0, 2.0, 0.5]);
        assert!(recipe.validate(name, 3).is_ok());
        recipe.loss.dice = f64::NAN;
        assert!(recipe.validate(name, 3).is_err());
    }

    #[test]
    fn json_is_camel_case_and_partial() {
        let recipe: Recipe = serde_json::from_str(
            r#"{"sampling":{"kind":"annotated"},"ignoreLabel":-1,"recipe.loss":{"dice":0.5}}"#,
        )
        .expect("a recipe");
        assert!(recipe.sampling.annotated().is_some());
        assert_eq!((recipe.loss.dice, recipe.loss.cross_entropy), (0.5, 1.0));
        assert!(serde_json::from_str::<Recipe>(r#"{"ignorelabel":-1}"#).is_err());
    }
}
