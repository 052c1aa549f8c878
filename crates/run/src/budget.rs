//! A memory budget shared by the cases in flight.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::memory::available;
use crate::{Cancel, Cancelled};

/// Default share of the available memory. The rest is left to other programs and to errors of the estimates.
const SHARE: f64 = 0.6;
/// Interval at which a waiting case checks for cancellation.
const POLL: Duration = Duration::from_millis(100);

/// Memory shared by cases. A case waits until enough of it is free.
pub(crate) struct Budget {
    total: u64,
    free: Mutex<u64>,
    released: Condvar,
}

/// Memory reserved by one case, released on drop.
pub(crate) struct Lease<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    /// A budget of `bytes`, or of a share of the memory available to the machine (or this process's control
    /// group).
    pub(crate) fn new(bytes: Option<u64>) -> Self {
        let total = bytes
            .unwrap_or_else(|| (available() as f64 * SHARE) as u64)
            .max(1);
        Self {
            total,
            free: Mutex::new(total),
            released: Condvar::new(),
        }
    }

    /// Size of the budget in bytes.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Waits until `bytes` are free. A case larger than the whole budget waits until no other case runs.
    pub(crate) fn take(&self, bytes: u64, cancel: &Cancel) -> Result<Lease<'_>, Cancelled> {
        let bytes = bytes.min(self.total);
        let mut free = self.lock();
        while *free < bytes {
            cancel.check()?;
            free = self
                .released
                .wait_timeout(free, POLL)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        *free -= bytes;
        Ok(Lease { budget: self, bytes })
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        *self.budget.lock() += self.bytes;
        self.budget.released.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn never_more_than_the_budget() {
        let budget = Budget::new(Some(10));
        let (used, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for need in [3, 4, 5, 10, 2, 99, 6] {
                let (budget, used, most) = (&budget, &used, &most);
                scope.spawn(move || {
                    let lease = budget.take(need, &Cancel::new()).unwrap();
                    let now = used.fetch_add(need.min(10), Ordering::SeqCst) + need.min(10);
                    most.fetch_max(now, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(5));
                    used.fetch_sub(need.min(10), Ordering::SeqCst);
                    drop(lease);
                });
            }
        });
        assert!(most.into_inner() <= 10);
        assert_eq!(*budget.lock(), 10);
    }

    #[test]
    fn cancellation_ends_the_wait() {
        let (budget, cancel) = (Budget::new(Some(10)), Cancel::new());
        let _all = budget.take(10, &cancel).unwrap();
        cancel.cancel();
        assert!(budget.take(1, &cancel).is_err());
    }

    #[test]
    fn the_machine_has_memory() {
        assert!(Budget::new(None).total() > 1 << 20);
    }
}
