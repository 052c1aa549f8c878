//! macOS: `sysctl` and the virtual memory statistics of Mach. No framework is linked.

use std::ffi::CStr;
use std::mem::{size_of, zeroed};
use std::ptr;

use super::Memory;

pub(super) fn read() -> Option<Memory> {
    // SAFETY: an integer and a struct of integers, for which every bit pattern is valid.
    let (total, swap) = unsafe {
        (
            sysctl::<u64>(c"hw.memsize")?,
            sysctl::<libc::xsw_usage>(c"vm.swapusage").map_or(0, |swap| swap.xsu_total),
        )
    };
    let available = available().unwrap_or(total / 2);
    Some(Memory {
        available,
        capacity: total.saturating_add(swap),
    })
}

/// Reads a value of the kernel.
///
/// # Safety
/// Every bit pattern is a valid `T`.
unsafe fn sysctl<T>(name: &CStr) -> Option<T> {
    // SAFETY: the caller's promise.
    let mut value: T = unsafe { zeroed() };
    let mut size = size_of::<T>();
    // SAFETY: `value` has `size` bytes; the kernel writes no more than that.
    let status = unsafe {
        libc::sysctlbyname(
            name.as_ptr(),
            ptr::from_mut(&mut value).cast(),
            &raw mut size,
            ptr::null_mut(),
            0,
        )
    };
    (status == 0 && size == size_of::<T>()).then_some(value)
}

/// Free, inactive and purgeable pages: what macOS gives to a program without swapping.
fn available() -> Option<u64> {
    // SAFETY: a struct of integers.
    let mut statistics: libc::vm_statistics64 = unsafe { zeroed() };
    let mut count = libc::HOST_VM_INFO64_COUNT;
    // SAFETY: `statistics` has `count` integers, as HOST_VM_INFO64 asks.
    let status = unsafe {
        #[allow(
            deprecated,
            reason = "libc refers to the crate mach2, which this one call does not need"
        )]
        libc::host_statistics64(
            libc::mach_host_self(),
            libc::HOST_VM_INFO64,
            ptr::from_mut(&mut statistics).cast(),
            &raw mut count,
        )
    };
    // SAFETY: `sysconf` only reads.
    let page = u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).ok()?;
    let pages = [
        statistics.free_count,
        statistics.inactive_count,
        statistics.purgeable_count,
    ];
    (status == libc::KERN_SUCCESS).then(|| pages.iter().map(|n| u64::from(*n)).sum::<u64>() * page)
}
