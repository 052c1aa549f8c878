//! Every reader gets damaged files and arbitrary bytes: it neither panics nor takes more memory than the file can
//! hold. The fuzz targets (`fuzz/`) try the same readers for longer.
#![allow(clippy::unwrap_used, reason = "test helpers fail by panicking")]

use std::path::Path;

use hostile::{Reader, READERS};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use testkit::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A change of a file: where, what, a byte, and a number.
type Edit = (prop::sample::Index, u8, u8, u64);

/// Lengths and counts at which sums and products overflow.
const EDGES: [u64; 8] = [
    0,
    1,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    i64::MAX as u64,
    u64::MAX,
];

fn mutate(bytes: &mut Vec<u8>, other: &[u8], edits: &[Edit]) {
    for (at, kind, byte, number) in edits {
        if bytes.is_empty() {
            return;
        }
        let at = at.index(bytes.len());
        match kind % 8 {
            0 => bytes[at] ^= 1 << (byte % 8),
            1 => bytes[at] = *byte,
            2 => bytes.truncate(at),
            3 => {
                let end = (at + usize::from(*byte)).min(bytes.len());
                bytes.drain(at..end);
            }
            4 => {
                let end = (at + usize::from(*byte)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            5 | 6 => {
                let width = [2, 4, 8][usize::from(byte % 3)];
                let value = match kind % 8 {
                    5 => EDGES[*number as usize % EDGES.len()],
                    _ => *number,
                };
                let word = match byte & 0x80 {
                    0 => value.to_le_bytes()[..width].to_vec(),
                    _ => value.to_be_bytes()[8 - width..].to_vec(),
                };
                let end = (at + width).min(bytes.len());
                bytes[at..end].copy_from_slice(&word[..end - at]);
            }
            _ => {
                let from = *number as usize % (other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
        }
    }
}

/// Gives damaged samples and arbitrary bytes to a reader.
fn try_reader(reader: &Reader) {
    let samples = (reader.samples)();
    assert!(!samples.is_empty(), "{}", reader.name);
    for sample in &samples {
        // The first call also takes memory that stays: threads, tables.
        (reader.read)(sample);
    }
    let accepted = samples.iter().filter(|sample| (reader.read)(sample)).count();
    assert!(accepted > 0, "{}: a sample is accepted", reader.name);
    if reader.name == "checkpoint" {
        assert_eq!(accepted, samples.len(), "a zip and a legacy checkpoint");
    }
    let config = ProptestConfig {
        cases: 6000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let edit = (
        any::<prop::sample::Index>(),
        any::<u8>(),
        any::<u8>(),
        any::<u64>(),
    );
    let input = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        prop::collection::vec(edit, 1..6),
        prop::option::weighted(0.1, prop::collection::vec(any::<u8>(), 0..400)),
    );
    let tried = TestRunner::new(config).run(&input, |(which, other, edits, arbitrary)| {
        let mut bytes = samples[which.index(samples.len())].clone();
        match arbitrary {
            Some(arbitrary) => bytes = arbitrary,
            None => mutate(&mut bytes, &samples[other.index(samples.len())], &edits),
        }
        let (_, found) = Counting::peak_of(|| (reader.read)(&bytes));
        let allowed = reader.allowed(bytes.len());
        prop_assert!(
            found <= allowed,
            "{found} bytes of memory for {} bytes, {allowed} allowed: {bytes:?}",
            bytes.len()
        );
        Ok(())
    });
    assert!(tried.is_ok(), "{}: {}", reader.name, tried.unwrap_err());
}

/// The only test, because the threads of the process share the counters.
#[test]
fn damaged_files_neither_panic_nor_take_memory_they_do_not_hold() {
    for reader in READERS {
        try_reader(reader);
    }
    every_reader_has_a_fuzz_target();
}

fn every_reader_has_a_fuzz_target() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let mut targets = Vec::new();
    for entry in std::fs::read_dir(fuzz.join("fuzz_targets")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let source = std::fs::read_to_string(&path).unwrap();
        assert!(source.contains(&format!("target!(\"{name}\")")), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        targets.push(name);
    }
    targets.sort();
    let mut readers: Vec<_> = READERS.iter().map(|reader| reader.name).collect();
    readers.sort_unstable();
    assert_eq!(targets, readers);
}
