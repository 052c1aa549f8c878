//! The archive being written.

use std::io::{self, ErrorKind, Write};

use crate::record::{end, Member, LIMIT};
use crate::Checksum;

/// How a member is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// As it is.
    Stored = 0,
    /// As a deflate stream.
    Deflated = 8,
}

/// A member's content.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// How `parts` hold the content.
    pub method: Method,
    /// CRC-32 of the content.
    pub checksum: u32,
    /// Bytes of the content.
    pub size: u64,
    /// The bytes to write, one part after the other.
    pub parts: &'a [&'a [u8]],
    /// What the first byte's position in the archive is a multiple of: a power of two from 4 to 4096, or 1.
    pub alignment: u64,
}

/// An archive being written to `W`, which stands at its start.
pub struct ArchiveWriter<W> {
    pub(crate) out: W,
    pub(crate) position: u64,
    pub(crate) members: Vec<Member>,
    pub(crate) limit: u64,
}

impl<W: Write> ArchiveWriter<W> {
    /// An archive without members.
    pub fn new(out: W) -> Self {
        Self {
            out,
            position: 0,
            members: Vec::new(),
            limit: LIMIT,
        }
    }

    /// Adds a member without compression.
    ///
    /// # Errors
    /// As [`ArchiveWriter::add`].
    pub fn store(&mut self, name: &str, bytes: &[u8], alignment: u64) -> io::Result<()> {
        let mut checksum = Checksum::new();
        checksum.update(bytes);
        let content = Content {
            method: Method::Stored,
            checksum: checksum.finalize(),
            size: bytes.len() as u64,
            parts: &[bytes],
            alignment,
        };
        self.add(name, &content)
    }

    /// Adds a member.
    ///
    /// # Errors
    /// Those of writing; `InvalidInput` for a name of more than 65535 bytes.
    pub fn add(&mut self, name: &str, content: &Content<'_>) -> io::Result<()> {
        let member = Member {
            name: checked(name)?,
            method: content.method,
            checksum: content.checksum,
            packed: content.parts.iter().map(|part| part.len() as u64).sum(),
            size: content.size,
            offset: self.position,
            wide: false,
        };
        let header = member.local_header(content.alignment, self.limit);
        self.members.push(member);
        self.put(&header)?;
        content.parts.iter().try_for_each(|part| self.put(part))
    }

    /// Writes the directory and returns the target.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(mut self) -> io::Result<W> {
        let mut directory = Vec::new();
        for member in &self.members {
            member.list(&mut directory, self.limit);
        }
        end(&mut directory, &self.members, self.position, self.limit);
        self.put(&directory)?;
        Ok(self.out)
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.position += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

/// The bytes of a name that fits its length field.
pub(crate) fn checked(name: &str) -> io::Result<Vec<u8>> {
    if name.len() > 0xffff {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "the name of an archive's member is longer than 65535 bytes",
        ));
    }
    Ok(name.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::*;
    use crate::Checksum;

    /// What an independent reader makes of an archive of two members, and where their content begins.
    fn read_back(limit: u64, method: Method, alignment: u64) -> Vec<(String, Vec<u8>, u64)> {
        let mut archive = ArchiveWriter {
            limit,
            ..ArchiveWriter::new(Vec::new())
        };
        for (name, length) in [("data", 8000_u32), ("größe", 500)] {
            let bytes: Vec<u8> = (0..length).map(|i| (i * i % 7) as u8).collect();
            let mut checksum = Checksum::new();
            checksum.update(&bytes);
            let packed = match method {
                Method::Stored => bytes.clone(),
                Method::Deflated => {
                    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Default::default());
                    encoder.write_all(&bytes).unwrap();
                    encoder.finish().unwrap()
                }
            };
            let (head, tail) = packed.split_at(10);
            let content = Content {
                method,
                checksum: checksum.finalize(),
                size: bytes.len() as u64,
                parts: &[head, tail],
                alignment,
            };
            archive.add(name, &content).unwrap();
        }
        let mut zip = zip::ZipArchive::new(Cursor::new(archive.finish().unwrap())).unwrap();
        (0..zip.len())
            .map(|i| {
                let mut member = zip.by_index(i).unwrap();
                let mut content = Vec::new();
                member.read_to_end(&mut content).unwrap();
                let start = member.data_start().unwrap();
                (member.name().unwrap().into_owned(), content, start)
            })
            .collect()
    }

    #[test]
    fn another_reader_agrees_with_and_without_zip64() {
        let content = |members: &[(String, Vec<u8>, u64)]| -> Vec<(String, Vec<u8>)> {
            members
                .iter()
                .map(|(name, bytes, _)| (name.clone(), bytes.clone()))
                .collect()
        };
        let plain = read_back(LIMIT, Method::Stored, 1);
        assert_eq!(
            plain.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>(),
            ["data", "größe"]
        );
        assert_eq!([plain[0].1.len(), plain[1].1.len()], [8000, 500]);
        for method in [Method::Stored, Method::Deflated] {
            // 0: all in zip64 fields; 3000: the sizes before and the offset after compression.
            for limit in [0, 3000, LIMIT] {
                for alignment in [1, 4, 64] {
                    let found = read_back(limit, method, alignment);
                    assert_eq!(content(&found), content(&plain), "{method:?} {limit} {alignment}");
                    assert!(
                        found.iter().all(|(.., start)| start % alignment == 0),
                        "{method:?} {limit} {alignment}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_name_beyond_its_length_field_is_refused() {
        let mut archive = ArchiveWriter::new(Vec::new());
        let content = Content {
            method: Method::Stored,
            checksum: 0,
            size: 0,
            parts: &[],
            alignment: 1,
        };
        assert!(archive.add(&"n".repeat(65535), &content).is_ok());
        let error = archive.add(&"n".repeat(65536), &content).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}
