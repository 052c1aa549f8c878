//! An allocator that counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static CALLS: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator with counters of the whole process. A test file takes it as its `#[global_allocator]`; all its
/// threads share the counters, so it has one test that uses them.
pub struct Counting;

impl Counting {
    /// Number of allocations so far.
    pub fn calls() -> usize {
        CALLS.load(Relaxed)
    }

    /// Bytes of all allocations so far.
    pub fn bytes() -> usize {
        BYTES.load(Relaxed)
    }

    /// Bytes that are allocated now.
    pub fn live() -> usize {
        LIVE.load(Relaxed)
    }

    /// Runs `work`. Returns its result, and the peak of bytes above the level before, the result included.
    pub fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
        let before = Self::live();
        PEAK.store(before, Relaxed);
        let result = work();
        (result, PEAK.load(Relaxed) - before)
    }
}

fn grow(bytes: usize) {
    CALLS.fetch_add(1, Relaxed);
    BYTES.fetch_add(bytes, Relaxed);
    PEAK.fetch_max(LIVE.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: every call is forwarded to the system's allocator unchanged. Besides, only counters change.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the contract of this function is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above; the pointer came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }
}
