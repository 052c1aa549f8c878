//! Sets of voxels as sorted runs, in their byte representation on disk.

use std::ops::Range;

use memmap2::Mmap;

/// Bytes of one run: its first voxel and the number of voxels up to its end, both `u64` little-endian.
pub(crate) const RUN_BYTES: usize = 16;

/// The bytes of an index: in memory, or mapped from its file, so that only the searched pages are read.
#[derive(Debug)]
pub(crate) enum Bytes {
    /// Built in this process and not written to disk.
    Owned(Vec<u8>),
    /// The index file beside the case.
    Mapped(Mmap),
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes,
            Self::Mapped(map) => map,
        }
    }
}

/// Collects flat voxel indices in ascending order into runs.
#[derive(Debug, Default)]
pub(crate) struct RunBuilder {
    bytes: Vec<u8>,
    open: Option<Range<u64>>,
    voxels: u64,
}

impl RunBuilder {
    /// Adds the voxels `range`. It must not begin before the end of the previous range.
    pub(crate) fn push(&mut self, range: Range<u64>) {
        match &mut self.open {
            Some(open) if open.end == range.start => open.end = range.end,
            _ => {
                self.close();
                self.open = Some(range);
            }
        }
    }

    fn close(&mut self) {
        if let Some(run) = self.open.take() {
            self.voxels += run.end - run.start;
            self.bytes.extend_from_slice(&run.start.to_le_bytes());
            self.bytes.extend_from_slice(&self.voxels.to_le_bytes());
        }
    }

    /// Returns the bytes of the runs and their number of voxels.
    pub(crate) fn finish(mut self) -> (Vec<u8>, u64) {
        self.close();
        (self.bytes, self.voxels)
    }
}

/// Position of one set of runs in the bytes of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Runs {
    /// Offset of the first run in the bytes.
    pub(crate) offset: usize,
    /// Number of runs.
    pub(crate) count: usize,
    /// Number of voxels in them.
    pub(crate) voxels: u64,
}

impl Runs {
    fn word(&self, bytes: &[u8], run: usize, word: usize) -> u64 {
        let at = self.offset + run * RUN_BYTES + word * 8;
        let mut value = [0; 8];
        // Bounds were checked when the index was opened. A file truncated later reads as zeros at worst.
        if let Some(found) = bytes.get(at..at + 8) {
            value.copy_from_slice(found);
        }
        u64::from_le_bytes(value)
    }

    fn start(&self, bytes: &[u8], run: usize) -> u64 {
        self.word(bytes, run, 0)
    }

    /// Number of voxels in all runs up to and including `run`.
    fn up_to(&self, bytes: &[u8], run: usize) -> u64 {
        self.word(bytes, run, 1)
    }

    /// The flat index of the voxel of rank `rank` (from 0) in ascending order; `O(log runs)`.
    pub(crate) fn voxel(&self, bytes: &[u8], rank: u64) -> u64 {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.up_to(bytes, middle) <= rank {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let before = if low == 0 { 0 } else { self.up_to(bytes, low - 1) };
        self.start(bytes, low) + (rank - before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_rank_gives_the_listed_voxel(mask in prop::collection::vec(any::<bool>(), 0..300)) {
            let mut builder = RunBuilder::default();
            let listed: Vec<u64> = (0..mask.len() as u64).filter(|i| mask[*i as usize]).collect();
            listed.iter().for_each(|&i| builder.push(i..i + 1));
            let (bytes, voxels) = builder.finish();
            prop_assert_eq!(voxels, listed.len() as u64);
            let runs = Runs { offset: 0, count: bytes.len() / RUN_BYTES, voxels };
            let changes = mask.windows(2).filter(|w| w[1] && !w[0]).count() + usize::from(mask.first() == Some(&true));
            prop_assert_eq!(runs.count, changes, "neighbours share a run");
            let found: Vec<u64> = (0..voxels).map(|rank| runs.voxel(&bytes, rank)).collect();
            prop_assert_eq!(found, listed);
        }
    }
}
