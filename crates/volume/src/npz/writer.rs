//! Writer of the zip archive of an npz file.
//!
//! The `zip` crate compresses only as a stream, with zlib. libdeflate needs at most half the time for the
//! same size. Format: PKWARE's APPNOTE.TXT 6.3, sections 4.3 and 4.5.3 (zip64).

use std::io::{self, ErrorKind, Write};

use libdeflater::{CompressionLvl, Compressor, Crc};
use ndarray::ArrayViewD;

use crate::element::Element;
use crate::npy;

/// Sizes and offsets of this value or more do not fit 32 bits and use zip64 fields.
const LIMIT: u64 = 0xffff_ffff;
/// First date of the format. A fixed date makes files reproducible.
const DATE: u16 = 0x21;
const VERSION: u16 = 45;

/// Compression level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Compression {
    /// No compression, as `numpy.savez`.
    Stored,
    /// libdeflate's level 1: about ten times as fast as `numpy.savez_compressed` on float32 volumes, 2 to 25
    /// % larger.
    Fast,
    /// libdeflate's level 6: about twice as fast as `numpy.savez_compressed`.
    #[default]
    Default,
}

/// A member of the archive's directory.
struct Member {
    name: Vec<u8>,
    method: u16,
    checksum: u32,
    packed: u64,
    size: u64,
    offset: u64,
}

/// Writer of an archive.
pub(super) struct ArchiveWriter<W> {
    out: W,
    position: u64,
    members: Vec<Member>,
    limit: u64,
}

impl<W: Write> ArchiveWriter<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            position: 0,
            members: Vec::new(),
            limit: LIMIT,
        }
    }

    /// Adds an array. Additional memory is its compressed bytes, and a copy if it is not in C order.
    pub(super) fn add<T: Element>(
        &mut self,
        name: &str,
        array: &ArrayViewD<'_, T>,
        compression: Compression,
    ) -> io::Result<()> {
        let name = format!("{name}.npy").into_bytes();
        if name.len() > 0xffff {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                "the array name is longer than 65531 bytes",
            ));
        }
        let header = npy::header_of(array);
        let array = array.as_standard_layout();
        let body = T::bytes(array.as_slice().unwrap_or_default());
        let mut checksum = Crc::new();
        checksum.update(&header);
        checksum.update(body);
        let level = match compression {
            Compression::Stored => None,
            Compression::Fast => Some(1),
            Compression::Default => Some(6),
        };
        let size = (header.len() + body.len()) as u64;
        let compressed = level.map(|level| deflate(body, level)).transpose()?;
        // The header is a stored deflate block, so that header and elements need no joint copy.
        let length = header.len() as u16;
        let block = [&[0], length.to_le_bytes().as_slice(), &(!length).to_le_bytes()].concat();
        let (method, start, body) = match &compressed {
            Some(bytes) => (8, block, bytes.as_slice()),
            None => (0, Vec::new(), body),
        };
        let packed = (start.len() + header.len() + body.len()) as u64;
        let member = Member {
            name,
            method,
            checksum: checksum.sum(),
            packed,
            size,
            offset: self.position,
        };
        let mut record = b"PK\x03\x04".to_vec();
        let extra = member.extra(&[member.size, member.packed], self.limit);
        member.describe(&mut record, &extra, self.limit);
        record.extend(&member.name);
        record.extend(extra);
        self.members.push(member);
        for part in [record.as_slice(), &start, &header, body] {
            self.put(part)?;
        }
        Ok(())
    }

    /// Writes the directory.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let start = self.position;
        let mut directory = Vec::new();
        for member in &self.members {
            directory.extend(b"PK\x01\x02");
            // Host system: Unix.
            directory.extend((VERSION | 3 << 8).to_le_bytes());
            let extra = member.extra(&[member.size, member.packed, member.offset], self.limit);
            member.describe(&mut directory, &extra, self.limit);
            // No comment, first disk, no internal attributes.
            directory.extend([0; 6]);
            // Mode: a regular file, readable for everyone.
            directory.extend((0o100_644_u32 << 16).to_le_bytes());
            directory.extend(capped(member.offset, self.limit).to_le_bytes());
            directory.extend(&member.name);
            directory.extend(extra);
        }
        let (count, size) = (self.members.len() as u64, directory.len() as u64);
        let end = start + size;
        if start >= self.limit || size >= self.limit || count >= 0xffff {
            directory.extend(b"PK\x06\x06");
            directory.extend(44_u64.to_le_bytes());
            directory.extend([VERSION.to_le_bytes(), VERSION.to_le_bytes()].concat());
            directory.extend([0; 8]);
            for value in [count, count, size, start] {
                directory.extend(value.to_le_bytes());
            }
            directory.extend(b"PK\x06\x07\0\0\0\0");
            directory.extend(end.to_le_bytes());
            directory.extend(1_u32.to_le_bytes());
        }
        directory.extend(b"PK\x05\x06\0\0\0\0");
        let short = (count.min(0xffff) as u16).to_le_bytes();
        directory.extend([short, short].concat());
        directory.extend(capped(size, self.limit).to_le_bytes());
        directory.extend(capped(start, self.limit).to_le_bytes());
        directory.extend([0; 2]);
        self.put(&directory)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.position += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

