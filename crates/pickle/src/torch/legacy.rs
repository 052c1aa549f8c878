//! The format before torch 1.6: five consecutive pickles, then the storages.

use std::collections::HashMap;
use std::sync::Arc;

use crate::finish::Finisher;
use crate::limits::Budget;
use crate::machine::Machine;
use crate::node::{Node, StorageRef};
use crate::storages::{storage_bytes, Storages};
use crate::tensor::TensorType;
use crate::{Error, Limits, Value};

/// `0x1950a86a20f9469cfc6c`, the first pickle.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Value, Error> {
    let mut at = 0;
    let plain = |at: &mut usize| -> Result<Value, Error> {
        let (value, used) = crate::read::read_prefix(&bytes[*at..], limits)?;
        *at += used;
        Ok(value)
    };
    let magic = plain(&mut at);
    if !matches!(&magic, Ok(Value::BigInt(n)) if n.starts_with(&MAGIC)) {
        return Err(Error::Archive {
            problem: "the file is neither a zip file nor in torch's legacy format".into(),
        });
    }
    let version = plain(&mut at)?;
    if version != Value::Int(1001) {
        return Err(Error::Unsupported {
            found: format!("version {version:?} of torch's legacy format"),
        });
    }
    let system = plain(&mut at)?;
    let big_endian = system.get("little_endian") == Some(&Value::Bool(false));

    let mut machine = Machine::new(&bytes[at..], Budget::new(limits, bytes.len() as u64), true);
    let top = machine.run()?;
    at += machine.at;
    let keys = plain(&mut at)?
        .to_strings()
        .ok_or_else(|| Error::malformed(at, "the list of storages is not a list of strings"))?;
    let sizes = declared_types(&machine.nodes);
    let mut storages = LegacyStorages {
        parts: HashMap::new(),
        big_endian,
        loaded: HashMap::new(),
    };
    for key in keys {
        let truncated = |needed: u64| Error::Truncated {
            offset: at,
            expected: needed,
            found: bytes.len() - at,
        };
        let count = bytes.get(at..at + 8).ok_or_else(|| truncated(8))?;
        let count = count.iter().rev().fold(0u64, |n, &b| n << 8 | u64::from(b));
        let Some(&dtype) = sizes.get(key.as_str()) else {
            return Err(Error::malformed(
                at,
                format!("storage {key} is listed but not used"),
            ));
        };
        let part = StorageRef {
            key,
            dtype,
            elements: count,
            view: None,
        };
        let length = storage_bytes(&part)? as usize;
        let data = bytes.get(at + 8..).and_then(|rest| rest.get(..length));
        let data = data.ok_or_else(|| truncated(length as u64 + 8))?;
        at += 8 + length;
        storages.parts.insert(part.key, data);
    }
    let budget = Budget::new(limits, bytes.len() as u64);
    Finisher::new(&machine.nodes, budget, Some(&mut storages)).value(top, 0)
}

/// Returns the element types of all storages in the pickle. The data do not repeat them.
fn declared_types<'n>(nodes: &'n [Node<'_>]) -> HashMap<&'n str, Option<TensorType>> {
    let storages = nodes.iter().filter_map(|node| match node {
        Node::Storage(storage) => Some((storage.key.as_str(), storage.dtype)),
        _ => None,
    });
    storages.collect()
}

struct LegacyStorages<'b> {
    parts: HashMap<String, &'b [u8]>,
    big_endian: bool,
    loaded: HashMap<String, Arc<Vec<u8>>>,
}

impl Storages for LegacyStorages<'_> {
    fn load(&mut self, storage: &StorageRef, budget: &mut Budget) -> Result<Arc<Vec<u8>>, Error> {
        let size = storage.dtype.map_or(1, TensorType::item_size);
        let short = || {
            Error::malformed(
                0,
                format!("storage {} is missing or shorter than declared", storage.key),
            )
        };
        let whole = match self.loaded.get(&storage.key) {
            Some(data) => Arc::clone(data),
            None => {
                let mut bytes = self.parts.get(&storage.key).ok_or_else(short)?.to_vec();
                budget.bytes(bytes.len() as u64)?;
                if self.big_endian {
                    bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
                }
                let data = Arc::new(bytes);
                self.loaded.insert(storage.key.clone(), Arc::clone(&data));
                data
            }
        };
        if (whole.len() as u64) < storage_bytes(storage)? {
            return Err(short());
        }
        let Some((first, count)) = storage.view else {
            return Ok(whole);
        };
        let range = |n: u64| usize::try_from(n).ok().and_then(|n| n.checked_mul(size));
        let part = range(first)
            .zip(range(count))
            .and_then(|(start, length)| whole.get(start..)?.get(..length));
        let part = part.ok_or_else(short)?;
        budget.bytes(part.len() as u64)?;
        Ok(Arc::new(part.to_vec()))
    }
}
