//! Zip archive with one deflated member, written piece by piece.
//!
//! Format: PKWARE's APPNOTE 6.3.10, with 64-bit sizes, which numpy always reserves.

use std::io::{self, Seek, SeekFrom, Write};

use crc32fast::Hasher;

use super::deflate::deflate;

const LOCAL_HEADER: u32 = 0x0403_4b50;
const CENTRAL_HEADER: u32 = 0x0201_4b50;
const END_64: u32 = 0x0606_4b50;
const END_64_LOCATOR: u32 = 0x0706_4b50;
const END: u32 = 0x0605_4b50;
/// Version 4.5 of the format supports 64-bit sizes.
const VERSION: u16 = 45;
const DEFLATED: u16 = 8;
/// 1 January 1980, midnight. A fixed time gives equal bytes for equal arrays.
const TIME: u16 = 0;
const DATE: u16 = 0x21;
/// Marks a value stored in the 64-bit field.
const ELSEWHERE: u32 = u32::MAX;

/// A piece of the member's deflate stream.
pub struct Piece {
    deflated: Vec<u8>,
    checksum: Hasher,
    length: u64,
}

impl Piece {
    /// Deflates 32-bit values. The last piece ends the stream.
    pub fn new(values: &[u32], last: bool) -> Self {
        let mut checksum = Hasher::new();
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

/// Writer of the member.
pub struct Member<'a, W> {
    file: &'a mut W,
    name: &'static str,
    checksum: Hasher,
    length: u64,
    deflated: u64,
}

impl<'a, W: Write + Seek> Member<'a, W> {
    /// Begins the archive at the start of `file`.
    pub fn begin(file: &'a mut W, name: &'static str) -> io::Result<Self> {
        let mut member = Self {
            file,
            name,
            checksum: Hasher::new(),
            length: 0,
            deflated: 0,
        };
        // Sizes and checksum are still unknown. The header is rewritten at the end.
        member.local_header()?;
        Ok(member)
    }

    /// Appends a piece.
    pub fn push(&mut self, piece: &Piece) -> io::Result<()> {
        self.checksum.combine(&piece.checksum);
        self.length += piece.length;
        self.deflated += piece.deflated.len() as u64;
        self.file.write_all(&piece.deflated)
    }

    /// Writes the archive's directory and returns the file.
    pub fn end(mut self) -> io::Result<&'a mut W> {
        let directory = self.file.stream_position()?;
        let mut out = vec![];
        let sizes = self.sizes();
        put32(&mut out, CENTRAL_HEADER);
        // Host system: Unix, so that the mode below is used.
        put16(&mut out, VERSION | 3 << 8);
        self.put_common(&mut out);
        put16(&mut out, sizes.len() as u16);
        // No comment, first disk, no internal attributes.
        [0, 0, 0].into_iter().for_each(|zero| put16(&mut out, zero));
        put32(&mut out, 0o100_644 << 16);
        // The member is at the start of the file.
        put32(&mut out, 0);
        out.extend_from_slice(self.name.as_bytes());
        out.extend_from_slice(&sizes);
        let length = out.len() as u64;

        put32(&mut out, END_64);
        put64(&mut out, 44);
        [VERSION | 3 << 8, VERSION]
            .into_iter()
            .for_each(|version| put16(&mut out, version));
        [0, 0].into_iter().for_each(|disk| put32(&mut out, disk));
        [1, 1, length, directory]
            .into_iter()
            .for_each(|value| put64(&mut out, value));
        put32(&mut out, END_64_LOCATOR);
        put32(&mut out, 0);
        put64(&mut out, directory + length);
        put32(&mut out, 1);
        put32(&mut out, END);
        [0, 0, 1, 1].into_iter().for_each(|value| put16(&mut out, value));
        put32(&mut out, length as u32);
        put32(&mut out, u32::try_from(directory).unwrap_or(ELSEWHERE));
        put16(&mut out, 0);
        self.file.write_all(&out)?;

        self.file.seek(SeekFrom::Start(0))?;
        self.local_header()?;
        self.file.seek(SeekFrom::End(0))?;
        Ok(self.file)
    }

    fn local_header(&mut self) -> io::Result<()> {
        let mut out = vec![];
        let sizes = self.sizes();
        put32(&mut out, LOCAL_HEADER);
        self.put_common(&mut out);
        put16(&mut out, sizes.len() as u16);
        out.extend_from_slice(self.name.as_bytes());
        out.extend_from_slice(&sizes);
        self.file.write_all(&out)
    }

    /// Writes the common fields of both headers, from the required version to the length of the name.
    fn put_common(&self, out: &mut Vec<u8>) {
        [VERSION, 0, DEFLATED, TIME, DATE]
            .into_iter()
            .for_each(|value| put16(out, value));
        put32(out, self.checksum.clone().finalize());
        [ELSEWHERE, ELSEWHERE]
            .into_iter()
            .for_each(|size| put32(out, size));
        put16(out, self.name.len() as u16);
    }

    /// Returns the extra field with both sizes.
    fn sizes(&self) -> Vec<u8> {
        let mut out = vec![];
        [1, 16].into_iter().for_each(|value| put16(&mut out, value));
        [self.length, self.deflated]
            .into_iter()
            .for_each(|size| put64(&mut out, size));
        out
    }
}

fn put16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}
