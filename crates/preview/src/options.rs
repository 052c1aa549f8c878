//! What to look at.

use loader::Phase;
use recipe::DataOptions;
use run::OptionError;
use serde::{Deserialize, Serialize};

use crate::Result;

/// Options of [`crate::preview`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviewOptions {
    /// Those of the training that decide what its network sees.
    #[serde(flatten)]
    pub data: DataOptions,
    /// Augmented training batches, or validation batches as they are.
    #[serde(default)]
    pub phase: Phase,
    /// Key of all random draws.
    #[serde(default)]
    pub seed: u64,
    /// Epoch of the batches, counted from 0.
    #[serde(default)]
    pub epoch: u64,
    /// Iteration of the first batch within the epoch, counted from 0.
    #[serde(default)]
    pub iteration: u64,
    /// Batches, of consecutive iterations.
    #[serde(default = "defaults::batches")]
    pub batches: u64,
    /// Unpacks the cases to `<case>.npy` as training does, for a faster look at many batches of large cases. Otherwise
    /// patches are cut from the inflated `<case>.npz`, and no such file is left behind.
    #[serde(default)]
    pub unpack: bool,
}

mod defaults {
    pub(super) fn batches() -> u64 {
        1
    }
}

impl PreviewOptions {
    /// One batch of training at its very start.
    pub fn new(data: DataOptions) -> Self {
        Self {
            data,
            phase: Phase::Training,
            seed: 0,
            epoch: 0,
            iteration: 0,
            batches: defaults::batches(),
            unpack: false,
        }
    }

    /// The iteration after the last batch.
    pub(crate) fn end(&self) -> Result<u64> {
        let refuse = |option: &str, problem: String| Err(OptionError::new(option, problem));
        let end = match (self.batches, self.iteration.checked_add(self.batches)) {
            (0, _) => refuse("batches", "expected at least 1, got 0".to_owned()),
            (_, None) => refuse("iteration", format!("got {}, which is too large", self.iteration)),
            (_, Some(end)) => Ok(end),
        };
        Ok(end?)
    }
}
