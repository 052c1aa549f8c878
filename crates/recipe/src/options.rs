//! Which data, for which trainer.

use std::path::PathBuf;

use dataset::{Configuration, Fold, Folders};
use sampling::Sampling;
use serde::{Deserialize, Serialize};

use crate::{Recipe, Result};

/// The options of a training that decide what its network sees; what is not given is nnU-Net v1's own default.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataOptions {
    /// A task's number, its whole name, or its preprocessed folder.
    pub task: String,
    /// The configuration.
    pub configuration: Configuration,
    /// Which cases are trained on; `all` trains and validates on all.
    #[serde(default = "defaults::fold")]
    pub fold: Fold,
    /// Name of the trainer, a preset where no recipe is given.
    #[serde(default = "defaults::trainer")]
    pub trainer: String,
    /// A recipe instead of the preset's.
    #[serde(default)]
    pub recipe: Option<Recipe>,
    /// Leaves cases without any annotated voxel out where patches are centred on annotated voxels.
    #[serde(default)]
    pub skip_unannotated: bool,
    /// Samples in a batch, instead of the plans'.
    #[serde(default)]
    pub batch_size: Option<usize>,
    /// Patch size in voxels, (z, y, x) or (y, x) in the network's order, instead of the plans'.
    #[serde(default)]
    pub patch_size: Option<Vec<usize>>,
    /// Folder with `<case>_segFromPrevStage.npz` for the cascade's second stage; by default nnU-Net v1's
    /// `pred_next_stage` of the low-resolution model.
    #[serde(default)]
    pub previous_stage: Option<PathBuf>,
    /// nnU-Net's folders, where not from the environment.
    #[serde(flatten)]
    pub folders: Folders,
}

mod defaults {
    use dataset::Fold;

    pub(super) fn fold() -> Fold {
        Fold::Index(0)
    }

    pub(super) fn trainer() -> String {
        "nnUNetTrainerV2".to_owned()
    }
}

impl DataOptions {
    /// nnU-Net v1's own trainer on a fold of a task.
    pub fn new(task: impl Into<String>, configuration: Configuration, fold: Fold) -> Self {
        Self {
            task: task.into(),
            configuration,
            fold,
            trainer: defaults::trainer(),
            recipe: None,
            skip_unannotated: false,
            batch_size: None,
            patch_size: None,
            previous_stage: None,
            folders: Folders::default(),
        }
    }

    /// The recipe that is meant.
    ///
    /// # Errors
    /// [`crate::Error::Option`] for an unknown preset.
    pub fn recipe(&self) -> Result<Recipe> {
        let mut recipe = match &self.recipe {
            Some(recipe) => recipe.clone(),
            None => Recipe::preset(&self.trainer)?,
        };
        if let (true, Sampling::Annotated(annotated)) = (self.skip_unannotated, &mut recipe.sampling) {
            annotated.skip_unannotated = true;
        }
        Ok(recipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_javascript_passes_them() {
        let text = r#"{"task":"501","configuration":"3d_fullres","fold":"all","preprocessed":"/p",
            "trainer":"nnUNetTrainerV2Sparse","skipUnannotated":true,"patchSize":[8,8,8]}"#;
        let options: DataOptions = serde_json::from_str(text).unwrap();
        assert_eq!((options.fold, options.batch_size), (Fold::All, None));
        assert_eq!(
            options.folders.preprocessed.as_deref(),
            Some(std::path::Path::new("/p"))
        );
        assert!(
            options
                .recipe()
                .unwrap()
                .sampling
                .annotated()
                .unwrap()
                .skip_unannotated
        );
        let defaults: DataOptions =
            serde_json::from_str(r#"{"task":"501","configuration":"2d","skipUnannotated":true}"#).unwrap();
        assert_eq!(
            defaults.recipe().unwrap(),
            Recipe::default(),
            "nothing to skip where patches lie anywhere"
        );
    }
}
