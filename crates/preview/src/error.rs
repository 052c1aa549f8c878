//! Errors of this crate.

/// An error of [`crate::preview`].
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// An option has an invalid value.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// An error of the recipe or the data.
    #[error(transparent)]
    #[code(transparent)]
    Recipe(#[from] recipe::Error),
    /// A case or batch cannot be loaded, or the work was cancelled.
    #[error(transparent)]
    #[code(transparent)]
    Loader(#[from] loader::Error),
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
