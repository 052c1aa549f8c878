//! Options of a loader.

use std::path::PathBuf;

use augment::{Pipeline, PipelineOptions};
use random::Purpose;
use run::OptionError;
use sampling::{PatchSizes, Sampling};
use serde::{Deserialize, Serialize};
use volume::UNLABELLED;

use crate::error::Error;
use crate::format::Format;

/// Purpose of the batches. Each phase has its own random streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// Augmented batches.
    #[default]
    Training,
    /// Unaugmented batches.
    Validation,
}

impl Phase {
    /// The random stream for choosing cases.
    pub(crate) fn cases(self) -> Purpose {
        match self {
            Self::Training => Purpose::TrainingCase,
            Self::Validation => Purpose::ValidationCase,
        }
    }

    /// The random stream for placing patches.
    pub(crate) fn patches(self) -> Purpose {
        match self {
            Self::Training => Purpose::TrainingPatch,
            Self::Validation => Purpose::ValidationPatch,
        }
    }
}

/// Options of a [`crate::Loader`].
///
/// Batch (epoch, iteration) depends only on the options and the content of the cases. `threads`, `queue` and
/// the start of the loader do not change it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoaderOptions {
    /// Folder of the preprocessed configuration, with `<case>.npz` or `<case>.npy`, `<case>.pkl`,
    /// `<case>_weightmap.npy`.
    pub folder: PathBuf,
    /// Identifiers of the split's cases. Their order affects the draws of a seed.
    pub cases: Vec<String>,
    /// The augmentation chain. It also defines the loaded data: patch size, weightmaps, ignore label.
    pub pipeline: PipelineOptions,
    /// Folder with `<case>_segFromPrevStage.npz`. Required if the chain is a cascade's.
    #[serde(default)]
    pub previous_stage: Option<PathBuf>,
    /// Samples per batch.
    #[serde(default = "defaults::batch_size")]
    pub batch_size: usize,
    /// The samples of each batch that are made, where several processes share it; `None` makes all. What a sample holds
    /// does not depend on it: neither its draws nor whether it is forced to contain foreground.
    #[serde(skip)]
    pub samples: Option<std::ops::Range<usize>>,
    /// The sampling rule of patches.
    #[serde(default)]
    pub sampling: Sampling,
    /// Training or validation.
    #[serde(default)]
    pub phase: Phase,
    /// Seed of all random draws.
    #[serde(default)]
    pub seed: u64,
    /// Loader threads; 0 uses the context's workers.
    #[serde(default)]
    pub threads: usize,
    /// Ready batches to keep, besides those in progress.
    #[serde(default = "defaults::queue")]
    pub queue: usize,
    /// First epoch, counted from 0.
    #[serde(default)]
    pub first_epoch: u64,
    /// First iteration in that epoch, counted from 0.
    #[serde(default)]
    pub first_iteration: u64,
    /// Iterations per epoch.
    #[serde(default = "defaults::iterations")]
    pub iterations: u64,
    /// Total epochs of the schedule, after which the loader ends; `None` never ends.
    #[serde(default)]
    pub epochs: Option<u64>,
    /// Labels on disk that count as unlabelled (-1), such as 255. They need the ignore label.
    #[serde(default)]
    pub ignored_labels: Vec<i16>,
    /// Highest label of the targets; `None` accepts every label from 0.
    #[serde(default)]
    pub highest_label: Option<i16>,
    /// Content of the batches.
    #[serde(skip)]
    pub format: Format,
    /// Unpacks npz files once to npy and maps these. Otherwise patches are cut from decompressed npz files.
    #[serde(default = "defaults::unpack")]
    pub unpack: bool,
    /// Memory for decompressed cases in bytes, without unpacking.
    #[serde(default = "defaults::cache_bytes")]
    pub cache_bytes: usize,
}

mod defaults {
    pub(super) fn batch_size() -> usize {
        2
    }

    pub(super) fn queue() -> usize {
        2
    }

    pub(super) fn iterations() -> u64 {
        250
    }

