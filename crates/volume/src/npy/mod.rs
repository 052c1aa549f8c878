//! npy files: one array each.
//!
//! Written here rather than taken from `npyz` or `ndarray-npy`: reads convert between element types with a check on every
//! value, decode in place (no second copy of a volume), serve archive members inflated as a whole, and size nothing by
//! a header that the file does not bear out.

mod decode;
mod header;
mod literal;
mod mapped;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use ndarray::{ArrayD, ArrayViewD};

pub(crate) use decode::decode;
pub use header::Header;
pub use mapped::Mapped;

use crate::buffer::Buffer;
use crate::element::Element;
use crate::error::{Error, Place};

/// Reads the array at `path` as `T`, in C order whatever the order on disk. See [`Element`] for the conversions allowed.
///
/// # Errors
/// [`Error::NpyHeader`], [`Error::Dtype`], [`Error::Truncated`], [`Error::Value`], [`Error::Memory`], [`Error::Io`]; each
/// names the file.
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

/// Writes `array` to `path`, replacing it in one step. The bytes are those of `numpy.save`.
///
/// # Errors
/// [`Error::Write`], which names the file; it is then as it was before.
pub fn write<T: Element>(path: &Path, array: ArrayViewD<'_, T>) -> Result<(), Error> {
    Ok(storage::write_atomic(path, |file| write_to(file, &array))?)
}

/// The header that stands in front of an array's elements.
pub(crate) fn header_of<T: Element>(array: &ArrayViewD<'_, T>) -> Vec<u8> {
    header::format(T::DTYPE, array.shape())
}

/// Writes header and elements in C order.
fn write_to<T: Element>(out: &mut impl Write, array: &ArrayViewD<'_, T>) -> io::Result<()> {
    /// Elements gathered at a time from an array that is not contiguous.
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
