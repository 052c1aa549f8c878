//! The annotation index on disk: `<case>_annotation.idx` beside the case.
//!
//! The file is only a cache. It stores the size and modification time of its source file, and is rebuilt if
//! they differ. All words are 64-bit little-endian:
//!
//! | words | content |
//! |---|---|
//! | 1 | magic `nnDAidx2` |
//! | 3 | size, modification seconds and nanoseconds of the case's file |
//! | 3 | shape (z, y, x) |
//! | 2 | 1 where the case is dense; 1 where classes are indexed |
//! | 1 | number of sections |
//! | 3 each | class (first section: all classes, -1), number of runs, number of voxels |
//! | 1 | hash of all other words: FNV-1a, taking a word at a time |
//! | 2 a run | its first voxel, and the number of voxels of its section up to its end |

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use memmap2::Mmap;

use crate::annotation::AnnotationIndex;
use crate::meaning::Meaning;
use crate::runs::{Bytes, Runs, RUN_BYTES};

const MAGIC: u64 = u64::from_le_bytes(*b"nnDAidx2");
const FIXED_WORDS: usize = 10;
const SECTION_WORDS: usize = 3;
/// Upper bound of the number of classes. A larger number means that the file is damaged.
const MOST_SECTIONS: u64 = 1 << 17;

/// Size and modification time of a file, and how its labels are read, for detecting later changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    length: u64,
    seconds: u64,
    nanoseconds: u64,
    /// Hash of the ignored labels; 0 if there are none.
    ignored: u64,
}

impl Stamp {
    /// The same stamp for readers that count these labels as unlabelled.
    #[must_use]
    pub fn ignoring(self, labels: &[i16]) -> Self {
        let mut sorted = labels.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let bytes: Vec<u8> = sorted
            .iter()
            .flat_map(|&label| i64::from(label).to_le_bytes())
            .collect();
        // An even number: the word of the header also says whether -1 is background.
        let ignored = if sorted.is_empty() {
            0
        } else {
            hash(BASIS, &bytes) << 1
        };
        Self { ignored, ..self }
    }

    /// The current stamp of a file.
    ///
    /// # Errors
    /// The system's error if the file cannot be examined.
    pub fn of(path: &Path) -> io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        let modified = metadata
            .modified()?
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Ok(Self {
            length: metadata.len(),
            seconds: modified.as_secs(),
            nanoseconds: u64::from(modified.subsec_nanos()),
            ignored: 0,
        })
    }
}

/// Path of the index of a case.
pub fn index_path(folder: &Path, case: &str) -> PathBuf {
    folder.join(format!("{case}_annotation.idx"))
}

impl AnnotationIndex {
    /// Opens an index written by [`AnnotationIndex::write`] if it matches the stamp, shape, meaning and class
    /// indexing. Returns `None` if it is missing, stale or damaged; it must then be rebuilt.
    pub fn open(
        path: &Path,
        stamp: Stamp,
        shape: [usize; 3],
        meaning: Meaning,
        by_class: bool,
    ) -> Option<Self> {
        let file = File::open(path).ok()?;
        // SAFETY: index files are only replaced by a rename, never written in place, so the mapped bytes do
        // not change. They are read as plain bytes, for which every value is valid.
        let bytes = unsafe { Mmap::map(&file) }.ok()?;
        let word = |i: usize| Some(u64::from_le_bytes(bytes.get(i * 8..i * 8 + 8)?.try_into().ok()?));
        let expected = header(stamp, shape, meaning);
        let matches = expected
            .iter()
            .enumerate()
            .all(|(i, value)| word(i) == Some(*value));
        let (indexed_by_class, sections) = (word(8)? == 1, word(9)?);
        if !matches || (by_class && !indexed_by_class) || sections == 0 || sections > MOST_SECTIONS {
            return None;
        }
        let end = FIXED_WORDS + sections as usize * SECTION_WORDS;
        let (head, rest) = (bytes.get(..end * 8)?, bytes.get((end + 1) * 8..)?);
        if word(end)? != hash(hash(BASIS, head), rest) {
            return None;
        }
        let mut offset = (end + 1) * 8;
        let mut runs = Vec::with_capacity(sections as usize);
        for section in 0..sections as usize {
            let at = FIXED_WORDS + section * SECTION_WORDS;
            let (class, count, voxels) = (
                word(at)? as i64,
                usize::try_from(word(at + 1)?).ok()?,
                word(at + 2)?,
            );
            runs.push((
                i16::try_from(class).ok()?,
                Runs {
                    offset,
                    count,
                    voxels,
                },
            ));
            offset = offset.checked_add(count.checked_mul(RUN_BYTES)?)?;
        }
        let all = runs.remove(0).1;
        (offset == bytes.len()).then_some(Self {
            shape,
            all,
            classes: runs,
            bytes: Bytes::Mapped(bytes),
        })
    }

