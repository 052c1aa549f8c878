//! The records of an archive: local headers, directory and end.

use crate::Method;

/// Sizes and offsets from here on do not fit 32 bits and go to zip64 fields.
pub(crate) const LIMIT: u64 = 0xffff_ffff;
/// The first day that the format knows; a fixed date makes files repeatable.
const DATE: u16 = 0x21;
/// Version 4.5 of the format knows 64-bit sizes.
const VERSION: u16 = 45;
/// Made on Unix, so that the mode of the file counts.
const MADE_BY: u16 = VERSION | 3 << 8;
/// A regular file that anyone may read.
const MODE: u32 = 0o100_644;
/// Identifier of the extra field that torch pads with.
const PADDING: &[u8] = b"FB";
/// Bytes of a local header without name and extra fields.
const LOCAL_HEADER: u64 = 30;

/// A member as the directory lists it.
pub(crate) struct Member {
    pub(crate) name: Vec<u8>,
    pub(crate) method: Method,
    pub(crate) checksum: u32,
    /// Bytes in the archive.
    pub(crate) packed: u64,
    /// Bytes of the content.
    pub(crate) size: u64,
    /// Where its local header begins.
    pub(crate) offset: u64,
    /// Whether its sizes stand in zip64 fields although they may fit 32 bits.
    pub(crate) wide: bool,
}

impl Member {
    /// The local header; the content after it begins at a multiple of `alignment`.
    pub(crate) fn local_header(&self, alignment: u64, limit: u64) -> Vec<u8> {
        let mut extra = self.sizes_field(&[self.size, self.packed], limit);
        let start = self.offset + LOCAL_HEADER + (self.name.len() + extra.len()) as u64;
        extra.extend(padding(start, alignment));
        let mut record = b"PK\x03\x04".to_vec();
        self.describe(&mut record, &extra, limit);
        record.extend(&self.name);
        record.extend(extra);
        record
    }

    /// Appends the entry of the directory.
    pub(crate) fn list(&self, directory: &mut Vec<u8>, limit: u64) {
        directory.extend(b"PK\x01\x02");
        directory.extend(MADE_BY.to_le_bytes());
        let extra = self.sizes_field(&[self.size, self.packed, self.offset], limit);
        self.describe(directory, &extra, limit);
        // No comment, first disk, no internal attributes.
        directory.extend([0; 6]);
        directory.extend((MODE << 16).to_le_bytes());
        directory.extend(capped(self.offset, limit).to_le_bytes());
        directory.extend(&self.name);
        directory.extend(extra);
    }

    /// The fields that local header and directory share, from the version needed to the lengths of name and extra fields.
    fn describe(&self, record: &mut Vec<u8>, extra: &[u8], limit: u64) {
        // Names beyond ASCII are UTF-8.
        let flags: u16 = if self.name.is_ascii() { 0 } else { 1 << 11 };
        for field in [VERSION, flags, self.method as u16, 0, DATE] {
            record.extend(field.to_le_bytes());
        }
        record.extend(self.checksum.to_le_bytes());
        // The zip64 field of a local header must hold both sizes or none.
        let wide = self.has_wide_sizes(limit);
        for size in [self.packed, self.size] {
            record.extend(if wide { LIMIT as u32 } else { size as u32 }.to_le_bytes());
        }
        record.extend((self.name.len() as u16).to_le_bytes());
        record.extend((extra.len() as u16).to_le_bytes());
    }

    fn has_wide_sizes(&self, limit: u64) -> bool {
        self.wide || self.size >= limit || self.packed >= limit
    }

    /// The zip64 field of sizes (and offset), when one of them needs it.
    fn sizes_field(&self, values: &[u64], limit: u64) -> Vec<u8> {
        let sizes = self.has_wide_sizes(limit);
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

/// Appends the end of the directory, which holds `members` and begins at byte `start` of the archive.
pub(crate) fn end(directory: &mut Vec<u8>, members: &[Member], start: u64, limit: u64) {
    let (count, size) = (members.len() as u64, directory.len() as u64);
    let wide = members.iter().any(|member| member.wide);
    if wide || start >= limit || size >= limit || count >= 0xffff {
        directory.extend(b"PK\x06\x06");
        directory.extend(44_u64.to_le_bytes());
        directory.extend([MADE_BY.to_le_bytes(), VERSION.to_le_bytes()].concat());
        directory.extend([0; 8]);
        for value in [count, count, size, start] {
            directory.extend(value.to_le_bytes());
        }
        directory.extend(b"PK\x06\x07\0\0\0\0");
        directory.extend((start + size).to_le_bytes());
        directory.extend(1_u32.to_le_bytes());
    }
    directory.extend(b"PK\x05\x06\0\0\0\0");
    let short = (count.min(0xffff) as u16).to_le_bytes();
    directory.extend([short, short].concat());
    directory.extend(capped(size, limit).to_le_bytes());
    directory.extend(capped(start, limit).to_le_bytes());
    directory.extend([0; 2]);
}

/// An extra field that moves `start` to a multiple of `alignment`.
fn padding(start: u64, alignment: u64) -> Vec<u8> {
    let gap = start.next_multiple_of(alignment) - start;
    if gap == 0 {
        return Vec::new();
    }
    let length = if gap < 4 { gap + alignment } else { gap };
    let mut field = [PADDING, &(length as u16 - 4).to_le_bytes()].concat();
    field.resize(length as usize, 0);
    field
}

fn capped(value: u64, limit: u64) -> u32 {
    if value >= limit {
        LIMIT as u32
    } else {
        value as u32
    }
}
