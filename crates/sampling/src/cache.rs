//! Cache of decompressed cases, for reading patches from npz files. Evicts the least recently used arrays.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ndarray::ArrayD;

type Inflated = Result<Arc<ArrayD<f32>>, Arc<volume::Error>>;

/// Holds decompressed arrays up to a number of bytes. An array in use stays alive until its reader is done.
#[derive(Debug)]
pub struct PackedCache {
    budget: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<PathBuf, Entry>,
    clock: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    /// Filled by the first reader, outside the lock. Other readers wait instead of decompressing the same
    /// file again.
    cell: Arc<OnceLock<Inflated>>,
    used: u64,
    bytes: usize,
}

impl PackedCache {
    /// A cache of at most `budget` bytes, but at least one array.
    pub fn new(budget: usize) -> Self {
        Self {
            budget,
            state: Mutex::default(),
        }
    }

    /// Returns the array `data` of an npz file as float32, from the cache if possible.
    ///
    /// # Errors
    /// The errors of [`volume::npz::read`]. Failures are not cached.
    pub fn get(&self, path: &Path) -> Inflated {
        let cell = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.clock += 1;
            let used = state.clock;
            let fresh = || Entry {
                cell: Arc::default(),
                used,
                bytes: 0,
            };
            let entry = state.entries.entry(path.to_owned()).or_insert_with(fresh);
            entry.used = used;
            entry.cell.clone()
        };
        let inflated = cell
            .get_or_init(|| {
                volume::npz::read::<f32>(path, "data")
                    .map(Arc::new)
                    .map_err(Arc::new)
            })
            .clone();
        self.settle(
            path,
            &cell,
            inflated.as_ref().ok().map(|array| array.len() * size_of::<f32>()),
        );
        inflated
    }

    /// Accounts for an array just read (`None` if reading failed), and evicts the oldest ones over the
    /// budget.
    fn settle(&self, path: &Path, cell: &Arc<OnceLock<Inflated>>, bytes: Option<usize>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        match (state.entries.get_mut(path), bytes) {
            (Some(entry), Some(bytes)) if entry.bytes == 0 && Arc::ptr_eq(&entry.cell, cell) => {
                entry.bytes = bytes;
                state.bytes += bytes;
            }
            (Some(entry), None) if Arc::ptr_eq(&entry.cell, cell) => {
                state.entries.remove(path);
            }
            _ => {}
        }
        while state.bytes > self.budget {
            let others = state
                .entries
                .iter()
                .filter(|(p, entry)| entry.bytes > 0 && p.as_path() != path);
            let Some(oldest) = others.min_by_key(|(_, entry)| entry.used).map(|(p, _)| p.clone()) else {
                break;
            };
            if let Some(entry) = state.entries.remove(&oldest) {
                state.bytes -= entry.bytes;
            }
        }
    }

    /// Bytes of all cached arrays.
    pub fn bytes(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use volume::npz::Compression;

    fn written(folder: &Path, name: &str, value: f32) -> PathBuf {
        let path = folder.join(name);
        let array = ArrayD::from_elem(vec![2, 3], value);
        volume::npz::write(&path, &[("data", array.view())], Compression::Fast).unwrap();
        path
    }

    #[test]
    fn the_least_recently_used_array_is_evicted_first() {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<_> = (0..3)
            .map(|i| written(folder.path(), &format!("{i}.npz"), i as f32))
            .collect();
        let cache = PackedCache::new(48);
        let first = cache.get(&paths[0]).unwrap();
        cache.get(&paths[1]).unwrap();
        assert!(Arc::ptr_eq(&first, &cache.get(&paths[0]).unwrap()));
        cache.get(&paths[2]).unwrap();
        assert_eq!(cache.bytes(), 48);
        assert!(
            Arc::ptr_eq(&first, &cache.get(&paths[0]).unwrap()),
            "used more recently than the second"
        );
    }

    #[test]
    fn one_array_over_the_budget_is_still_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), "a.npz", 4.0);
        let cache = PackedCache::new(0);
        assert!(cache.get(&path).unwrap().iter().all(|v| *v == 4.0));
        assert_eq!(cache.bytes(), 24);
    }

    #[test]
    fn a_failure_is_not_cached() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PackedCache::new(100);
        assert!(cache.get(&folder.path().join("a.npz")).is_err());
        let path = written(folder.path(), "a.npz", 1.0);
        assert!(cache.get(&path).is_ok());
    }
}
