//! Buffers that keep their memory and grow to the exact length.

/// Sets the length of `buffer` to `n`. New elements are `value`; existing ones stay. Unlike `Vec::resize` it
/// grows to exactly `n`, so that the memory can be estimated in advance.
pub(crate) fn fit<T: Copy>(buffer: &mut Vec<T>, n: usize, value: T) {
    if n > buffer.capacity() {
        buffer.reserve_exact(n - buffer.len());
    }
    buffer.resize(n, value);
}

/// Replaces the content of `buffer` with `values`.
pub(crate) fn copy<T: Copy + Default>(buffer: &mut Vec<T>, values: &[T]) {
    fit(buffer, values.len(), T::default());
    buffer.copy_from_slice(values);
}
