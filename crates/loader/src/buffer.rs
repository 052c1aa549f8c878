//! Memory for batches.

/// Float32 memory of fixed length, such as a vector or page-locked host memory.
pub trait Buffer: Send + Sync {
    /// The values.
    fn as_slice(&self) -> &[f32];
    /// The values.
    fn as_mut_slice(&mut self) -> &mut [f32];
}

/// Source of batch memory. An engine with asynchronous device copies supplies page-locked memory. Buffers are
/// reused for later batches until the loader ends.
pub trait BufferSource: Send + Sync {
    /// Allocates memory for `length` values of any content.
    ///
    /// # Errors
    /// Returns a message if the allocation fails.
    fn allocate(&self, length: usize) -> Result<Box<dyn Buffer>, String>;
}

/// Ordinary memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeapBuffers;

impl BufferSource for HeapBuffers {
    fn allocate(&self, length: usize) -> Result<Box<dyn Buffer>, String> {
        let mut values = Vec::new();
        values.try_reserve_exact(length).map_err(|e| e.to_string())?;
        values.resize(length, 0.0);
        Ok(Box::new(Heap(values)))
    }
}

struct Heap(Vec<f32>);

impl Buffer for Heap {
    fn as_slice(&self) -> &[f32] {
        &self.0
    }

    fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.0
    }
}
