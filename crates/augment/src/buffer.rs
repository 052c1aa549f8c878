//! Buffers that keep their memory, and never take more than they need.

/// Gives `buffer` the length `n`. New elements are `value`; old ones stay. Unlike `Vec::resize` it grows to exactly `n`,
/// so that memory can be reckoned before the start.
pub(crate) fn fit<T: Copy>(buffer: &mut Vec<T>, n: usize, value: T) {
    if n > buffer.capacity() {
        buffer.reserve_exact(n - buffer.len());
    }
    buffer.resize(n, value);
}

/// Replaces what `buffer` holds by copies of `values`.
pub(crate) fn copy<T: Copy + Default>(buffer: &mut Vec<T>, values: &[T]) {
    fit(buffer, values.len(), T::default());
    buffer.copy_from_slice(values);
}
