//! Deflating a piece of a stream on its own.

use crc32fast::Hasher;
use flate2::{Compress, Compression, FlushCompress, Status};

/// A higher level costs several times the time for a few per cent of these data.
const LEVEL: u32 = 3;

/// A piece of a deflate stream.
pub struct Piece {
    /// Ends on a byte boundary.
    pub deflated: Vec<u8>,
    /// Checksum of the bytes that went in; it knows their number.
    pub checksum: Hasher,
    /// Number of bytes that went in.
    pub length: u64,
}

/// Deflates `bytes` without reference to what came before; the last piece ends the stream.
pub fn deflate(bytes: &[u8], last: bool) -> Piece {
    let mut checksum = Hasher::new();
    checksum.update(bytes);
    let mut encoder = Compress::new(Compression::new(LEVEL), false);
    let flush = if last {
        FlushCompress::Finish
    } else {
        FlushCompress::Sync
    };
    // Incompressible bytes are stored in blocks of at most 64 KiB, five bytes of header each.
    let mut deflated = Vec::with_capacity(bytes.len() + bytes.len() / 1024 + 64);
    loop {
        let consumed = encoder.total_in() as usize;
        // Without an error to report: compressing from memory to memory only ever lacks room.
        let status = encoder.compress_vec(&bytes[consumed..], &mut deflated, flush);
        let all_in = encoder.total_in() as usize == bytes.len();
        let room_left = deflated.len() < deflated.capacity();
        if matches!(status, Ok(Status::StreamEnd)) || (!last && all_in && room_left) {
            break;
        }
        deflated.reserve(bytes.len() / 8 + 64);
    }
    Piece {
        deflated,
        checksum,
        length: bytes.len() as u64,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::DeflateDecoder;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_make_one_stream(
            bytes in prop::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..5000),
            size in 1usize..2000,
        ) {
            let mut pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            if pieces.is_empty() {
                pieces.push(&[]);
            }
            let mut stream = vec![];
            let mut checksum = Hasher::new();
            for (i, piece) in pieces.iter().enumerate() {
                let deflated = deflate(piece, i + 1 == pieces.len());
                stream.extend(deflated.deflated);
                checksum.combine(&deflated.checksum);
            }
            let mut found = vec![];
            DeflateDecoder::new(&stream[..]).read_to_end(&mut found).unwrap();
            prop_assert_eq!(&found, &bytes);
            prop_assert_eq!(checksum.finalize(), crc32fast::hash(&bytes));
        }
    }

    #[test]
    fn noise_grows_by_little() {
        let mut state = 1u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 56) as u8
        })
        .take(1 << 20)
        .collect();
        let piece = deflate(&noise, true);
        assert!(
            piece.deflated.len() < noise.len() + noise.len() / 500,
            "{}",
            piece.deflated.len()
        );
    }
}
