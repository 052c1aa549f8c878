//! Memory of large arrays.

/// Size of a large page on the processors that this package is built for.
const LARGE: usize = 2 << 20;

/// Asks the system to hold a new array in large pages, so that its first use waits for the system once for each 2 MB, not for
/// each 4 kB. That halves the time of work which mostly writes a new array. Nothing happens for less than two large pages,
/// or on a system that has none.
///
/// Call it before the first use, for arrays that are filled: the first use of a page takes 2 MB.
#[cfg(target_os = "linux")]
pub fn prefer_large_pages<T>(values: &mut [T]) {
    /// A multiple of the sizes of small pages (4 kB, on some processors 16 or 64 kB), to which the address is aligned.
    const SMALL: usize = 64 << 10;
    let (address, size) = (values.as_mut_ptr().cast::<u8>(), size_of_val(values));
    if size < 2 * LARGE {
        return;
    }
    let skipped = address.align_offset(SMALL);
    let length = size.saturating_sub(skipped) / SMALL * SMALL;
    // SAFETY: the range lies within `values`, which is borrowed mutably. The advice changes how the system backs the range,
    // not its content; if it is refused, nothing changes.
    unsafe { libc::madvise(address.wrapping_add(skipped).cast(), length, libc::MADV_HUGEPAGE) };
}

/// Asks the system to hold memory in large pages: there is no such request on this system.
#[cfg(not(target_os = "linux"))]
pub fn prefer_large_pages<T>(_values: &mut [T]) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_of_all_sizes_are_zero_and_writable() {
        for len in [0, 1, LARGE / 4, LARGE - 1, LARGE + 12_345, 3 * LARGE + 7] {
            let mut values = vec![0_u32; len];
            prefer_large_pages(&mut values);
            assert!(values.iter().all(|&value| value == 0));
            values.fill(7);
            prefer_large_pages(&mut values);
            assert!(values.iter().all(|&value| value == 7));
        }
    }
}
