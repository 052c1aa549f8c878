//! Windows: `GlobalMemoryStatusEx`.

use std::mem::size_of;

use windows_sys::Win32::System::SystemInformation::{GlobalMemoryStatusEx, MEMORYSTATUSEX};

use super::Memory;

pub(super) fn read() -> Option<Memory> {
    let mut status = MEMORYSTATUSEX {
        dwLength: size_of::<MEMORYSTATUSEX>() as u32,
        ..Default::default()
    };
    // SAFETY: `status` is valid and has its length, as the function asks.
    let done = unsafe { GlobalMemoryStatusEx(&raw mut status) };
    (done != 0).then(|| Memory {
        available: status.ullAvailPhys,
        // The limit of what programs may commit: memory and page file.
        capacity: status.ullTotalPageFile.max(status.ullTotalPhys),
    })
}
