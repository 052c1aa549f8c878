//! Errors of this crate.

use std::path::{Path, PathBuf};

use run::Cancelled;
use tch::TchError;

/// An error of training or prediction: what was found, what was expected, where, and what to do.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// libtorch refused an operation.
    #[error("libtorch: {reason}")]
    #[code(Torch)]
    Torch {
        /// libtorch's own words, without its stack trace.
        reason: String,
    },
    /// The device has too little free memory.
    #[error(
        "out of memory on {device}: {reason}; lower the batch size or the patch size, use --precision float16 or \
         bfloat16, or free the device of other processes"
    )]
    #[code(OutOfMemory)]
    OutOfMemory {
        /// Device that ran out.
        device: String,
        /// libtorch's own words.
        reason: String,
    },
    /// A device was asked for that this machine or this libtorch does not offer.
    #[error("device {requested} is not available: {found}; use --device auto or one of: {available}")]
    #[code(Device)]
    Device {
        /// What was asked for.
        requested: String,
        /// What was found instead.
        found: String,
        /// Devices that can be used.
        available: String,
    },
    /// A precision that the device cannot compute with.
    #[error("precision {requested} cannot be used on {device}: {problem}")]
    #[code(Precision)]
    Precision {
        /// What was asked for.
        requested: String,
        /// Device it was asked for on.
        device: String,
        /// Why not, and what can be used.
        problem: String,
    },
    /// An option has a value that cannot be used.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// A network that cannot be built or cannot take patches of this size.
    #[error("network: {problem}")]
    #[code(Network)]
    Network {
        /// What was found and what is expected.
        problem: String,
    },
    /// A checkpoint or model folder that cannot be used.
    #[error("{path}: {problem}")]
    #[code(Checkpoint)]
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
    #[code(Diverged)]
    Diverged {
        /// What diverged: the loss, or the gradients many times in a row.
        quantity: &'static str,
        /// The value found.
        #[detail(name = "found", text)]
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
    #[code(LabelRange)]
    Label {
        /// What was found.
        problem: String,
        /// Highest class.
        highest: i64,
        /// The ignore label, in words, or empty.
        #[detail(skip)]
        ignored: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    #[code(io(Io))]
    Io {
        /// File concerned.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// The verb was cancelled.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] Cancelled),
    /// The recipe, or the data to train on.
    #[error(transparent)]
    #[code(transparent)]
    Recipe(#[from] recipe::Error),
    /// A task, its plans or its folders.
    #[error(transparent)]
    #[code(transparent)]
    Dataset(#[from] dataset::Error),
    /// A pickle or checkpoint that cannot be read or written.
    #[error(transparent)]
    #[code(transparent)]
    Pickle(#[from] pickle::Error),
    /// A file that cannot be written.
    #[error(transparent)]
    #[code(transparent)]
    Storage(#[from] storage::Error),
    /// A batch that cannot be made.
    #[error(transparent)]
    #[code(transparent)]
    Loader(#[from] loader::Error),
}

/// Result of training or prediction.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
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
