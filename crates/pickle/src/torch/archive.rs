//! The zip format: `<name>/data.pkl`, `<name>/data/<key>` for each storage, `<name>/byteorder`.

use std::collections::HashMap;
use std::io::{Read, Seek};
use std::sync::Arc;

use zip::ZipArchive;

use crate::finish::Finisher;
use crate::limits::Budget;
use crate::machine::Machine;
use crate::node::StorageRef;
use crate::storages::{storage_bytes, Storages};
use crate::{Error, Limits, Value};

pub(super) fn read<R: Read + Seek>(source: R, length: u64, limits: &Limits) -> Result<Value, Error> {
    let mut zip = ZipArchive::new(source).map_err(damaged)?;
    // The folder has the name of the file at the time of saving. Undecodable names cannot be this folder.
    let names = zip.file_names().filter_map(Result::ok);
    let pickle = names
        .filter(|n| n == "data.pkl" || n.ends_with("/data.pkl"))
        .min_by_key(|n| n.len());
    let pickle = pickle.ok_or_else(|| Error::Archive {
        problem: "data.pkl is missing; the file was not written by torch.save".into(),
    })?;
    let root = pickle.trim_end_matches("data.pkl").to_owned();
    let mut budget = Budget::new(limits, length);
    let text = entry(
        &mut zip,
        &format!("{root}data.pkl"),
        length.saturating_mul(4),
        &mut budget,
    )?;
    let order = format!("{root}byteorder");
    let big_endian = match zip.index_for_name(&order) {
        Some(_) => entry(&mut zip, &order, 16, &mut budget)? == b"big",
        None => false,
    };
    let mut machine = Machine::new(&text, Budget::new(limits, text.len() as u64), true);
    let top = machine.run()?;
    let mut storages = ZipStorages {
        zip,
        root,
        big_endian,
        loaded: HashMap::new(),
    };
    Finisher::new(&machine.nodes, budget, Some(&mut storages)).value(top, 0)
}

fn damaged(error: zip::result::ZipError) -> Error {
    Error::Archive {
        problem: format!("{error}; the file is incomplete or not a checkpoint"),
    }
}

/// Reads the content of one entry, limited to `most` bytes and the remaining budget. The sizes in the archive
/// and the storage lengths in the pickle are not trusted.
fn entry<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    name: &str,
    most: u64,
    budget: &mut Budget,
) -> Result<Vec<u8>, Error> {
    let file = zip.by_name(name).map_err(|e| Error::Archive {
        problem: format!("{name}: {e}"),
    })?;
    let mut bytes = Vec::new();
    let read = |e: std::io::Error| Error::Archive {
        problem: format!("{name}: {e}"),
    };
    // One additional byte shows whether the entry is longer.
    file.take(most.min(budget.bytes_left()).saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(read)?;
    if bytes.len() as u64 > most {
        return Err(Error::Archive {
            problem: format!("{name}: more than the expected {most} bytes"),
        });
    }
    budget.bytes(bytes.len() as u64)?;
    Ok(bytes)
}

struct ZipStorages<R> {
    zip: ZipArchive<R>,
    root: String,
    big_endian: bool,
    loaded: HashMap<String, Arc<Vec<u8>>>,
}

impl<R: Read + Seek> Storages for ZipStorages<R> {
    fn load(&mut self, storage: &StorageRef, budget: &mut Budget) -> Result<Arc<Vec<u8>>, Error> {
        let expected = storage_bytes(storage)?;
        let data = match self.loaded.get(&storage.key) {
            Some(data) => Arc::clone(data),
            None => {
                let name = format!("{}data/{}", self.root, storage.key);
                let mut bytes = entry(&mut self.zip, &name, expected, budget)?;
                if self.big_endian {
                    let size = storage.dtype.map_or(1, super::TensorType::item_size);
                    bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
                }
                let data = Arc::new(bytes);
                self.loaded.insert(storage.key.clone(), Arc::clone(&data));
                data
            }
        };
        if data.len() as u64 != expected {
            let problem = format!(
                "storage {}: found {} bytes, expected {expected}",
                storage.key,
                data.len()
            );
            return Err(Error::Archive { problem });
        }
        Ok(data)
    }
}
