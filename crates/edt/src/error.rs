use run::Coded;
use serde_json::{json, Value};

/// Why a distance transform was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The mask has no axis, or more than three.
    #[error("a distance transform needs 1 to 3 axes, but the mask has {found}")]
    Rank {
        /// Axes found.
        found: usize,
    },
    /// Not one spacing for each axis.
    #[error("expected one spacing for each of the {expected} axes, but got {found}")]
    SpacingCount {
        /// Values given.
        found: usize,
        /// Axes of the mask.
        expected: usize,
    },
    /// A spacing that is not a positive number, or whose square float32 cannot hold.
    #[error("the spacing of axis {axis} is {found}; expected a number from 1e-12 to 1e12")]
    Spacing {
        /// Axis, counted from 0.
        axis: usize,
        /// The value given.
        found: f64,
    },
    /// A bound that is negative or not a number.
    #[error("the bound on the distance is {found}; expected 0 or more")]
    Bound {
        /// The value given.
        found: f32,
    },
    /// The output's shape is not the mask's.
    #[error("the output has shape {found:?}, but the mask has {expected:?}")]
    Shape {
        /// Shape of the output.
        found: Vec<usize>,
        /// Shape of the mask.
        expected: Vec<usize>,
    },
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] run::Cancelled),
    /// The output is not one contiguous block in C order.
    #[error("the output of shape {shape:?} is not contiguous in C order")]
    Layout {
        /// Shape of the output.
        shape: Vec<usize>,
    },
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Cancelled(e) => e.code(),
            Self::Rank { .. } => "ERR_EDT_RANK",
            Self::SpacingCount { .. } | Self::Spacing { .. } => "ERR_EDT_SPACING",
            Self::Bound { .. } => "ERR_EDT_BOUND",
            Self::Shape { .. } => "ERR_EDT_SHAPE",
            Self::Layout { .. } => "ERR_EDT_LAYOUT",
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Cancelled(e) => e.details(),
            Self::Rank { found } => json!({ "found": found, "expected": [1, 2, 3] }),
            Self::SpacingCount { found, expected } => json!({ "found": found, "expected": expected }),
            // JSON has no NaN and no infinity.
            Self::Spacing { axis, found } => json!({ "axis": axis, "found": found.to_string() }),
            Self::Bound { found } => json!({ "found": found.to_string() }),
            Self::Shape { found, expected } => json!({ "found": found, "expected": expected }),
            Self::Layout { shape } => json!({ "shape": shape }),
        }
    }
}
