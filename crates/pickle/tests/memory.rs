//! Peak memory, counted by the allocator. Reading a hostile checkpoint stays within its limits.
#![allow(clippy::unwrap_used, reason = "test helpers fail by panicking")]

use std::io::{Cursor, Read, Write};

use pickle::torch::{read_from, write_checkpoint_to, Tensor};
use pickle::{Dict, Error, Limits};
use testkit::Counting;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns a checkpoint whose only storage is `bytes` zeros, compressed to a thousandth.
fn bomb(bytes: usize) -> Vec<u8> {
    let tensor = Tensor::from_f32(vec![bytes / 4], &vec![0.0; bytes / 4]).unwrap();
    let mut stored = Cursor::new(Vec::new());
    write_checkpoint_to(&mut stored, "model", &Dict::new().with("t", tensor).into()).unwrap();
    let mut archive = ZipArchive::new(stored).unwrap();
    let mut deflated = Cursor::new(Vec::new());
    let mut out = ZipWriter::new(&mut deflated);
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).unwrap();
        let mut data = Vec::new();
        entry.read_to_end(&mut data).unwrap();
        out.start_file(entry.name().unwrap(), SimpleFileOptions::default())
            .unwrap();
        out.write_all(&data).unwrap();
    }
    out.finish().unwrap();
    deflated.into_inner()
}

/// A single test, because all threads of the process share the counters.
#[test]
fn values_above_limit_use_bounded_memory() {
    let bytes = bomb(64 << 20);
    assert!(bytes.len() < 1 << 20, "{}", bytes.len());
    let limits = Limits {
        spare_bytes: 1 << 20,
        ..Limits::default()
    };
    let (result, peak) = Counting::peak_of(|| read_from(Cursor::new(&bytes), bytes.len() as u64, &limits));
    assert!(matches!(result, Err(Error::Limit { .. })), "{result:?}");
    // A growing vector reserves up to twice its content, and keeps the old allocation while it moves.
    let allowed = (limits.spare_bytes as usize + 4 * bytes.len()) * 3 + (1 << 20);
    assert!(peak < allowed, "{peak} bytes at the peak, {allowed} allowed");

    // Each list contains the previous one twice: 2^23 lists in 200 bytes, within the largest number of values.
    let mut doubling = b"\x80\x02]q\x00".to_vec();
    for level in 0..22u8 {
        doubling.extend([b'(', b'h', level, b'h', level, b'l', b'q', level + 1]);
    }
    doubling.push(b'.');
    let (result, peak) = Counting::peak_of(|| pickle::read(&doubling, &Limits::default()));
    assert!(
        matches!(result, Err(Error::Limit { .. })),
        "{} bytes",
        doubling.len()
    );
    assert!(peak < 64 << 20, "{peak} bytes at the peak");
}
