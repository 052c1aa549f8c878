//! Errors of this crate.

/// An image whose components cannot be labelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, run::Coded)]
pub enum Error {
    /// More axes than components can be labelled in.
    #[error("components are labelled in 1, 2 or 3 axes, not in {found}")]
    #[code(ComponentRank)]
    Rank {
        /// Axes of the image.
        found: usize,
    },
    /// An image beyond what 32-bit component numbers can hold.
    #[error("the image has {found} runs of voxels; components are numbered with 32 bits")]
    #[code(ComponentSize)]
    TooManyRuns {
        /// Runs, or voxels of one row.
        found: usize,
    },
}
