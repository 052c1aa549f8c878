//! Errors of this crate.

/// Errors of this crate.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// An option has an invalid value.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// The caller asked to stop.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] run::Cancelled),
    /// The threads could not be started.
    #[error(transparent)]
    #[code(transparent)]
    Threads(#[from] run::ThreadsError),
    /// Something that the estimate needs does not exist or cannot be read. It becomes a part of the result.
    #[error("{0}")]
    #[code(Internal)]
    Unknown(String),
}

/// What a crate cannot read is told in the result.
macro_rules! unknown {
    ($($error:ty),*) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::Unknown(error.to_string())
            }
        })*
    };
}

unknown!(
    dataset::Error,
    weightmap::Error,
    ensemble::Error,
    recipe::Error,
    loader::Error
);

impl From<preprocess::Error> for Error {
    fn from(error: preprocess::Error) -> Self {
        match error {
            preprocess::Error::Cancelled(cancelled) => Self::Cancelled(cancelled),
            other => Self::Unknown(other.to_string()),
        }
    }
}
