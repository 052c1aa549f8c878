//! Errors of this crate.

use std::sync::Arc;

use run::Cancelled;

/// An error of this crate. Clones share their sources.
#[derive(Clone, Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// An option has an invalid value.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// The cases cannot be opened, or a patch cannot be read.
    #[error(transparent)]
    #[code(transparent)]
    Sampling(#[from] sampling::Error),
    /// A sample cannot be augmented, or the augmentation chain cannot be built.
    #[error("{}{source}", case.as_ref().map_or_else(String::new, |case| format!("case {case}: ")))]
    #[code(transparent)]
    Augment {
        /// The case, for an error of a sample.
        case: Option<String>,
        /// The error of the augmentation.
        source: Arc<augment::Error>,
    },
    /// A loaded patch has no annotated voxel, with the fork's sampling rule.
    #[error("case {case}: the patch loaded for sample {sample} of iteration {iteration} in epoch {epoch} has no annotated voxel, \
        which the fork's sampling rule cannot use; take sampling `annotated`, which draws from the whole case")]
    #[code(NoAnnotationInPatch)]
    NoAnnotationInPatch {
        /// The case.
        case: String,
        /// Epoch, counted from 0.
        epoch: u64,
        /// Iteration in the epoch, counted from 0.
        iteration: u64,
        /// Sample in the batch, counted from 0.
        sample: usize,
    },
    /// A patch has a label that is neither a class of the plans nor ignored.
    #[error(
        "case {case}: a patch has label {label}; expected labels 0..={highest}{ignored}; \
         check the segmentations with `nnunet-diag check`"
    )]
    #[code(LabelRange)]
    Label {
        /// The case.
        case: String,
        /// The label.
        #[detail(name = "found", text)]
        label: f32,
        /// Highest class.
        highest: i16,
        /// The ignore label as text, or empty.
        #[detail(skip)]
        ignored: String,
    },
    /// A batch cannot be allocated.
    #[error("cannot allocate {bytes} bytes for a batch: {reason}; lower the number of loader threads or the queue length")]
    #[code(OutOfMemory)]
    Memory {
        /// Requested bytes.
        bytes: usize,
        /// The allocator's message.
        reason: String,
    },
    /// A thread could not be started.
    #[error("cannot start a loader thread: {reason}")]
    #[code(Threads)]
    Thread {
        /// The system's message.
        reason: String,
    },
    /// A bug: a loader thread panicked.
    #[error("internal error in a loader thread at iteration {iteration} of epoch {epoch}: {reason}; please report it")]
    #[code(Internal)]
    Internal {
        /// Epoch, counted from 0.
        epoch: u64,
        /// Iteration in the epoch, counted from 0.
        iteration: u64,
        /// The panic's message.
        reason: String,
    },
    /// All epochs were delivered.
    #[error("the loader has delivered all of its {epochs} epochs")]
    #[code(LoaderFinished)]
    Finished {
        /// Total epochs.
        epochs: u64,
    },
    /// The work was cancelled.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Error {
    pub(crate) fn chain(case: Option<&str>, source: augment::Error) -> Self {
        Self::Augment {
            case: case.map(str::to_owned),
            source: Arc::new(source),
        }
    }
}
