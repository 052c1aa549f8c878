//! Errors of this crate.

use std::path::{Path, PathBuf};

use run::Cancelled;
use tch::TchError;

/// An error of a training.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// An option has an invalid value.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// The fold has checkpoints of an earlier run, which a new run would replace.
    #[error(
        "{} exists{}; add --continue to resume that run, or --overwrite to begin anew (its folder is then kept under \
         another name)",
        path.display(),
        epochs.map_or_else(String::new, |epochs| format!(", after {epochs} epochs"))
    )]
    #[code(FoldExists)]
    FoldExists {
        /// The checkpoint.
        path: PathBuf,
        /// Finished epochs of the earlier run, if its record can be read.
        epochs: Option<u64>,
    },
    /// A pretrained model has no layer of this network.
    #[error("{}: no layer has the name and shape of one of this network; choose a model of nnU-Net v1 with the same number of dimensions", path.display())]
    #[code(Pretrained)]
    Pretrained {
        /// The checkpoint.
        path: PathBuf,
    },
    /// `model_latest` is damaged, and another checkpoint of the fold is whole.
    #[error(
        "{problem}; {} is whole, after {epochs} epochs: delete {} to continue from it",
        whole.display(),
        path.display()
    )]
    #[code(LatestDamaged)]
    DamagedLatest {
        /// The damaged file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// The whole checkpoint.
        whole: PathBuf,
        /// Its finished epochs.
        epochs: u64,
    },
    /// The model's `plans.pkl` differs from the plans of this run.
    #[error(
        "the model of {} has other plans: {differences}; train with the same plans, patch and batch size, or give another \
         model folder with --output-folder",
        path.display()
    )]
    #[code(ModelPlans)]
    ModelPlans {
        /// The model's plans.
        path: PathBuf,
        /// The entries that differ, with both values.
        differences: String,
    },
    /// The time of `stopAfter` is over. The state is saved.
    #[error(
        "stopped after {limit}, in epoch {epoch}; {} holds the state: run again with --continue",
        path.display()
    )]
    #[code(TimeLimit)]
    TimeLimit {
        /// The time given.
        limit: String,
        /// Finished epochs.
        epoch: u64,
        /// The checkpoint to continue from.
        path: PathBuf,
    },
    /// Loss or gradients are not finite. Further training would destroy the network.
    #[error(
        "the {quantity} became {value} in epoch {epoch}, iteration {iteration} (cases {cases}); \
         the last good state is {kept}; {advice}"
    )]
    #[code(Diverged)]
    Diverged {
        /// The quantity that diverged: the loss, or the gradients of many steps in a row.
        quantity: &'static str,
        /// Its value.
        #[detail(name = "found", text)]
        value: f64,
        /// Epoch, counted from 0.
        epoch: u64,
        /// Iteration in the epoch, counted from 0.
        iteration: u64,
        /// Cases of the batch.
        cases: String,
        /// The last checkpoint, or `none`.
        kept: String,
        /// What to do.
        advice: String,
    },
    /// Another rank of this training failed or is gone.
    #[error(
        "rank {rank} failed: {reason}; the last checkpoint of the fold holds the state: run again with --continue"
    )]
    #[code(RankFailed)]
    RankFailed {
        /// The rank, from 0.
        rank: usize,
        /// Its error, or how it was found to be gone.
        reason: String,
    },
    /// The ranks of this training have other options, data or checkpoints.
    #[error("rank {rank} has other {what} than rank 0: give every rank the same options and the same files")]
    #[code(Collective)]
    RanksDiffer {
        /// What differs.
        what: &'static str,
        /// The first rank that differs.
        rank: usize,
    },
    /// An array of a case has the wrong shape.
    #[error("{}: expected {expected}; run `nnunet-diag preprocess` again", path.display())]
    #[code(CaseShape)]
    Shape {
        /// The file.
        path: PathBuf,
        /// The expected shape.
        expected: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    #[code(io(Io))]
    Io {
        /// Path of the file.
        path: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// The verb was cancelled.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] Cancelled),
    /// An error of the network, its checkpoints or libtorch.
    #[error(transparent)]
    #[code(transparent)]
    Engine(#[from] engine::Error),
    /// An error of the recipe or the training data.
    #[error(transparent)]
    #[code(transparent)]
    Recipe(#[from] recipe::Error),
    /// An error of a task, its plans or its folders.
    #[error(transparent)]
    #[code(transparent)]
    Dataset(#[from] dataset::Error),
    /// A pickle or checkpoint cannot be read or written.
    #[error(transparent)]
    #[code(transparent)]
    Pickle(#[from] pickle::Error),
    /// A file cannot be written.
    #[error(transparent)]
    #[code(transparent)]
    Storage(#[from] storage::Error),
    /// A validation case cannot be segmented.
    #[error(transparent)]
    #[code(transparent)]
    Inference(#[from] inference::Error),
    /// The validation cases cannot be evaluated.
    #[error(transparent)]
    #[code(transparent)]
    Evaluate(#[from] evaluate::Error),
    /// A validation case cannot be read or written.
    #[error(transparent)]
    #[code(transparent)]
    Volume(#[from] volume::Error),
    /// A softmax cannot be resampled to the next stage.
    #[error(transparent)]
    #[code(transparent)]
    Resample(#[from] resample::Error),
    /// A file or folder does not exist.
    #[error(transparent)]
    #[code(transparent)]
    NotFound(#[from] run::NotFound),
    /// The threads could not be started.
    #[error(transparent)]
    #[code(transparent)]
    Threads(#[from] run::ThreadsError),
    /// A batch cannot be loaded.
    #[error(transparent)]
    #[code(transparent)]
    Loader(#[from] loader::Error),
}

/// Result of a training.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Whether the network may be damaged or half changed after this error.
    pub(crate) fn may_damage_network(&self) -> bool {
        use engine::Error as E;
        matches!(self, Self::Engine(E::OutOfMemory { .. } | E::Torch { .. }))
    }

    /// Whether the exchange with other ranks failed.
    pub(crate) fn is_collective(&self) -> bool {
        matches!(self, Self::Engine(engine::Error::Collective { .. }))
    }

    pub(crate) fn wrong_shape(path: &Path, expected: &str) -> Self {
        Self::Shape {
            path: path.to_owned(),
            expected: expected.to_owned(),
        }
    }

    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

impl From<TchError> for Error {
    fn from(error: TchError) -> Self {
        engine::Error::from(error).into()
    }
}
