//! Memory of the machine, limited by this process's control group.

#[cfg(any(target_os = "linux", test))]
mod linux;

/// Assumed available memory if the system does not report it.
const FALLBACK: u64 = 4 << 30;

/// What the operating system reports, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Memory {
    /// Available without swapping.
    available: u64,
    /// In use or not, with swap.
    capacity: u64,
}

/// Memory in bytes available without swapping: to the machine, this process's control group and its limits of addresses
/// and writable memory (`ulimit -v`, `ulimit -d`).
#[must_use]
pub fn available_memory() -> u64 {
    available()
}

/// Memory in bytes available without swapping.
pub(crate) fn available() -> u64 {
    system::read().map_or(FALLBACK, |memory| memory.available)
}

/// Memory of this process in bytes, without what is swapped out. `None` where the system is not Linux.
#[must_use]
pub fn resident_memory() -> Option<u64> {
    #[cfg(target_os = "linux")]
    return linux::resident(std::path::Path::new("/"));
    #[cfg(not(target_os = "linux"))]
    None
}

/// Total memory in bytes, in use or not: the machine's including swap, or the limit of this process's control
/// group.
#[must_use]
pub fn memory_capacity() -> u64 {
    system::read().map_or(u64::MAX, |memory| memory.capacity)
}

#[cfg(target_os = "linux")]
mod system {
    pub(super) fn read() -> Option<super::Memory> {
        super::linux::read(std::path::Path::new("/"))
    }
}

#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod system;

#[cfg(windows)]
#[path = "windows.rs"]
mod system;

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
mod system {
    pub(super) fn read() -> Option<super::Memory> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_memory() {
        assert!(available() > 1 << 20);
        assert!(memory_capacity() >= available());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_what_it_fills() {
        let before = resident_memory().unwrap();
        let filled = vec![1u8; 64 << 20];
        let after = resident_memory().unwrap();
        assert!(filled.iter().all(|&byte| byte == 1));
        assert!(
            after > before + (32 << 20) && after < memory_capacity(),
            "{before} {after}"
        );
    }
}
