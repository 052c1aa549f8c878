use run::Coded;

/// Errors of this crate.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Coded)]
pub enum Error {
    /// The mask has no axis, or more than three.
    #[error("a distance transform needs 1 to 3 axes, but the mask has {found}")]
    #[code(EdtRank)]
    #[detail(expected = [1, 2, 3])]
    Rank {
        /// Axes found.
        found: usize,
    },
    /// The number of spacings differs from the number of axes.
    #[error("expected one spacing for each of the {expected} axes, but got {found}")]
    #[code(EdtSpacing)]
    SpacingCount {
        /// Number of spacings.
        found: usize,
        /// Number of axes of the mask.
        expected: usize,
    },
    /// A spacing is not a positive number, or its square exceeds float32.
    #[error("the spacing of axis {axis} is {found}; expected a number from 1e-12 to 1e12")]
    #[code(EdtSpacing)]
    Spacing {
        /// Axis, counted from 0.
        axis: usize,
        /// Spacing of that axis.
        #[detail(text)]
        found: f64,
    },
    /// The bound is negative or not a number.
    #[error("the bound on the distance is {found}; expected 0 or more")]
    #[code(EdtBound)]
    Bound {
        /// The bound.
        #[detail(text)]
        found: f32,
    },
    /// The shape of the output differs from that of the mask.
    #[error("the output has shape {found:?}, but the mask has {expected:?}")]
    #[code(EdtShape)]
    Shape {
        /// Shape of the output.
        found: Vec<usize>,
        /// Shape of the mask.
        expected: Vec<usize>,
    },
    /// The caller asked to stop.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] run::Cancelled),
    /// The output is not one contiguous block in C order.
    #[error("the output of shape {shape:?} is not contiguous in C order")]
    #[code(EdtLayout)]
    Layout {
        /// Shape of the output.
        shape: Vec<usize>,
    },
}
