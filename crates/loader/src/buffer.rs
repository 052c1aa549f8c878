//! Memory for batches.

/// Float32 memory of fixed length, such as a vector or page-locked host memory.
pub trait Buffer: Send + Sync {
    /// The values.
    fn as_slice(&self) -> &[f32];
    /// The values.
    fn as_mut_slice(&mut self) -> &mut [f32];
}

/// Where the loader takes memory for batches from. An engine that copies to a device asynchronously supplies page-locked
/// memory here; buffers are used again for later batches until the loader ends.
pub trait BufferSource: Send + Sync {
    /// Memory for `length` values; what they are does not matter.
    ///
    /// # Errors
    /// A message, when there is no memory.
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
