//! Zip archive of an npz file.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use libdeflater::Decompressor;
use zip::{CompressionMethod, ZipArchive};

use crate::buffer::Buffer;
use crate::element::Element;
use crate::error::{Error, Place};
use crate::npy::Header;

/// Upper limit of the deflate ratio: 258 bytes from 2 bits.
const MAX_RATIO: u64 = 1032;

/// An npz file open for reading.
pub(super) struct Archive {
    zip: ZipArchive<BufReader<File>>,
    path: PathBuf,
    length: u64,
}

impl Archive {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let zip = ZipArchive::new(BufReader::new(file)).map_err(|e| Error::NpzArchive {
            path: path.to_owned(),
            problem: e.to_string(),
        })?;
        Ok(Self {
            zip,
            path: path.to_owned(),
            length,
        })
    }

    /// Returns the array names in archive order: member names without `.npy`.
    pub(super) fn names(&self) -> Vec<String> {
        let raw = self.zip.file_names_raw().map(String::from_utf8_lossy);
        raw.map(|name| name.strip_suffix(".npy").unwrap_or(&name).to_owned())
            .collect()
    }

    /// Returns the location of array `name`, for messages.
    pub(super) fn place(&self, name: &str) -> Place {
        Place::member(&self.path, name)
    }

    /// Reads the header of member `index`, and checks it against the size of the member in the archive.
    pub(super) fn header(&mut self, index: usize, place: &Place) -> Result<Header, Error> {
        let damaged = |problem: String| Error::NpzInflate {
            place: place.clone(),
            problem,
        };
        let member = self.zip.by_index(index).map_err(|e| damaged(e.to_string()))?;
        let size = usize::try_from(member.size()).unwrap_or(usize::MAX);
        let header = Header::read(member, place, |e| damaged(e.to_string()))?;
        if let Some(dtype) = header.dtype {
            header.extent(dtype, size.saturating_sub(header.offset), place)?;
        }
        Ok(header)
    }

    /// Reads the uncompressed bytes of member `index` and verifies their checksum.
    ///
    /// Memory is one copy each of the compressed and uncompressed bytes. The sizes in the archive are checked
    /// against the file length before anything is allocated.
    pub(super) fn bytes<T: Element>(&mut self, index: usize, place: &Place) -> Result<Buffer<T>, Error> {
        let damaged = |problem: String| Error::NpzInflate {
            place: place.clone(),
            problem,
        };
        let mut member = self.zip.by_index_raw(index).map_err(|e| damaged(e.to_string()))?;
        let (packed, size, checksum) = (member.compressed_size(), member.size(), member.crc32());
        let method = member.compression();
        let limit = match method {
            CompressionMethod::Stored => packed,
            CompressionMethod::Deflated => packed.saturating_mul(MAX_RATIO),
            other => {
                return Err(damaged(format!(
                    "compression {other} is not supported; numpy writes deflate"
                )))
            }
        };
        if packed > self.length || size > limit {
            return Err(damaged(format!(
                "it claims {size} bytes from {packed} in a file of {}",
                self.length
            )));
        }
        let too_large = |_| Error::Memory {
            place: place.clone(),
            bytes: usize::MAX,
        };
        let mut buffer = Buffer::new(usize::try_from(size).map_err(too_large)?, place)?;
        if method == CompressionMethod::Stored {
            member
                .read_exact(buffer.bytes_mut())
                .map_err(|e| damaged(e.to_string()))?;
        } else {
            let mut input = Vec::with_capacity(usize::try_from(packed).map_err(too_large)?);
            member
                .read_to_end(&mut input)
                .map_err(|e| damaged(e.to_string()))?;
            let written = Decompressor::new()
                .deflate_decompress(&input, buffer.bytes_mut())
                .map_err(|e| damaged(e.to_string()))?;
            if written as u64 != size {
                return Err(damaged(format!(
                    "it holds {written} bytes; the archive lists {size}"
                )));
            }
        }
        let found = libdeflater::crc32(buffer.bytes());
        if found != checksum {
            return Err(damaged(format!(
                "its checksum is {found:08x}, expected {checksum:08x}"
            )));
        }
        Ok(buffer)
    }
}
