//! Options of the verbs.

use std::collections::BTreeMap;

use dataset::{Configuration, Folders};
use serde::{Deserialize, Serialize};

use crate::crop::Unlabelled;
use crate::plan::overrides::Overrides;
use crate::plan::Rules;
use crate::Error;

/// Options of [`crate::plan_experiment`], [`crate::preprocess`] and [`crate::plan_and_preprocess`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Options {
    /// Number, `TaskXXX_NAME`, or path of a task.
    pub task: String,
    /// nnU-Net's folders; what is not given comes from its environment variables.
    pub folders: Folders,
    /// Configurations to plan and preprocess; none given means all that the plans have.
    pub configurations: Vec<Configuration>,
    /// Choices in planning.
    pub rules: Rules,
    /// Patch size, batch size and spacing by hand.
    pub overrides: BTreeMap<Configuration, Overrides>,
    /// What -1 in the users' labels means.
    pub unlabelled: Unlabelled,
    /// Bytes that cases in flight may take together; a share of the available memory where not given.
    pub memory_budget: Option<u64>,
    /// Whether to write `nnUNet_cropped_data` as nnU-Net v1 does. Nothing here needs it.
    pub keep_cropped: bool,
    /// Whether to do again what is finished.
    pub overwrite: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            task: String::new(),
            folders: Folders::default(),
            configurations: vec![],
            rules: Rules::default(),
            overrides: BTreeMap::new(),
            unlabelled: Unlabelled::default(),
            memory_budget: None,
            keep_cropped: true,
            overwrite: false,
        }
    }
}

impl Options {
    /// Fails on overrides that cannot be meant.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.overrides
            .iter()
            .try_for_each(|(configuration, over)| over.check(configuration.name()))
    }

    /// Whether a configuration is asked for.
    pub(crate) fn wants(&self, configuration: Configuration) -> bool {
        self.configurations.is_empty() || self.configurations.contains(&configuration)
    }

    /// What a configuration takes by hand; the cascade's second stage is full resolution.
    pub(crate) fn overrides_of(&self, configuration: Configuration) -> Overrides {
        let cascade = (configuration == Configuration::FullRes)
            .then(|| self.overrides.get(&Configuration::CascadeFullRes))
            .flatten();
        self.overrides
            .get(&configuration)
            .or(cascade)
            .cloned()
            .unwrap_or_default()
    }
}
