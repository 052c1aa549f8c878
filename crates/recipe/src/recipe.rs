//! Trainers as values: independent choices instead of subclasses.

use run::OptionError;
use sampling::{Annotated, Sampling};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use volume::UNLABELLED;

use crate::{Result, Trainer};

/// What Dice counts of each voxel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DiceWeights {
    /// Its weight in the weightmap, if the recipe has voxel weights. The online Dice on validation patches then counts
    /// voxels in the same way.
    #[default]
    Weightmap,
    /// 1.
    None,
}

/// Composition of the loss. Class weights have one value per class, background first.
#[run::options]
#[serde(deny_unknown_fields)]
pub struct LossRecipe {
    /// Weight of the cross-entropy.
    #[default(1.0)]
    #[schemars(range(min = 0.0))]
    pub cross_entropy: f64,
    /// Weight of the soft Dice term.
    #[default(1.0)]
    #[schemars(range(min = 0.0))]
    pub dice: f64,
    /// Class weights of the cross-entropy, applied to each voxel by its label.
    #[schemars(inner(range(min = 0.0)))]
    pub cross_entropy_class_weights: Option<Vec<f64>>,
    /// Class weights of Dice: the mean over foreground classes becomes a weighted mean.
    #[schemars(inner(range(min = 0.0)))]
    pub dice_class_weights: Option<Vec<f64>>,
    /// What Dice counts of each voxel: its weight in the weightmap, or 1.
    #[default]
    pub weight_dice: DiceWeights,
    /// Minimises -log(Dice) instead of -Dice.
    #[default]
    pub log_dice: bool,
    /// Smoothing term, added to numerator and denominator of Dice.
    #[default(1e-5)]
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub smooth: f64,
    /// Counts ignored voxels as background in the cross-entropy, like the class-weighted loss of DIAG's fork.
    #[default]
    pub ignored_is_background: bool,
}

impl LossRecipe {
    /// Weights the classes in cross-entropy and Dice, background first.
    pub fn set_class_weights(&mut self, weights: &[f64]) {
        self.cross_entropy_class_weights = Some(weights.to_vec());
        self.dice_class_weights = Some(weights.to_vec());
    }
}

/// Augmentation of training patches.
#[run::options]
#[derive(Copy, Eq)]
#[serde(deny_unknown_fields)]
pub struct Augmentation {
    /// Repeats the mistakes of nnU-Net v1 and DIAG's fork, for comparison with their results.
    ///
    /// Unlabelled voxels outside the patch and between labels become background, and the image is blanked
    /// there; see [`augment::PipelineOptions::reference_rules`].
    #[default]
    pub reference_rules: bool,
}

/// A trainer as a value: sampling, augmentation, voxel weights and loss.
#[run::options]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Sampling of training patches: random positions with a third of each batch forced onto foreground
    /// (nnU-Net v1), or around annotated voxels including the background (DIAG's sparse trainer).
    #[default]
    pub sampling: Sampling,
    /// Label excluded from loss and metrics: -1 (unlabelled). By default no label is excluded.
    #[schemars(range(min = -1, max = -1))]
    pub ignore_label: Option<i16>,
    /// Labels of the data that count as unlabelled, such as 255: excluded from sampling, loss and metrics like -1.
    /// They need `ignoreLabel`.
    #[default]
    pub ignored_labels: Vec<i16>,
    /// Weights the voxels of the cross-entropy with `<case>_weightmap.npy`.
    #[default]
    pub voxel_weights: bool,
    /// Augmentation of training patches.
    #[default]
    pub augmentation: Augmentation,
    /// Composition of the loss.
    #[default]
    pub loss: LossRecipe,
}

impl Recipe {
    /// Whether Dice, in the loss and online, counts voxels by their weights.
    #[must_use]
    pub fn weights_dice(&self) -> bool {
        self.voxel_weights && self.loss.dice > 0.0 && self.loss.weight_dice == DiceWeights::Weightmap
    }

    /// The recipe of a named trainer. The class-weighted trainer also needs class weights.
    #[must_use]
    pub fn preset(trainer: Trainer) -> Self {
        let sparse = Self {
            ignore_label: Some(UNLABELLED),
            ..Self::default()
        };
        match trainer {
            Trainer::V2 | Trainer::ClassWeighted => Self::default(),
            Trainer::Sparse => Self {
                sampling: Sampling::Annotated(Annotated::default()),
                ..sparse
            },
            Trainer::SparseNormalSampling => sparse,
            Trainer::Weighted => Self {
                voxel_weights: true,
                loss: LossRecipe {
                    dice: 0.0,
                    ..LossRecipe::default()
                },
                ..Self::default()
            },
        }
    }

