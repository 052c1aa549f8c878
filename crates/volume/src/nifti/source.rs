//! Bytes of a NIfTI file: plain or gzipped, one file or two.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use libdeflater::Decompressor;

use crate::buffer::Buffer;
use crate::element::Element;
use crate::error::{Error, Place};
use crate::gzip::{ends_with_trailer_of, Gunzip, MAGIC};

use super::header::Header;
use super::layout::SIZE_2;

/// Upper limit of the deflate ratio: 258 bytes from 2 bits.
const MAX_RATIO: u64 = 1032;

/// Buffer and range of the voxels.
type Data<T> = (Buffer<T>, std::ops::Range<usize>);

/// Location of a NIfTI file that is not read yet.
pub(super) struct Source {
    path: PathBuf,
}

impl Source {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Returns the path given by the caller.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the start of the file, at most the length of the longest header.
    pub(super) fn header(&self) -> Result<Vec<u8>, Error> {
        content(&self.sibling("img", "hdr"), SIZE_2, false)
    }

    /// Reads header and voxels of a single file as stored, uncompressed. A gzip file is checked to its end.
    pub(super) fn whole(&self, header: &Header) -> Result<Vec<u8>, Error> {
        // `Header` has checked this product for overflow.
        let data = header.size.iter().product::<usize>() * header.channels * header.dtype.size();
        let bytes = content(&self.path, header.offset.saturating_add(data), true)?;
        let found = bytes.len().saturating_sub(header.offset);
        if found < data {
            return Err(Error::Truncated {
                place: Place::file(&self.path),
                expected: data as u64,
                found: found as u64,
            });
        }
        Ok(bytes)
    }

    /// Reads a single file to its end, and checks that it has the voxels of its header.
    pub(super) fn verify(&self, header: &Header) -> Result<(), Error> {
        let (file, gzip) = open(&self.path)?;
        let length = if gzip {
            Gunzip::new(BufReader::new(file)).finish()
        } else {
            file.metadata().map(|m| m.len())
        };
        let length = length.map_err(|e| failed(&self.path, gzip, e))?;
        // `Header` has checked this product for overflow.
        let data = header.size.iter().product::<usize>() * header.channels * header.dtype.size();
        let found = length.saturating_sub(header.offset as u64);
        if found < data as u64 {
            return Err(Error::Truncated {
                place: Place::file(&self.path),
                expected: data as u64,
                found,
            });
        }
        Ok(())
    }

    /// Reads the voxels into a buffer, and returns it with their range. Nothing is allocated before the file
    /// length is checked. A gzip file is checked to its end.
    pub(super) fn data<T: Element>(&self, header: &Header) -> Result<Data<T>, Error> {
        let path = if header.single_file {
            self.path.clone()
        } else {
            self.sibling("hdr", "img")
        };
        let place = Place::file(&path);
        let [z, y, x] = header.size;
        // `Header` has checked this product for overflow.
        let size = header.channels * z * y * x * header.dtype.size();
        let (mut file, gzip) = open(&path)?;
        let length = file.metadata().map_err(|e| failed(&path, false, e))?.len();
        let available = if gzip {
            length.saturating_mul(MAX_RATIO)
        } else {
            length
        };
        let mut found = available.saturating_sub(header.offset as u64);
        if (size as u64) > found {
            if gzip {
                // The limit is no measure of the content.
                let content = Gunzip::new(BufReader::new(file)).finish();
                let content = content.map_err(|e| failed(&path, true, e))?;
                found = content.saturating_sub(header.offset as u64);
            }
            return Err(Error::Truncated {
                place,
                expected: size as u64,
                found,
            });
        }
        if gzip {
            return inflate(file, length, header.offset, size, &place);
        }
        let mut buffer = Buffer::new(size, &place)?;
        file.seek(SeekFrom::Start(header.offset as u64))
            .map_err(|e| failed(&path, false, e))?;
        file.read_exact(buffer.bytes_mut())
            .map_err(|e| failed(&path, false, e))?;
        Ok((buffer, 0..size))
    }

