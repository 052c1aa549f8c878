//! Trainers as values, and the data that a training sees.
//!
//! A [`Recipe`] is what nnU-Net makes a trainer class for. [`TrainingData`] resolves one together with a task's plans and
//! splits into the options of the loaders, so that whoever trains and whoever looks at the patches see the same bytes.
//! [`Architecture`] is the network that the plans ask for.

mod architecture;
mod cases;
mod data;
mod error;
mod options;
mod recipe;
mod trainer;

pub use architecture::Architecture;
pub use data::TrainingData;
pub use error::{Error, Result};
pub use options::DataOptions;
pub use recipe::{Augmentation, LossRecipe, Recipe};
pub use trainer::Trainer;
