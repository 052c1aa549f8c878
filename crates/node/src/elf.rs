//! Expected length of an ELF file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Size of a program header of a 64-bit file in bytes.
const PROGRAM_HEADER: u64 = 56;

/// Returns the end of the last segment of a 64-bit little-endian ELF file in bytes; `None` for any other
/// file.
///
/// Source: System V ABI, generic part, chapters 4 and 5.
pub fn announced(path: &Path) -> io::Result<Option<u64>> {
    let mut file = File::open(path)?;
    let mut header = [0; 64];
    if file.read_exact(&mut header).is_err() || !header.starts_with(b"\x7fELF\x02\x01") {
        return Ok(None);
    }
    let (table, count) = (
        word(&header[32..]),
        u64::from(u16::from_le_bytes([header[56], header[57]])),
    );
    let end = table.saturating_add(count * PROGRAM_HEADER);
    file.seek(SeekFrom::Start(table))?;
    let mut segments = Vec::new();
    file.take(count * PROGRAM_HEADER).read_to_end(&mut segments)?;
    let ends = segments
        .chunks_exact(PROGRAM_HEADER as usize)
        .map(|segment| word(&segment[8..]).saturating_add(word(&segment[32..])));
    Ok(ends.chain([end]).max())
}

fn word(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |n, &b| n << 8 | u64::from(b))
}
