//! What can go wrong in a preview.

use run::Coded;
use serde_json::Value;

/// An error of [`crate::preview`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Options that cannot be used.
    #[error(transparent)]
    Option(#[from] run::OptionError),
    /// The recipe, or the data.
    #[error(transparent)]
    Recipe(#[from] recipe::Error),
    /// The cases cannot be opened, a batch cannot be made, or the work was cancelled.
    #[error(transparent)]
    Loader(#[from] loader::Error),
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Option(source) => source.code(),
            Self::Recipe(source) => source.code(),
            Self::Loader(source) => source.code(),
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Option(source) => source.details(),
            Self::Recipe(source) => source.details(),
            Self::Loader(source) => source.details(),
        }
    }
}
