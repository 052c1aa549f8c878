//! Checkpoints of `torch.save`: the zip format (torch 1.6 and later) and its predecessor.
//!
//! Tensors become [`Tensor`] leaves of a [`Value`]. Nothing in the file is executed. Written checkpoints are
//! zip files that `torch.load` accepts, also with `weights_only=True` (the default since torch 2.6).

mod archive;
mod legacy;
mod save;

pub use crate::tensor::{Tensor, TensorType};
pub use save::{write_checkpoint, write_checkpoint_to};

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::{Error, Limits, Value};

/// Reads a checkpoint file of either format within [`Limits::default`].
///
/// # Errors
/// [`Error::File`] with the file's path and the cause: an unknown global, a truncated or damaged file, a
/// limit.
pub fn read_checkpoint(path: &Path) -> Result<Value, Error> {
    read_checkpoint_within(path, &Limits::default())
}

/// Reads a checkpoint file of either format within the given limits.
///
/// # Errors
/// As [`read_checkpoint`].
pub fn read_checkpoint_within(path: &Path, limits: &Limits) -> Result<Value, Error> {
    let open = || {
        let file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        Ok((file, length))
    };
    let (file, length) = open().map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })?;
    read_from(std::io::BufReader::new(file), length, limits).map_err(|e| e.in_file(path))
}

/// Reads a checkpoint of `length` bytes from any seekable source.
///
/// # Errors
/// As [`read_checkpoint`], without the file's path.
pub fn read_from<R: Read + Seek>(mut source: R, length: u64, limits: &Limits) -> Result<Value, Error> {
    limits.check_input(length)?;
    let io = |e: std::io::Error| Error::Archive {
        problem: e.to_string(),
    };
    let mut magic = Vec::with_capacity(4);
    source.by_ref().take(4).read_to_end(&mut magic).map_err(io)?;
    source.seek(SeekFrom::Start(0)).map_err(io)?;
    if magic == *b"PK\x03\x04" {
        return archive::read(source, length, limits);
    }
    let mut bytes = Vec::new();
    source.take(limits.input).read_to_end(&mut bytes).map_err(io)?;
    legacy::read(&bytes, limits)
}
