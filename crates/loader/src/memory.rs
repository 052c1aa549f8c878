//! Memory of a loader, known before it starts.

use serde::Serialize;

/// Upper bound of a loader's memory in bytes, by purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemoryUse {
    /// One batch: data, targets, weights.
    pub batch: usize,
    /// Number of batches: in progress, ready, and one with the consumer.
    pub batches: usize,
    /// Loaded patches and workspaces of all threads.
    pub scratch: usize,
    /// Class locations and annotation indices.
    pub sampling: usize,
    /// Decompressed cases, if patches are read directly from npz files.
    pub cache: usize,
}

impl MemoryUse {
    /// The sum.
    pub fn total(&self) -> usize {
        self.batch * self.batches + self.scratch + self.sampling + self.cache
    }
}
