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
    /// Loss or gradients are not finite. Further training would destroy the network.
    #[error(
        "the {quantity} became {value} in epoch {epoch}, iteration {iteration} (cases {cases}); \
         the last good state is {kept}; lower the initial learning rate, or train with --precision float32"
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
    },
    /// The data has a label that is not in the plans.
    #[error(
        "{problem}; expected labels 0..={highest}{ignored}; check the segmentations with `nnunet-diag check`"
    )]
    #[code(LabelRange)]
    Label {
        /// The label and its cases.
        problem: String,
        /// Highest class.
        highest: i64,
        /// The ignore label as text, or empty.
        #[detail(skip)]
        ignored: String,
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
        matches!(
            self,
            Self::Diverged { .. } | Self::Engine(E::OutOfMemory { .. } | E::Torch { .. })
        )
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
