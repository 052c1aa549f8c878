//! Errors of this crate.

/// Error of this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error, run::Coded)]
pub enum Error {
    /// An option has a value that no chain can be built from.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// A sample does not have the shape that the chain was built for.
    #[error("{array} of the sample: expected {expected}, found shape (c, z, y, x) = {found:?}")]
    #[code(AugmentShape)]
    Shape {
        /// `data`, `seg`, `weightmap`, or a buffer of the destination.
        array: &'static str,
        /// What the chain needs.
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
        /// Number of elements needed.
        expected: usize,
        /// Number of elements found.
        found: usize,
    },
}
