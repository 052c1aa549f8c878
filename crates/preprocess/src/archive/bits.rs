//! A stream of bits, the lowest of each byte first.

/// Collects bits into bytes.
#[derive(Default)]
pub struct Bits {
    bytes: Vec<u8>,
    pending: u64,
    count: u32,
}

impl Bits {
    /// An empty stream with room for `bytes`.
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            ..Self::default()
        }
    }

    /// Appends the lowest `count` bits of `value`, at most 32; the others must be 0.
    #[inline]
    pub fn put(&mut self, value: u32, count: u32) {
        self.pending |= u64::from(value) << self.count;
        self.count += count;
        if self.count >= 32 {
            self.bytes.extend_from_slice(&(self.pending as u32).to_le_bytes());
            self.pending >>= 32;
            self.count -= 32;
        }
    }

    /// Fills the last byte with zeros and returns all bytes.
    pub fn into_bytes(mut self) -> Vec<u8> {
        let whole = self.count.div_ceil(8) as usize;
        self.bytes.extend_from_slice(&self.pending.to_le_bytes()[..whole]);
        self.bytes
    }

    /// Bits that the last byte lacks.
    pub fn missing(&self) -> u32 {
        self.count.wrapping_neg() % 8
    }
}
