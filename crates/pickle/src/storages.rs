//! Storages: the bytes of a checkpoint's tensors.

use std::sync::Arc;

use crate::limits::Budget;
use crate::node::StorageRef;
use crate::tensor::TensorType;
use crate::Error;

/// Source of storage bytes, little endian.
pub(crate) trait Storages {
    fn load(&mut self, storage: &StorageRef, budget: &mut Budget) -> Result<Arc<Vec<u8>>, Error>;
}

/// Returns the size of a storage in bytes. Rejects a size that overflows, before allocation.
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