    /// Writes the index atomically.
    ///
    /// # Errors
    /// The errors of [`storage::write_atomic`].
    pub fn write(&self, path: &Path, stamp: Stamp, meaning: Meaning) -> Result<(), storage::Error> {
        let mut words = header(stamp, self.shape, meaning).to_vec();
        words.extend([u64::from(!self.classes.is_empty()), 1 + self.classes.len() as u64]);
        let sections =
            std::iter::once((-1, &self.all)).chain(self.classes.iter().map(|(c, runs)| (*c, runs)));
        for (class, runs) in sections.clone() {
            words.extend([i64::from(class) as u64, runs.count as u64, runs.voxels]);
        }
        let mut head: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let runs = || {
            sections
                .clone()
                .map(|(_, runs)| &self.bytes[runs.offset..runs.offset + runs.count * RUN_BYTES])
        };
        let checked = runs().fold(hash(BASIS, &head), hash);
        head.extend(checked.to_le_bytes());
        storage::write_atomic(path, |file| {
            file.write_all(&head)?;
            runs().try_for_each(|bytes| file.write_all(bytes))
        })
    }
}

/// The header words that must match for an index to be valid.
fn header(stamp: Stamp, shape: [usize; 3], meaning: Meaning) -> [u64; 8] {
    let [z, y, x] = shape.map(|n| n as u64);
    let dense = u64::from(meaning == Meaning::Dense);
    [
        MAGIC,
        stamp.length,
        stamp.seconds,
        stamp.nanoseconds,
        z,
        y,
        x,
        dense | stamp.ignored,
    ]
}

/// Initial state of the hash.
const BASIS: u64 = 0xCBF2_9CE4_8422_2325;

/// Hashes whole words into `state`. Each step is invertible, so a change of a single word always changes the
/// hash.
fn hash(state: u64, bytes: &[u8]) -> u64 {
    bytes.as_chunks::<8>().0.iter().fold(state, |hash, word| {
        (hash ^ u64::from_le_bytes(*word)).wrapping_mul(0x0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHAPE: [usize; 3] = [2, 3, 4];

    fn labels() -> Vec<f32> {
        (0..24).map(|i| [-1.0, 0.0, 1.0, 1.0, -1.0][i % 5]).collect()
    }

    fn written(folder: &Path, by_class: bool) -> (PathBuf, Stamp, AnnotationIndex) {
        let source = folder.join("case.npy");
        std::fs::write(&source, "content").unwrap();
        let stamp = Stamp::of(&source).unwrap();
        let path = index_path(folder, "case");
        let index = AnnotationIndex::build(&labels(), SHAPE, Meaning::Sparse, by_class);
        index.write(&path, stamp, Meaning::Sparse).unwrap();
        (path, stamp, index)
    }

    #[test]
    fn a_written_index_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let (path, stamp, built) = written(folder.path(), true);
        let read = AnnotationIndex::open(&path, stamp, SHAPE, Meaning::Sparse, true).unwrap();
        assert_eq!(read.annotated(), built.annotated());
        assert_eq!(
            read.classes().collect::<Vec<_>>(),
            built.classes().collect::<Vec<_>>()
        );
        for rank in 0..built.annotated() {
            assert_eq!(read.voxel(rank), built.voxel(rank));
        }
        assert_eq!(read.bytes(), 0);
    }

    #[test]
    fn an_index_of_another_file_or_shape_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let (path, stamp, _) = written(folder.path(), false);
        let open =
            |stamp, shape, meaning, by_class| AnnotationIndex::open(&path, stamp, shape, meaning, by_class);
        assert!(open(stamp, SHAPE, Meaning::Sparse, false).is_some());
        assert!(
            open(stamp, SHAPE, Meaning::Sparse, true).is_none(),
            "not by class"
        );
        assert!(
            open(stamp, [3, 2, 4], Meaning::Sparse, false).is_none(),
            "other shape"
        );
        assert!(
            open(stamp, SHAPE, Meaning::Dense, false).is_none(),
            "other meaning"
        );
        let later = Stamp {
            nanoseconds: stamp.nanoseconds ^ 1,
            ..stamp
        };
        assert!(
            open(later, SHAPE, Meaning::Sparse, false).is_none(),
            "other modification time"
        );
        let longer = Stamp {
            length: stamp.length + 1,
            ..stamp
        };
        assert!(
            open(longer, SHAPE, Meaning::Sparse, false).is_none(),
            "other size"
        );
    }

    proptest! {
        #[test]
        fn damage_is_noticed(at in 0usize..1000, value in any::<u8>(), cut in 0usize..400) {
            let folder = tempfile::tempdir().unwrap();
            let (path, stamp, _) = written(folder.path(), true);
            let mut bytes = std::fs::read(&path).unwrap();
            bytes.truncate(bytes.len() - cut.min(bytes.len()));
            let length = bytes.len();
            let mut changed = false;
            if let Some(byte) = bytes.get_mut(at % length.max(1)) {
                changed = *byte != value;
                *byte = value;
            }
            std::fs::write(&path, &bytes).unwrap();
            let read = AnnotationIndex::open(&path, stamp, SHAPE, Meaning::Sparse, true);
            prop_assert_eq!(read.is_none(), changed || cut > 0);
        }
    }
}
