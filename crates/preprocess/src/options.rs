//! Options of the verbs.

use std::path::PathBuf;

use dataset::{Configuration, Folders, NonFinite};
use run::{OptionError, OptionResult, Shard};

use crate::crop::Unlabelled;
use crate::plan::overrides::Overrides;
use crate::plan::Rules;
use crate::rules::{Crop, ReadRules};

/// Options of [`crate::plan_experiment`], [`crate::preprocess`] and [`crate::plan_and_preprocess`].
#[run::options]
pub struct Options {
    /// Number, `TaskXXX_NAME` or folder of a task.
    #[schemars(length(min = 1))]
    pub task: String,
    /// Configurations to plan and preprocess. The default is all configurations that nnU-Net plans.
    #[schemars(length(min = 1))]
    pub configurations: Option<Vec<Configuration>>,
    /// Overrides of patch size, batch size and spacing. They require `configurations`.
    #[default]
    #[serde(flatten)]
    pub overrides: Overrides,
    /// Planning rules.
    #[default]
    #[serde(flatten)]
    pub rules: Rules,
    /// Memory in GiB for cases that are processed at the same time. The default is most of the available
    /// memory.
    #[schemars(range(min = 1e-6))]
    pub memory_budget: Option<f64>,
    /// Part of the cases, `I/N`: this machine works on part I of N, from 1. `plan` only crops them; `preprocess` takes the
    /// plans of the task, which a run of `plan` without it writes.
    pub shard: Option<Shard>,
    /// Folder on a fast disk of this machine, such as `$TMPDIR`, whose variables are read there: results are written in it
    /// and then moved to the folder of preprocessed data.
    #[schemars(length(min = 1))]
    pub scratch: Option<PathBuf>,
    /// Repeats finished work.
    #[default]
    pub overwrite: bool,
    /// Writes `nnUNet_cropped_data`, as nnU-Net v1 does. This package does not need it.
    #[default(true)]
    pub keep_cropped: bool,
    /// Meaning of -1 in labels.
    #[default]
    pub unlabelled: Unlabelled,
    /// Region of the images to keep.
    #[default]
    pub crop: Crop,
    /// Treatment of voxels that are NaN or infinite.
    #[default]
    pub nonfinite: NonFinite,
    /// nnU-Net's folders.
    #[default]
    #[serde(flatten)]
    pub folders: Folders,
}

/// Bytes of a gibibyte.
const GIB: f64 = (1u64 << 30) as f64;

impl run::Options for Options {
    fn check(&self) -> OptionResult<()> {
        if self.configurations.is_none() {
            if let Some(given) = self.overrides.given() {
                let problem = "expected the option configurations as well, which selects the configurations it applies to";
                return Err(OptionError::new(given, problem));
            }
        }
        Ok(())
    }
}

impl Options {
    /// Refuses options of the plans where existing plans are used.
    pub(crate) fn refuse_planning(&self) -> OptionResult<()> {
        let usual = Rules::default();
        let rules = [
            ("pooling", self.rules.pooling != usual.pooling),
            (
                "maskLowercaseCt",
                self.rules.mask_lowercase_ct != usual.mask_lowercase_ct,
            ),
        ];
        let given = rules.into_iter().find_map(|(name, given)| given.then_some(name));
        match self.overrides.given().or(given) {
            Some(given) => Err(OptionError::new(
                given,
                "is an option of the plans, and shard takes existing plans: give it to `plan` without shard",
            )),
            None => Ok(()),
        }
    }

    /// Returns the rules for reading a case.
    pub(crate) fn reading(&self) -> ReadRules {
        ReadRules {
            unlabelled: self.unlabelled,
            crop: self.crop,
            nonfinite: self.nonfinite,
        }
    }

    /// Returns the memory budget in bytes.
    pub(crate) fn memory_bytes(&self) -> Option<u64> {
        self.memory_budget.map(|gib| (gib * GIB) as u64)
    }

    /// Whether a configuration is requested.
    pub(crate) fn wants(&self, configuration: Configuration) -> bool {
        self.configurations
            .as_ref()
            .is_none_or(|wanted| wanted.contains(&configuration))
    }

    /// Whether a configuration is requested by name.
    pub(crate) fn names(&self, configuration: Configuration) -> bool {
        self.configurations.is_some() && self.wants(configuration)
    }

    /// Returns the overrides of a configuration. The cascade's second stage uses those of full resolution.
    pub(crate) fn overrides_of(&self, configuration: Configuration) -> Overrides {
        let named = self.names(configuration)
            || configuration == Configuration::FullRes && self.names(Configuration::CascadeFullRes);
        match named {
            true => self.overrides.clone(),
            false => Overrides::default(),
        }
    }
}