    /// Checks the recipe for a number of classes, including the background.
    ///
    /// # Errors
    /// [`crate::Error::Option`] with the field.
    pub fn validate(&self, trainer: Trainer, classes: usize) -> Result<()> {
        let loss = &self.loss;
        let refuse = |option: &str, problem: String| Err(OptionError::new(option, problem).into());
        // The mean over foreground classes does not use the background's weight.
        let weights = [
            (
                "recipe.loss.crossEntropyClassWeights",
                &loss.cross_entropy_class_weights,
                0,
            ),
            ("recipe.loss.diceClassWeights", &loss.dice_class_weights, 1),
        ];
        for (option, values, first) in weights {
            let Some(values) = values else { continue };
            if values.len() != classes || values.iter().any(|w| !w.is_finite() || *w < 0.0) {
                let problem =
                    format!("expected {classes} weights of at least 0 (background first), got {values:?}");
                return refuse(option, problem);
            }
            if values.iter().skip(first).all(|&weight| weight == 0.0) {
                let problem = format!(
                    "no class has a weight above 0 ({values:?}); to leave a term out, set its own weight to 0"
                );
                return refuse(option, problem);
            }
        }
        let weighted = loss.cross_entropy_class_weights.is_some() || loss.dice_class_weights.is_some();
        if trainer == Trainer::ClassWeighted && !weighted {
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
        if let Some(label) = self
            .ignored_labels
            .iter()
            .find(|&&label| (0..classes as i64).contains(&i64::from(label)))
        {
            let problem = format!(
                "{label} is a class of the plans (0 to {}); name other labels",
                classes - 1
            );
            return refuse("recipe.ignoredLabels", problem);
        }
        self.validate_data()
    }

    /// Checks the fields that determine the data, independent of the loss.
    pub(crate) fn validate_data(&self) -> Result<()> {
        if let Some(label) = self.ignore_label.filter(|&label| label != UNLABELLED) {
            let problem =
                format!("expected -1, the label of unlabelled voxels in preprocessed data, got {label}");
            return Err(OptionError::new("recipe.ignoreLabel", problem).into());
        }
        if self.ignore_label.is_none() && !self.ignored_labels.is_empty() {
            let problem = "labels that count as unlabelled need \"ignoreLabel\": -1";
            return Err(OptionError::new("recipe.ignoredLabels", problem).into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trainer_name_gives_its_preset() {
        let preset = |name: &str| Recipe::preset(name.parse().expect("a preset"));
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
        let error = "nnUNetTrainerV3".parse::<Trainer>().expect_err("no such trainer");
        assert!(error.to_string().contains("nnUNetTrainerV2Sparse"), "{error}");
    }

    #[test]
    fn invalid_weights_are_reported() {
        let name = Trainer::ClassWeighted;
        let mut recipe = Recipe::preset(name);
        assert!(recipe.validate(name, 3).is_err(), "needs class weights");
        recipe.loss.dice_class_weights = Some(vec![1.0, 2.0]);
        assert!(recipe
            .validate(name, 3)
            .expect_err("two of three")
            .to_string()
            .contains("diceClassWeights"));
        recipe.loss.dice_class_weights = Some(vec![1.0, 2.0, 0.5]);
        assert!(recipe.validate(name, 3).is_ok());
        for zeros in [vec![0.0; 3], vec![1.0, 0.0, 0.0]] {
            recipe.loss.dice_class_weights = Some(zeros);
            let error = recipe.validate(name, 3).expect_err("no weight");
            assert!(error.to_string().contains("above 0"), "{error}");
        }
        recipe.loss.dice_class_weights = Some(vec![0.0, 2.0, 0.5]);
        recipe.loss.dice = f64::NAN;
        assert!(recipe.validate(name, 3).is_err());
    }

    #[test]
    fn ignored_labels_are_no_classes_and_need_the_ignore_label() {
        let validate = |text: &str| {
            let recipe: Recipe = serde_json::from_str(text).expect("a recipe");
            recipe.validate(Trainer::V2, 3).map_err(|error| error.to_string())
        };
        assert_eq!(validate(r#"{"ignoreLabel":-1,"ignoredLabels":[255,-2]}"#), Ok(()));
        for (text, problem) in [
            (r#"{"ignoreLabel":-1,"ignoredLabels":[2]}"#, "2 is a class"),
            (r#"{"ignoredLabels":[255]}"#, "need \"ignoreLabel\": -1"),
        ] {
            let error = validate(text).expect_err("refused");
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn json_is_camel_case_and_partial() {
        let recipe: Recipe =
            serde_json::from_str(r#"{"sampling":{"kind":"annotated"},"ignoreLabel":-1,"loss":{"dice":0.5}}"#)
                .expect("a recipe");
        assert!(recipe.sampling.annotated().is_some());
        assert_eq!((recipe.loss.dice, recipe.loss.cross_entropy), (0.5, 1.0));
        assert!(serde_json::from_str::<Recipe>(r#"{"ignorelabel":-1}"#).is_err());
    }
}