    /// Returns this path with the extension `from` replaced by `to`, also before `.gz`. Returns the path
    /// itself if it has another extension.
    fn sibling(&self, from: &str, to: &str) -> PathBuf {
        let Some(name) = self.path.file_name().and_then(|n| n.to_str()) else {
            return self.path.clone();
        };
        for tail in ["", ".gz"] {
            if let Some(stem) = name.strip_suffix(&format!(".{from}{tail}")) {
                let same = self.path.with_file_name(format!("{stem}.{to}{tail}"));
                let other = self
                    .path
                    .with_file_name(format!("{stem}.{to}{}", if tail.is_empty() { ".gz" } else { "" }));
                return if !same.exists() && other.exists() {
                    other
                } else {
                    same
                };
            }
        }
        self.path.clone()
    }
}

/// Returns the first `length` uncompressed bytes of a file, or all bytes of a shorter file. With `whole`, the
/// rest of a gzip file is read and checked as well.
fn content(path: &Path, length: usize, whole: bool) -> Result<Vec<u8>, Error> {
    let (file, gzip) = open(path)?;
    let mut bytes = Vec::new();
    let read = || {
        if !gzip {
            return file.take(length as u64).read_to_end(&mut bytes).map(drop);
        }
        let mut stream = Gunzip::new(BufReader::new(file));
        stream.by_ref().take(length as u64).read_to_end(&mut bytes)?;
        if whole {
            stream.finish()?;
        }
        Ok(())
    };
    read().map_err(|e| failed(path, gzip, e))?;
    Ok(bytes)
}

/// Opens a file, and returns whether its content is gzipped.
fn open(path: &Path) -> Result<(File, bool), Error> {
    let io = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(io)?;
    let mut start = Vec::new();
    Read::by_ref(&mut file)
        .take(2)
        .read_to_end(&mut start)
        .map_err(io)?;
    file.rewind().map_err(io)?;
    Ok((file, start == MAGIC))
}

fn failed(path: &Path, gzip: bool, source: io::Error) -> Error {
    let path = path.to_owned();
    // Other kinds are errors of the system.
    if gzip && source.kind() == io::ErrorKind::InvalidData {
        Error::Gzip {
            path,
            problem: source.to_string(),
        }
    } else {
        Error::Io { path, source }
    }
}

/// Decompresses a gzip file and checks it to its end.
///
/// Nearly all files are one gzip member that ends with the voxels. libdeflate decompresses them at once, 1.6
/// times as fast as zlib-rs, and check them. All other files (several members, bytes after the voxels or after
/// the member, damage) go through the streaming decoder, which returns the voxels or the error.
fn inflate<T: Element>(
    mut file: File,
    length: u64,
    offset: usize,
    size: usize,
    place: &Place,
) -> Result<Data<T>, Error> {
    let total = offset.checked_add(size).ok_or_else(|| Error::Memory {
        place: place.clone(),
        bytes: usize::MAX,
    })?;
    let mut buffer = Buffer::new(total, place)?;
    let mut packed = Vec::new();
    let grown = usize::try_from(length)
        .ok()
        .and_then(|n| packed.try_reserve_exact(n).ok());
    grown.ok_or_else(|| Error::Memory {
        place: place.clone(),
        bytes: usize::MAX,
    })?;
    file.read_to_end(&mut packed)
        .map_err(|e| failed(&place.path, false, e))?;
    // libdeflate ignores what follows the first member.
    if Decompressor::new().gzip_decompress(&packed, buffer.bytes_mut()) == Ok(total)
        && ends_with_trailer_of(buffer.bytes(), &packed)
    {
        return Ok((buffer, offset..total));
    }
    let mut stream = Gunzip::new(packed.as_slice());
    let mut filled = 0;
    while filled < total {
        match stream.read(&mut buffer.bytes_mut()[filled..]) {
            Ok(0) => {
                let found = filled.saturating_sub(offset) as u64;
                return Err(Error::Truncated {
                    place: place.clone(),
                    expected: size as u64,
                    found,
                });
            }
            Ok(read) => filled += read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(failed(&place.path, true, e)),
        }
    }
    stream.finish().map_err(|e| failed(&place.path, true, e))?;
    Ok((buffer, offset..total))
}