impl Member {
    /// Writes the fields that local header and directory share: from the required version to the lengths of
    /// name and extra field.
    fn describe(&self, record: &mut Vec<u8>, extra: &[u8], limit: u64) {
        // Non-ASCII names are UTF-8.
        let flags: u16 = if self.name.is_ascii() { 0 } else { 1 << 11 };
        for field in [VERSION, flags, self.method, 0, DATE] {
            record.extend(field.to_le_bytes());
        }
        record.extend(self.checksum.to_le_bytes());
        // The zip64 field of a local header must hold both sizes or neither.
        let wide = self.size >= limit || self.packed >= limit;
        for size in [self.packed, self.size] {
            record.extend(if wide { LIMIT as u32 } else { size as u32 }.to_le_bytes());
        }
        record.extend((self.name.len() as u16).to_le_bytes());
        record.extend((extra.len() as u16).to_le_bytes());
    }

    /// Returns the zip64 field of sizes (and offset), if one of them needs it.
    fn extra(&self, values: &[u64], limit: u64) -> Vec<u8> {
        let sizes = self.size >= limit || self.packed >= limit;
        let mut field = Vec::new();
        for (index, value) in values.iter().enumerate() {
            if (index < 2 && sizes) || (index == 2 && *value >= limit) {
                field.extend(value.to_le_bytes());
            }
        }
        if field.is_empty() {
            return field;
        }
        let length = field.len() as u16;
        [1_u16.to_le_bytes().as_slice(), &length.to_le_bytes(), &field].concat()
    }
}

fn capped(value: u64, limit: u64) -> u32 {
    if value >= limit {
        LIMIT as u32
    } else {
        value as u32
    }
}

/// Returns the complete deflate stream of `body`.
fn deflate(body: &[u8], level: i32) -> io::Result<Vec<u8>> {
    let level = CompressionLvl::new(level).map_err(|_| ErrorKind::InvalidInput)?;
    let mut compressor = Compressor::new(level);
    // The system zeroes memory lazily: only filled pages use memory.
    let room = compressor.deflate_compress_bound(body.len());
    let room = bytemuck::allocation::try_zeroed_slice_box::<u8>(room).map_err(|()| ErrorKind::OutOfMemory)?;
    let mut out = room.into_vec();
    let length = compressor
        .deflate_compress(body, &mut out)
        .map_err(io::Error::other)?;
    out.truncate(length);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::*;

    /// Writes two arrays and reads the archive with another implementation.
    fn read_back(limit: u64, compression: Compression) -> Vec<(String, Vec<u8>)> {
        let mut bytes = Vec::new();
        let mut archive = ArchiveWriter {
            limit,
            ..ArchiveWriter::new(&mut bytes)
        };
        let array = ndarray::Array2::from_shape_fn((40, 50), |(i, j)| (i * j % 7) as f32).into_dyn();
        archive.add("data", &array.view(), compression).unwrap();
        archive
            .add("größe", &array.view().reversed_axes(), compression)
            .unwrap();
        archive.finish().unwrap();
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        (0..zip.len())
            .map(|i| {
                let mut member = zip.by_index(i).unwrap();
                let mut content = Vec::new();
                member.read_to_end(&mut content).unwrap();
                (member.name().unwrap().into_owned(), content)
            })
            .collect()
    }

    #[test]
    fn archives_with_and_without_zip64_are_read_by_zip_crate() {
        let stored = read_back(LIMIT, Compression::Stored);
        assert_eq!(
            stored.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["data.npy", "größe.npy"]
        );
        assert_eq!(stored[0].1.len(), 128 + 8000);
        for compression in [Compression::Stored, Compression::Fast, Compression::Default] {
            // 0: all values in zip64 fields; 3000: the sizes before and the offset after compression.
            for limit in [0, 3000, LIMIT] {
                assert_eq!(read_back(limit, compression), stored, "{compression:?} {limit}");
            }
        }
    }
}
