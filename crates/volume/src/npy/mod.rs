//! npy files: one array per file.
//!
//! `npyz` and `ndarray-npy` do not suffice. This module converts between element types with a check on every
//! value, decodes in place (no second copy of a volume), decodes decompressed archive members, and checks
//! sizes in headers against the file length.

mod decode;
mod header;
mod literal;
mod mapped;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use ndarray::{ArrayD, ArrayViewD};

pub(crate) use decode::decode;
pub(crate) use header::format;
pub use header::Header;
pub use mapped::Mapped;

use crate::buffer::Buffer;
use crate::element::Element;
use crate::error::{Error, Place};

/// Reads the array at `path` as `T`, in C order for every order on disk. [`Element`] lists the allowed
/// conversions.
///
/// # Errors
/// [`Error::NpyHeader`], [`Error::Dtype`], [`Error::Truncated`], [`Error::Value`], [`Error::Memory`],
/// [`Error::Io`]; each names the file.
pub fn read<T: Element>(path: &Path) -> Result<ArrayD<T>, Error> {
    let place = Place::file(path);
    let io = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    let length = usize::try_from(length).map_err(|_| Error::Memory {
        place: place.clone(),
        bytes: usize::MAX,
    })?;
    let mut buffer = Buffer::new(length, &place)?;
    file.read_exact(buffer.bytes_mut()).map_err(io)?;
    decode(buffer, &place)
}

/// Reads only the header of the array at `path`.
///
/// # Errors
/// [`Error::NpyHeader`], [`Error::Io`].
pub fn read_header(path: &Path) -> Result<Header, Error> {
    let place = Place::file(path);
    let io = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    Header::read(File::open(path).map_err(io)?, &place, io)
}

/// Writes `array` to `path` with the same bytes as `numpy.save`. An existing file is replaced atomically.
///
/// # Errors
/// [`Error::Write`] naming the file, which is then unchanged.
pub fn write<T: Element>(path: &Path, array: ArrayViewD<'_, T>) -> Result<(), Error> {
    Ok(storage::write_atomic(path, |file| write_to(file, &array))?)
}

/// Returns the header before an array's elements.
pub(crate) fn header_of<T: Element>(array: &ArrayViewD<'_, T>) -> Vec<u8> {
    format(T::DTYPE, array.shape())
}

/// Writes header and elements in C order.
fn write_to<T: Element>(out: &mut impl Write, array: &ArrayViewD<'_, T>) -> io::Result<()> {
    /// Number of elements gathered at a time from a non-contiguous array.
    const CHUNK: usize = 1 << 14;
    out.write_all(&header_of(array))?;
    if let Some(values) = array.as_slice() {
        return out.write_all(T::bytes(values));
    }
    let mut chunk = Vec::with_capacity(CHUNK);
    for value in array {
        chunk.push(*value);
        if chunk.len() == CHUNK {
            out.write_all(T::bytes(&chunk))?;
            chunk.clear();
        }
    }
    out.write_all(T::bytes(&chunk))
}
