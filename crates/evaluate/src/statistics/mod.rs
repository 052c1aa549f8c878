//! Statistics over cases.

mod bootstrap;
mod wilcoxon;

pub use bootstrap::{confidence_interval, Bootstrap};
pub use wilcoxon::{signed_rank, SignedRank};
