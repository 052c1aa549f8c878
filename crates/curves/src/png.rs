//! PNG files (ISO/IEC 15948) of eight bits a channel.

use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

use crate::raster::Raster;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Eight bits, red green blue, and the only compression, filters and order of rows that PNG defines.
const FORMAT: [u8; 5] = [8, 2, 0, 0, 0];

/// Encodes a raster. Rows have the filter "None": most of a chart is white.
pub(crate) fn encode(raster: &Raster) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend((raster.width as u32).to_be_bytes());
    header.extend((raster.height as u32).to_be_bytes());
    header.extend(FORMAT);
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    for row in raster.pixels.chunks(raster.width.max(1) * 3) {
        // A `Vec` takes every write.
        let _ = encoder.write_all(&[0]).and_then(|()| encoder.write_all(row));
    }
    let mut file = SIGNATURE.to_vec();
    chunk(&mut file, *b"IHDR", &header);
    chunk(&mut file, *b"IDAT", &encoder.finish().unwrap_or_default());
    chunk(&mut file, *b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let mut crc = Crc::new();
    crc.update(&kind);
    crc.update(data);
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(kind);
    file.extend(data);
    file.extend(crc.sum().to_be_bytes());
}
