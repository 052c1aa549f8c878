//! Pieces of a deflate stream.

use zip_writer::Checksum;

use super::deflate::deflate;

/// A piece of the member's deflate stream.
pub struct Piece {
    /// Its part of the deflate stream.
    pub deflated: Vec<u8>,
    /// Checksum of its bytes.
    pub checksum: Checksum,
    /// Its bytes before deflating.
    pub length: u64,
}

impl Piece {
    /// Deflates values of 32 bits; the last piece ends the stream.
    pub fn new(values: &[u32], last: bool) -> Self {
        let mut checksum = Checksum::new();
        let mut bytes = [0; 4096];
        for chunk in values.chunks(bytes.len() / 4) {
            for (target, value) in bytes.chunks_exact_mut(4).zip(chunk) {
                target.copy_from_slice(&value.to_le_bytes());
            }
            checksum.update(&bytes[..4 * chunk.len()]);
        }
        Self {
            deflated: deflate(values, last),
            checksum,
            length: 4 * values.len() as u64,
        }
    }
}
