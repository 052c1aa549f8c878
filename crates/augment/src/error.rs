//! Errors of this crate.

/// Error of this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error, run::Coded)]
pub enum Error {
    /// An option has an invalid value.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// The shape of a sample does not match the chain.
    #[error("{array} of the sample: expected {expected}, found shape (c, z, y, x) = {found:?}")]
    #[code(AugmentShape)]
    Shape {
        /// `data`, `seg`, `weightmap`, or a buffer of the destination.
        array: &'static str,
        /// The expected shape.
        expected: String,
        /// The shape found.
        found: [usize; 4],
    },
    /// A destination buffer has the wrong length.
    #[error("destination buffer `{buffer}`: expected {expected} elements, found {found}")]
    #[code(AugmentLength)]
    Length {
        /// `data`, `target` or `weight`.
        buffer: &'static str,
        /// Expected number of elements.
        expected: usize,
        /// Number of elements found.
        found: usize,
    },
}
