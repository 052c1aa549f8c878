//! Storages: the bytes behind a checkpoint's tensors.

use std::sync::Arc;

use crate::limits::Budget;
use crate::node::StorageRef;
use crate::tensor::TensorType;
use crate::Error;

/// Gives the bytes of storages, little endian.
pub(crate) trait Storages {
    fn load(&mut self, storage: &StorageRef, budget: &mut Budget) -> Result<Arc<Vec<u8>>, Error>;
}

/// Refuses a storage whose declared size and bytes differ, before anything of that size is allocated.
pub(crate) fn storage_bytes(storage: &StorageRef) -> Result<u64, Error> {
    let size = storage.dtype.map_or(1, TensorType::item_size) as u64;
    let too_long = || {
        Error::malformed(
            0,
            format!("storage {} of {} elements", storage.key, storage.elements),
        )
    };
    storage
        .elements
        .checked_mul(size)
        .filter(|&n| n <= isize::MAX as u64)
        .ok_or_else(too_long)
}
