//! Errors of this crate.

use std::path::{Path, PathBuf};

use tch::TchError;

use crate::memory::OutOfMemory;

/// An error of libtorch, a device, the network or a checkpoint.
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
    #[error("out of memory on {device}: {asked} asked for, {free} free; {advice} ({reason})")]
    #[code(OutOfMemory)]
    OutOfMemory {
        /// Device without enough memory.
        device: &'static str,
        /// Amount of memory that was asked for, as far as it is known.
        asked: String,
        /// Free memory of the device, as far as it is known.
        free: String,
        /// What to do.
        advice: String,
        /// libtorch's message.
        reason: String,
    },
    /// The ranks of a training could not exchange data: one is gone, or did not take part in time.
    #[error("the ranks could not exchange data: {reason}")]
    #[code(Collective)]
    Collective {
        /// Message of torch's communication library.
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
    /// An invalid architecture.
    #[error(transparent)]
    #[code(transparent)]
    Recipe(#[from] recipe::Error),
    /// The plans of nnU-Net v2 describe another network.
    #[error(transparent)]
    #[code(transparent)]
    Architecture(#[from] v2::ArchitectureError),
    /// A pickle or checkpoint cannot be read or written.
    #[error(transparent)]
    #[code(transparent)]
    Pickle(#[from] pickle::Error),
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Recognises out-of-memory errors by libtorch's message.
    pub(crate) fn torch(message: &str) -> Self {
        // A stack trace follows the message.
        let trace = ["\nException raised from", "\nframe #"];
        let end = trace.iter().filter_map(|start| message.find(start)).min();
        let message = message[..end.unwrap_or(message.len())]
            .trim()
            .trim_start_matches("Internal torch error: ")
            .to_owned();
        if let Some((_, reason)) = message.split_once("ERR_COLLECTIVE: ") {
            let reason = reason.to_owned();
            return Self::Collective { reason };
        }
        match OutOfMemory::parse(&message) {
            Some(found) => found.with(message),
            None => Self::Torch { reason: message },
        }
    }

    /// The same error, of lack of memory with this advice.
    #[must_use]
    pub fn advise(mut self, text: impl FnOnce() -> String) -> Self {
        if let Self::OutOfMemory { advice, .. } = &mut self {
            *advice = text();
        }
        self
    }

    /// A [`Network`](Self::Network) error.
    pub fn network(problem: impl Into<String>) -> Self {
        Self::Network {
            problem: problem.into(),
        }
    }

    /// The same error; one of the network names the checkpoint whose parameters do not fit.
    #[must_use]
    pub fn in_checkpoint(self, path: &Path) -> Self {
        match self {
            Self::Network { problem } => Self::checkpoint(path, problem),
            other => other,
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
    use super::*;

    #[test]
    fn libtorch_messages_lose_their_stack_traces() {
        let error =
            Error::torch("The size of tensor a (3) must match\nException raised from infer_size at y.cpp:12");
        assert_eq!(error.to_string(), "libtorch: The size of tensor a (3) must match");
    }
}
