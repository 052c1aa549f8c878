//! Errors of this crate.

/// Errors of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, run::Coded)]
pub enum Error {
    /// The image has more than three axes, or none.
    #[error("an image needs 1, 2 or 3 axes to label its components, but it has {found}")]
    #[code(ComponentRank)]
    Rank {
        /// Number of axes of the image.
        found: usize,
    },
    /// The image has too many runs for 32-bit component numbers.
    #[error("the image has {found} runs of voxels; expected fewer than 2³², because component numbers have 32 bits")]
    #[code(ComponentSize)]
    TooManyRuns {
        /// Number of runs, or of voxels in one row.
        found: usize,
    },
}