    pub(super) fn unpack() -> bool {
        true
    }

    /// 4 GiB.
    pub(super) fn cache_bytes() -> usize {
        4 << 30
    }
}

impl LoaderOptions {
    /// Options with nnU-Net's defaults: batches of 2, epochs of 250 iterations, foreground sampling.
    pub fn new(folder: impl Into<PathBuf>, cases: Vec<String>, pipeline: PipelineOptions) -> Self {
        Self {
            folder: folder.into(),
            cases,
            pipeline,
            previous_stage: None,
            batch_size: defaults::batch_size(),
            samples: None,
            sampling: Sampling::default(),
            phase: Phase::Training,
            seed: 0,
            threads: 0,
            queue: defaults::queue(),
            first_epoch: 0,
            first_iteration: 0,
            iterations: defaults::iterations(),
            epochs: None,
            ignored_labels: Vec::new(),
            highest_label: None,
            format: Format::Full,
            unpack: defaults::unpack(),
            cache_bytes: defaults::cache_bytes(),
        }
    }

    /// The samples of each batch that are made.
    pub(crate) fn made_samples(&self) -> std::ops::Range<usize> {
        self.samples.clone().unwrap_or(0..self.batch_size)
    }

    /// Checks the options that do not depend on the cases.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let positive = |option: &'static str, value: u64| match value {
            0 => Err(OptionError::expected(option, "at least 1", 0)),
            _ => Ok(()),
        };
        positive("batchSize", self.batch_size as u64)?;
        positive("iterations", self.iterations)?;
        let samples = self.made_samples();
        if samples.is_empty() || samples.end > self.batch_size {
            let expected = format!("some of the {} samples of a batch", self.batch_size);
            return Err(OptionError::expected("samples", expected, format!("{samples:?}")).into());
        }
        let within = |option: &'static str, value: f64| match (0.0..=1.0).contains(&value) {
            true => Ok(()),
            false => Err(OptionError::expected(option, "a number from 0 to 1", value)),
        };
        within("recipe.sampling.fraction", self.sampling.forced_fraction())?;
        within(
            "recipe.sampling.offset",
            self.sampling.annotated().map_or(0.0, |options| options.offset),
        )?;
        if self
            .pipeline
            .ignore_label
            .is_some_and(|label| label != UNLABELLED)
        {
            return Err(OptionError::expected(
                "recipe.ignoreLabel",
                "-1, the label of unlabelled voxels in preprocessed data, or none".to_owned(),
                format!("{:?}", self.pipeline.ignore_label),
            )
            .into());
        }
        if self.pipeline.cascade.is_some() != self.previous_stage.is_some() {
            let expected = if self.previous_stage.is_some() {
                "none without"
            } else {
                "a folder for"
            };
            return Err(OptionError::expected(
                "previousStage",
                format!("{expected} a cascade's second stage"),
                format!("{:?}", self.previous_stage),
            )
            .into());
        }
        if self.first_iteration >= self.iterations {
            return Err(OptionError::expected(
                "firstIteration",
                format!("less than the {} iterations of an epoch", self.iterations),
                self.first_iteration.to_string(),
            )
            .into());
        }
        Ok(())
    }

    /// For each deep-supervision scale and axis, the voxels of the finest target that the scale's target
    /// consists of. With them a consumer makes the targets that [`Format::Compact`] leaves out.
    ///
    /// # Errors
    /// [`Error::Augment`] for an invalid augmentation chain.
    pub fn target_sources(&self) -> Result<Vec<Vec<Vec<u32>>>, Error> {
        let pipeline = Pipeline::validation(&self.pipeline).map_err(|e| Error::chain(None, e))?;
        Ok(pipeline.target_sources())
    }

    /// Size of the loaded patch. It is larger than the network's if patches are rotated and scaled.
    pub(crate) fn loaded_size(&self) -> Vec<usize> {
        match self.phase {
            Phase::Training => self.pipeline.initial_patch_size(),
            Phase::Validation => self.pipeline.patch_size.clone(),
        }
    }

    /// Number of batches from the start of the loader to the end of the schedule.
    pub(crate) fn tickets(&self) -> Option<u64> {
        let epochs = self.epochs?;
        let left = epochs
            .saturating_sub(self.first_epoch)
            .saturating_mul(self.iterations);
        Some(left.saturating_sub(self.first_iteration))
    }

    /// Epoch and iteration of batch number `ticket`, counted from the first batch of the loader.
    pub(crate) fn schedule(&self, ticket: u64) -> (u64, u64) {
        let iteration = self.first_iteration + ticket;
        (
            self.first_epoch + iteration / self.iterations,
            iteration % self.iterations,
        )
    }
}

