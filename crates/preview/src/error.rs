//! Errors of this crate.

/// An error of [`crate::preview`].
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// An option has a value that cannot be used.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// The recipe, or the data.
    #[error(transparent)]
    #[code(transparent)]
    Recipe(#[from] recipe::Error),
    /// The cases cannot be opened, a batch cannot be made, or the work was cancelled.
    #[error(transparent)]
    #[code(transparent)]
    Loader(#[from] loader::Error),
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
