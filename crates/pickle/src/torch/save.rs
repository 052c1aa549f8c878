//! Writer of checkpoints in the zip format.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use zip_writer::ArchiveWriter;

use crate::tensor::Tensor;
use crate::value::Dict;
use crate::write::{Protocol, TensorSink, Writer};
use crate::{Error, Value};

/// Writes a checkpoint that `torch.load` can read. An existing file is replaced atomically.
///
/// numpy scalars are written as plain Python numbers. nnU-Net reads both, and `torch.load` rejects numpy
/// scalars under its default `weights_only=True`.
///
/// # Errors
/// [`Error::Storage`] naming the file, which is then unchanged.
pub fn write_checkpoint(path: &Path, value: &Value) -> Result<(), Error> {
    let name = path
        .file_stem()
        .and_then(|s| s.to_str())
        .unwrap_or("archive")
        .to_owned();
    let mut failure = None;
    let written = storage::write_atomic(path, |file: &mut BufWriter<File>| {
        write_checkpoint_to(file, &name, value).map_err(|e| match e {
            Error::Io { source, .. } => source,
            other => {
                let message = other.to_string();
                failure = Some(other);
                io::Error::other(message)
            }
        })
    });
    match failure {
        Some(error) => Err(error.in_file(path)),
        None => Ok(written?),
    }
}

/// Torch maps storages into memory at 64-byte boundaries.
const ALIGNMENT: u64 = 64;

/// Writes a checkpoint to any target. `name` becomes the folder inside the zip file.
///
/// # Errors
/// [`Error::Io`] from the target, [`Error::Unsupported`] for values that cannot be pickled.
pub fn write_checkpoint_to<W: Write>(target: W, name: &str, value: &Value) -> Result<(), Error> {
    let put = |e: io::Error| Error::Io {
        path: name.into(),
        source: e,
    };
    let mut parts = Parts::default();
    let pickle = Writer::new(Protocol::V2, Some(&mut parts)).finish(&plain(value))?;
    let mut archive = ArchiveWriter::new(target);
    let mut entry = |path: &str, bytes: &[u8]| {
        archive
            .store(&format!("{name}/{path}"), bytes, ALIGNMENT)
            .map_err(put)
    };
    entry("data.pkl", &pickle)?;
    entry("byteorder", b"little")?;
    for (key, data) in parts.0.iter().enumerate() {
        entry(&format!("data/{key}"), data)?;
    }
    entry("version", b"3\n")?;
    archive
        .finish()
        .and_then(|mut target| target.flush())
        .map_err(put)
}

/// Storages in order of first use.
#[derive(Default)]
struct Parts(Vec<Arc<Vec<u8>>>);

impl TensorSink for Parts {
    fn store(&mut self, tensor: &Tensor) -> Result<String, Error> {
        // Tied parameters stay tied: tensors that share their data share one storage.
        let known = self.0.iter().position(|data| Arc::ptr_eq(data, &tensor.data));
        let key = known.unwrap_or_else(|| {
            self.0.push(Arc::clone(&tensor.data));
            self.0.len() - 1
        });
        Ok(key.to_string())
    }
}

/// Converts numpy scalars to Python numbers.
fn plain(value: &Value) -> Value {
    let all = |items: &[Value]| items.iter().map(plain).collect();
    match value {
        Value::Scalar(scalar) => {
            let boolean = scalar.dtype() == crate::DType::Bool;
            let integer = scalar.to_i64().and_then(|v| v.first().copied());
            match (integer, value.as_f64()) {
                (Some(i), _) if boolean => Value::Bool(i != 0),
                (Some(i), _) => Value::Int(i),
                (None, Some(f)) => Value::Float(f),
                (None, None) => value.clone(),
            }
        }
        Value::List(items) => Value::List(all(items)),
        Value::Tuple(items) => Value::Tuple(all(items)),
        Value::Dict(dict) => {
            let entries = dict.iter().map(|(k, v)| (plain(k), plain(v))).collect();
            Value::Dict(Dict::from_unique(dict.kind().clone(), entries))
        }
        other => other.clone(),
    }
}