/// Patch sizes from the two or three axes of the network's patch.
pub(crate) fn patch_sizes(loaded: &[usize], network: &[usize]) -> Result<PatchSizes, Error> {
    PatchSizes::new(loaded, network).ok_or_else(|| {
        OptionError::expected(
            "patchSize",
            "2 or 3 positive sizes, no larger than the loaded patch".to_owned(),
            format!("{network:?} of a loaded patch of {loaded:?}"),
        )
        .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> LoaderOptions {
        LoaderOptions::new(
            "folder",
            vec!["a".to_owned()],
            PipelineOptions::new(&[8, 8, 8], 1),
        )
    }

    #[test]
    fn the_schedule_continues_at_the_first_iteration() {
        let options = LoaderOptions {
            first_epoch: 3,
            first_iteration: 8,
            iterations: 10,
            epochs: Some(5),
            ..good()
        };
        assert_eq!(options.tickets(), Some(12));
        assert_eq!(
            [0, 1, 2, 11, 12].map(|t| options.schedule(t)),
            [(3, 8), (3, 9), (4, 0), (4, 9), (5, 0)]
        );
        let ended = LoaderOptions {
            first_epoch: 5,
            ..options.clone()
        };
        assert_eq!(ended.tickets(), Some(0));
        assert_eq!(
            LoaderOptions {
                epochs: None,
                ..options
            }
            .tickets(),
            None
        );
    }

    #[test]
    fn invalid_options_are_rejected() {
        let refused = |options: LoaderOptions| match options.check() {
            Err(Error::Option(error)) => error.problems[0].option.clone(),
            other => panic!("{other:?}"),
        };
        assert!(good().check().is_ok());
        assert_eq!(
            refused(LoaderOptions {
                batch_size: 0,
                ..good()
            }),
            "batchSize"
        );
        assert_eq!(
            refused(LoaderOptions {
                iterations: 0,
                ..good()
            }),
            "iterations"
        );
        assert_eq!(
            refused(LoaderOptions {
                first_iteration: 250,
                ..good()
            }),
            "firstIteration"
        );
        let sampling = Sampling::Foreground { fraction: 1.5 };
        assert_eq!(
            refused(LoaderOptions { sampling, ..good() }),
            "recipe.sampling.fraction"
        );
        let sampling = Sampling::Annotated(sampling::Annotated {
            offset: f64::NAN,
            ..Default::default()
        });
        assert_eq!(
            refused(LoaderOptions { sampling, ..good() }),
            "recipe.sampling.offset"
        );
        assert_eq!(
            refused(LoaderOptions {
                previous_stage: Some("x".into()),
                ..good()
            }),
            "previousStage"
        );
        let pipeline = PipelineOptions {
            ignore_label: Some(255),
            ..good().pipeline
        };
        assert_eq!(
            refused(LoaderOptions { pipeline, ..good() }),
            "recipe.ignoreLabel"
        );
    }

    #[test]
    fn options_are_read_as_javascript_passes_them() {
        let text = r#"{"folder":"f","cases":["a"],"pipeline":{"patchSize":[8,8],"channels":1},"phase":"validation"}"#;
        let options: LoaderOptions = serde_json::from_str(text).unwrap();
        assert_eq!(
            (
                options.phase,
                options.batch_size,
                options.iterations,
                options.unpack
            ),
            (Phase::Validation, 2, 250, true)
        );
    }
}
