//! Restricted reader and writer of Python pickles and torch checkpoints.
//!
//! [`read`] supports protocols 0 to 5 with plain values, containers, and numpy arrays and scalars. [`torch`]
//! adds the tensors of checkpoints. A pickle is a program for a small stack machine. Unlike Python's reader,
//! this one never executes code: only names of a fixed list are accepted. [`write`] writes pickles that
//! Python and nnU-Net v1 can load, with distinct types (`tuple` and `list`, `int` and `numpy.int64`).
//!
//! ```
//! use pickle::{read, write, Dict, Limits, NdArray, Protocol, Value};
//! let split = Dict::ordered().with("train", NdArray::from_strings(&["case_000", "case_001"]));
//! let bytes = write(&split.into(), Protocol::V4)?;
//! let names = read(&bytes, &Limits::default())?.get("train").and_then(Value::to_strings);
//! assert_eq!(names.as_deref(), Some(&["case_000".to_owned(), "case_001".to_owned()][..]));
//! # Ok::<(), pickle::Error>(())
//! ```

mod access;
mod array;
mod construct;
mod error;
mod finish;
mod gather;
mod json;
mod limits;
mod literal;
mod machine;
mod node;
mod opcode;
mod read;
mod storages;
mod tensor;
mod text;
pub mod torch;
mod value;
mod write;

pub use array::{DType, NdArray};
pub use error::Error;
pub use limits::Limits;
pub use read::{read, read_file};
pub use value::{Dict, DictKind, Value};
pub use write::{write, Protocol};

use std::io::Write;
use std::path::Path;

/// Pickles `value` into a file with the default protocol. An existing file is replaced atomically.
///
/// # Errors
/// [`Error::Storage`] naming the file, which is then unchanged, or an error of [`write`].
pub fn write_file(path: &Path, value: &Value) -> Result<(), Error> {
    let bytes = write(value, Protocol::default()).map_err(|e| e.in_file(path))?;
    storage::write_atomic(path, |file| file.write_all(&bytes))?;
    Ok(())
}
