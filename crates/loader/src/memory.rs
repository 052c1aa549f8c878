//! How much memory a loader takes, known before it starts.

use serde::Serialize;

/// Bytes that a loader holds at most, by what for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemoryUse {
    /// One batch: data, targets, weights.
    pub batch: usize,
    /// Batches alive at once: being made, ready, and one with the consumer.
    pub batches: usize,
    /// Loaded patches and working memory of all threads.
    pub scratch: usize,
    /// Class locations and annotation indices.
    pub sampling: usize,
    /// Inflated cases, where patches are read straight from npz files.
    pub cache: usize,
}

impl MemoryUse {
    /// All of it.
    pub fn total(&self) -> usize {
        self.batch * self.batches + self.scratch + self.sampling + self.cache
    }
}
