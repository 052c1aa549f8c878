//! Cooperative cancellation.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

/// A flag that asks a verb to stop at its next safe point. Clones share the flag.
///
/// Long functions check it before each slab, slice or block of rows. They stop within about a tenth of a
/// second and return [`Cancelled`].
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    flag: Arc<AtomicBool>,
    fuse: Option<Arc<Fuse>>,
}

/// Counts checks and sets the flag at one of them.
#[derive(Debug)]
struct Fuse {
    checks: AtomicU64,
    limit: u64,
}

/// The verb was cancelled by its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, crate::Coded)]
#[error("cancelled on request")]
#[code(Cancelled)]
pub struct Cancelled;

impl Cancel {
    /// A flag that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// A flag that counts its checks and sets itself at check number `limit + 1`. Tests of cancellation use
    /// it: counting work instead of time makes them repeatable.
    pub fn after(limit: u64) -> Self {
        let checks = AtomicU64::new(0);
        Self {
            flag: Arc::default(),
            fuse: Some(Arc::new(Fuse { checks, limit })),
        }
    }

    /// Number of checks of a flag made by [`Cancel::after`].
    pub fn checks(&self) -> Option<u64> {
        Some(self.fuse.as_ref()?.checks.load(Ordering::Relaxed))
    }

    /// Asks the verb to stop. Idempotent; callable from any thread.
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    /// Returns true once [`Cancel::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        if let Some(fuse) = &self.fuse {
            if fuse.checks.fetch_add(1, Ordering::Relaxed) >= fuse.limit {
                self.cancel();
            }
        }
        self.flag.load(Ordering::Relaxed)
    }

    /// Returns `Err(Cancelled)` once cancellation was requested.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() {
            Err(Cancelled)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_flag() {
        let flag = Cancel::new();
        let other = flag.clone();
        assert_eq!(other.check(), Ok(()));
        flag.cancel();
        assert_eq!(other.check(), Err(Cancelled));
    }

    #[test]
    fn a_fuse_counts_checks_and_sets_the_flag() {
        let flag = Cancel::after(2);
        let found: Vec<_> = (0..4).map(|_| flag.clone().check().is_err()).collect();
        assert_eq!(found, [false, false, true, true]);
        assert_eq!((flag.checks(), Cancel::new().checks()), (Some(4), None));
    }
}
