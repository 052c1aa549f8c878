//! What can go wrong in training and prediction.

use std::path::{Path, PathBuf};

use run::{Cancelled, Coded};
use serde_json::{json, Value};
use tch::TchError;

/// An error of training or prediction: what was found, what was expected, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// libtorch refused an operation.
    #[error("libtorch: {message}")]
    Torch {
        /// libtorch's own words, without its stack trace.
        message: String,
    },
    /// The device has too little free memory.
    #[error(
        "out of memory on {device}: {message}; lower the batch size or the patch size, use --precision float16 or \
         bfloat16, or free the device of other processes"
    )]
    OutOfMemory {
        /// Device that ran out.
        device: String,
        /// libtorch's own words.
        message: String,
    },
    /// A device was asked for that this machine or this libtorch does not offer.
    #[error("device {requested} is not available: {found}; use --device auto or one of: {available}")]
    Device {
        /// What was asked for.
        requested: String,
        /// What was found instead.
        found: String,
        /// Devices that can be used.
        available: String,
    },
    /// A precision that the device cannot compute with.
    #[error("precision {requested} cannot be used on {device}: {reason}")]
    Precision {
        /// What was asked for.
        requested: String,
        /// Device it was asked for on.
        device: String,
        /// Why not, and what can be used.
        reason: String,
    },
    /// Options that cannot be used.
    #[error(transparent)]
    Option(#[from] run::OptionError),
    /// A network that cannot be built or cannot take patches of this size.
    #[error("network: {problem}")]
    Network {
        /// What was found and what is expected.
        problem: String,
    },
    /// A checkpoint or model folder that cannot be used.
    #[error("{path}: {problem}")]
    Checkpoint {
        /// File or folder.
        path: PathBuf,
        /// What was found and what is expected.
        problem: String,
    },
    /// The loss is not a number, so that going on would destroy the network.
    #[error(
        "the {quantity} became {value} in epoch {epoch}, iteration {iteration} (cases {cases}); the last good state is \
         {kept}; lower the initial learning rate, or train with --precision float32"
    )]
    Diverged {
        /// What diverged: the loss, or the gradients many times in a row.
        quantity: &'static str,
        /// The value found.
        value: f64,
        /// Epoch, counted from 0.
        epoch: u64,
        /// Iteration in the epoch, counted from 0.
        iteration: u64,
        /// Cases of the batch.
        cases: String,
        /// Checkpoint written before, or that there is none.
        kept: String,
    },
    /// A label in the data that the plans do not know.
    #[error(
        "{problem}; expected labels 0..={highest}{ignored}; check the segmentations with `nnunet-diag check`"
    )]
    Label {
        /// What was found.
        problem: String,
        /// Highest class.
        highest: i64,
        /// The ignore label, in words, or empty.
        ignored: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// File concerned.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// The verb was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The recipe, or the data to train on.
    #[error(transparent)]
    Recipe(#[from] recipe::Error),
    /// An error of another part of the work.
    #[error("{message}")]
    Part {
        /// Its stable code.
        code: &'static str,
        /// Its message.
        message: String,
        /// Its facts.
        details: Value,
    },
}

/// Result of training or prediction.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Adapts another crate's error, keeping its code, message and facts.
    pub fn part(error: &dyn Coded) -> Self {
        Self::Part {
            code: error.code(),
            message: error.to_string(),
            details: error.details(),
        }
    }

    /// Tells out-of-memory errors from others by libtorch's words.
    pub(crate) fn torch(message: &str) -> Self {
        // The first line says what happened; the rest is where in libtorch.
        let end = message.find("\nException raised from").unwrap_or(message.len());
        let message = message[..end]
            .trim()
            .trim_start_matches("Internal torch error: ")
            .to_owned();
        let lower = message.to_lowercase();
        if lower.contains("out of memory") || lower.contains("can't allocate memory") {
            let device = if lower.contains("cuda") { "CUDA" } else { "the CPU" };
            return Self::OutOfMemory {
                device: device.to_owned(),
                message,
            };
        }
        Self::Torch { message }
    }

    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn network(problem: impl Into<String>) -> Self {
        Self::Network {
            problem: problem.into(),
        }
    }

    pub(crate) fn checkpoint(path: &Path, problem: impl Into<String>) -> Self {
        Self::Checkpoint {
            path: path.to_owned(),
            problem: problem.into(),
        }
    }
}

impl From<TchError> for Error {
    fn from(error: TchError) -> Self {
        match error {
            TchError::Torch(message) => Self::torch(&message),
            other => Self::torch(&other.to_string()),
        }
    }
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Torch { .. } => "ERR_TORCH",
            Self::OutOfMemory { .. } => "ERR_OUT_OF_MEMORY",
            Self::Device { .. } => "ERR_DEVICE",
            Self::Precision { .. } => "ERR_PRECISION",
            Self::Option(e) => e.code(),
            Self::Network { .. } => "ERR_NETWORK",
            Self::Checkpoint { .. } => "ERR_CHECKPOINT",
            Self::Diverged { .. } => "ERR_DIVERGED",
            Self::Label { .. } => "ERR_LABEL_RANGE",
            Self::Io { .. } => "ERR_IO",
            Self::Cancelled(cancelled) => cancelled.code(),
            Self::Recipe(source) => source.code(),
            Self::Part { code, .. } => code,
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Torch { message } => json!({ "message": message }),
            Self::OutOfMemory { device, message } => json!({ "device": device, "message": message }),
            Self::Device {
                requested,
                found,
                available,
            } => {
                json!({ "requested": requested, "found": found, "available": available })
            }
            Self::Precision {
                requested,
                device,
                reason,
            } => {
                json!({ "requested": requested, "device": device, "reason": reason })
            }
            Self::Option(e) => e.details(),
            Self::Network { problem } => json!({ "problem": problem }),
            Self::Checkpoint { path, problem } => json!({ "path": path, "problem": problem }),
            Self::Diverged {
                quantity,
                value,
                epoch,
                iteration,
                cases,
                kept,
            } => json!({
                "quantity": quantity, "value": value.to_string(), "epoch": epoch, "iteration": iteration, "cases": cases, "kept": kept
            }),
            Self::Label { problem, highest, .. } => json!({ "problem": problem, "highest": highest }),
            Self::Io { path, source } => json!({ "path": path, "kind": source.kind().to_string() }),
            Self::Cancelled(_) => Value::Null,
            Self::Recipe(source) => source.details(),
            Self::Part { details, .. } => details.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_errors_are_told_apart_and_traces_cut() {
        let error = Error::torch(
            "CUDA out of memory. Tried to allocate 2 GiB.\nException raised from malloc at x.cpp",
        );
        assert_eq!(error.code(), "ERR_OUT_OF_MEMORY");
        assert!(!error.to_string().contains("x.cpp"), "{error}");
        let error =
            Error::torch("The size of tensor a (3) must match\nException raised from infer_size at y.cpp:12");
        assert_eq!(error.to_string(), "libtorch: The size of tensor a (3) must match");
    }
}
