//! What can go wrong while batches are made.

use std::sync::Arc;

use run::{Cancelled, Coded};
use serde_json::{json, Value};

/// Error of this crate. Clones share their sources.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// An option has a value that no loader can be built from.
    #[error("loader option `{option}`: expected {expected}, found {found}")]
    Option {
        /// Name of the option, as in JSON.
        option: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The cases cannot be opened, or a patch cannot be read.
    #[error(transparent)]
    Sampling(#[from] sampling::Error),
    /// A sample of a case cannot be augmented, or the chain cannot be built.
    #[error("{}{source}", case.as_ref().map_or_else(String::new, |case| format!("case {case}: ")))]
    Augment {
        /// The case, where it is a sample.
        case: Option<String>,
        /// What is wrong.
        source: Arc<augment::Error>,
    },
    /// A loaded patch has no annotated voxel, under the fork's sampling rule.
    #[error("case {case}: the patch loaded for sample {sample} of iteration {iteration} in epoch {epoch} has no annotated voxel, \
        which the fork's sampling rule cannot use; take sampling `annotated`, which draws from the whole case")]
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
    /// There is no memory for another batch.
    #[error("cannot allocate {bytes} bytes for a batch: {message}; lower the number of loader threads or the queue length")]
    Memory {
        /// Bytes asked for.
        bytes: usize,
        /// The allocator's own words.
        message: String,
    },
    /// A thread could not be started.
    #[error("cannot start a loader thread: {message}")]
    Thread {
        /// The system's own words.
        message: String,
    },
    /// A bug: a loader thread panicked.
    #[error("internal error in a loader thread at iteration {iteration} of epoch {epoch}: {message}; please report it")]
    Internal {
        /// Epoch, counted from 0.
        epoch: u64,
        /// Iteration in the epoch, counted from 0.
        iteration: u64,
        /// The panic's message.
        message: String,
    },
    /// All epochs were delivered.
    #[error("the loader has delivered all of its {epochs} epochs")]
    Finished {
        /// Epochs in all.
        epochs: u64,
    },
    /// The work was cancelled.
    #[error(transparent)]
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

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Option { .. } => "ERR_LOADER_OPTION",
            Self::Sampling(source) => source.code(),
            Self::Augment { source, .. } => source.code(),
            Self::NoAnnotationInPatch { .. } => "ERR_NO_ANNOTATION_IN_PATCH",
            Self::Memory { .. } => "ERR_OUT_OF_MEMORY",
            Self::Thread { .. } => "ERR_THREAD",
            Self::Internal { .. } => "ERR_INTERNAL",
            Self::Finished { .. } => "ERR_LOADER_FINISHED",
            Self::Cancelled(source) => source.code(),
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Option {
                option,
                expected,
                found,
            } => {
                json!({ "option": option, "expected": expected, "found": found })
            }
            Self::Sampling(source) => source.details(),
            Self::Augment { case, source } => {
                let mut facts = source.details();
                if let (Some(case), Value::Object(facts)) = (case, &mut facts) {
                    facts.insert("case".to_owned(), json!(case));
                }
                facts
            }
            Self::NoAnnotationInPatch {
                case,
                epoch,
                iteration,
                sample,
            } => {
                json!({ "case": case, "epoch": epoch, "iteration": iteration, "sample": sample })
            }
            Self::Memory { bytes, message } => json!({ "bytes": bytes, "os": message }),
            Self::Thread { message } => json!({ "os": message }),
            Self::Internal {
                epoch,
                iteration,
                message,
            } => {
                json!({ "epoch": epoch, "iteration": iteration, "message": message })
            }
            Self::Finished { epochs } => json!({ "epochs": epochs }),
            Self::Cancelled(source) => source.details(),
        }
    }
}
