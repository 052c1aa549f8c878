//! Options that select data and trainer.

use std::path::PathBuf;

use dataset::{Configuration, Fold, Folders};
use run::{OptionError, OptionResult, Options};
use sampling::Sampling;

use crate::{Recipe, Trainer};

/// Options that determine the network's input. Defaults are nnU-Net v1's.
#[run::options]
pub struct DataOptions {
    /// Number, `TaskXXX_NAME` or preprocessed folder of a task.
    #[schemars(length(min = 1))]
    pub task: String,
    /// Configuration to train.
    pub configuration: Configuration,
    /// Fold of `splits_final.pkl` (0 to 4 for nnU-Net's own), or `all` to train and validate on all cases.
    #[default(Fold::Index(0))]
    pub fold: Fold,
    /// Draws a random 80:20 split for a fold that the splits do not have, as nnU-Net v1 does.
    ///
    /// The split ignores patients: cases of one patient may be in both training and validation.
    #[default]
    pub random_split: bool,
    /// Preset of sampling, ignore label, voxel weights and loss. The model folder has its name.
    #[default]
    pub trainer: Trainer,
    /// Recipe that replaces the preset, such as `{"ignoreLabel":-1,"voxelWeights":true}`.
    pub recipe: Option<Recipe>,
    /// Excludes cases without annotated voxels. Requires sampling around annotated voxels.
    #[default]
    pub skip_unannotated: bool,
    /// Seed of all random draws. The same inputs, options and seed give the same result.
    #[default]
    pub seed: u64,
    /// Batch size; overrides the planned one.
    #[schemars(range(min = 1))]
    pub batch_size: Option<usize>,
    /// Patch size in voxels (three values, two for 2D); overrides the planned one.
    #[schemars(length(min = 2, max = 3), inner(range(min = 1)))]
    pub patch_size: Option<Vec<usize>>,
    /// Folder with `<case>_segFromPrevStage.npz`, for `3d_cascade_fullres`.
    ///
    /// The default is `pred_next_stage` of the low-resolution model, as in nnU-Net v1.
    #[schemars(length(min = 1))]
    pub previous_stage: Option<PathBuf>,
    /// JSON file with the annotated classes of partially annotated cases, such as `{"case_001": [1, 3]}`. The other classes
    /// do not count in these cases. The default is `presentLabels` of the training cases in `dataset.json`.
    #[schemars(length(min = 1))]
    pub present_labels: Option<PathBuf>,
    /// nnU-Net's folders.
    #[default]
    #[serde(flatten)]
    pub folders: Folders,
}

impl Options for DataOptions {
    fn check(&self) -> OptionResult<()> {
        let axes = match self.configuration {
            Configuration::TwoD => 2,
            _ => 3,
        };
        match &self.patch_size {
            Some(patch) if patch.len() != axes => {
                let expected = format!("{axes} values for {}", self.configuration);
                let found = patch.iter().map(ToString::to_string).collect::<Vec<_>>();
                Err(OptionError::expected("patchSize", expected, found.join(" ")))
            }
            _ => Ok(()),
        }
    }
}

impl DataOptions {
    /// The recipe: the given one, or that of the preset.
    #[must_use]
    pub fn recipe(&self) -> Recipe {
        let mut recipe = self
            .recipe
            .clone()
            .unwrap_or_else(|| Recipe::preset(self.trainer));
        if let (true, Sampling::Annotated(annotated)) = (self.skip_unannotated, &mut recipe.sampling) {
            annotated.skip_unannotated = true;
        }
        recipe
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
        assert!(options.recipe().sampling.annotated().unwrap().skip_unannotated);
        let defaults: DataOptions =
            serde_json::from_str(r#"{"task":"501","configuration":"2d","skipUnannotated":true}"#).unwrap();
        assert_eq!(
            defaults.recipe(),
            Recipe::default(),
            "skipping needs sampling around annotated voxels"
        );
    }
}
