//! Recipes (trainers as values) and training data.
//!
//! A [`Recipe`] replaces nnU-Net's trainer classes. [`TrainingData`] resolves a recipe, a task's plans and
//! its splits to the options of the loaders. Training and preview use it, so both see identical batches.
//! [`Architecture`] is the network in the plans.

mod architecture;
mod cases;
mod check;
mod class_weights;
mod data;
mod error;
mod options;
mod present;
mod recipe;
mod trainer;

pub use architecture::Architecture;
pub use data::TrainingData;
pub use error::{Error, Result};
pub use options::DataOptions;
pub use present::PresentLabels;
pub use recipe::{Augmentation, DiceWeights, LossRecipe, Recipe};
pub use trainer::Trainer;
