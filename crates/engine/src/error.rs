//! Errors of this crate.

use std::path::{Path, PathBuf};

use run::Cancelled;
use tch::TchError;

/// An error of training or prediction.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// A libtorch operation failed.
    #[error("libtorch: {reason}")]
    #[code(Torch)]
    Torch {
        /// libtorch's message without its stack trace.
        reason: String,
    },
    /// The device has too little free memory.
    #[error(
        "out of memory on {device}: {reason}; lower the batch size or the patch size, \
         use --precision float16 or bfloat16, or free the device of other processes"
    )]
    #[code(OutOfMemory)]
    OutOfMemory {
        /// Device without enough memory.
        device: String,
        /// libtorch's message.
        reason: String,
    },
    /// The requested device is not available on this machine or with this libtorch.
    #[error("device {requested} is not available: {found}; use --device auto or one of: {available}")]
    #[code(Device)]
    Device {
        /// The requested device.
        requested: String,
        /// The devices found.
        found: String,
        /// Available devices.
        available: String,
    },
    /// The device does not support the precision.
    #[error("precision {requested} is not supported on {device}: {problem}")]
    #[code(Precision)]
    Precision {
        /// The requested precision.
        requested: String,
        /// The device.
        device: String,
        /// The reason, and the supported values.
        problem: String,
    },
    /// An option has an invalid value.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// The network cannot be built, or does not accept patches of this size.
    #[error("network: {problem}")]
    #[code(Network)]
    Network {
        /// The found and the expected value.
        problem: String,
    },
    /// A checkpoint or model folder is invalid.
    #[error("{path}: {problem}")]
    #[code(Checkpoint)]
    Checkpoint {
        /// File or folder.
        path: PathBuf,
        /// The found and the expected content.
        problem: String,
    },
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

/// Result of training or prediction.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Recognises out-of-memory errors by libtorch's message.
    pub(crate) fn torch(message: &str) -> Self {
        // The first line is the message; the rest is a stack trace.
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
                reason: message,
            };
        }
        Self::Torch { reason: message }
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

#[cfg(test)]
mod tests {
    use run::Coded;

    use super::*;

    #[test]
    fn libtorch_messages_give_memory_errors_and_lose_stack_traces() {
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
