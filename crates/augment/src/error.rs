//! What can go wrong when a chain of transforms is built or run.

use serde_json::{json, Value};

/// Error of this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// An option has a value that no chain can be built from.
    #[error("augmentation option `{option}`: expected {expected}, found {found}")]
    Option {
        /// Name of the option, as in JSON.
        option: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A sample does not have the shape that the chain was built for.
    #[error("{array} of the sample: expected {expected}, found shape (c, z, y, x) = {found:?}")]
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
    Length {
        /// `data`, `target` or `weight`.
        buffer: &'static str,
        /// Number of elements needed.
        expected: usize,
        /// Number of elements found.
        found: usize,
    },
}

impl run::Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Option { .. } => "ERR_AUGMENT_OPTION",
            Self::Shape { .. } => "ERR_AUGMENT_SHAPE",
            Self::Length { .. } => "ERR_AUGMENT_LENGTH",
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Option {
                option,
                expected,
                found,
            } => {
                json!({ "option": option, "expected": expected, "found": found })
            }
            Self::Shape {
                array,
                expected,
                found,
            } => {
                json!({ "array": array, "expected": expected, "found": found })
            }
            Self::Length {
                buffer,
                expected,
                found,
            } => {
                json!({ "buffer": buffer, "expected": expected, "found": found })
            }
        }
    }
}
