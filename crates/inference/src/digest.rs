//! Digest of everything that decides about a segmentation.

use std::path::Path;

/// A 64-bit FNV-1a hash. It tells models and settings apart; it is no protection against intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    /// Digits of the digest of a file's content; of nothing if there is none or it cannot be read.
    pub(crate) fn of_file(file: Option<&Path>) -> String {
        let mut digest = Self::default();
        digest.bytes(&file.and_then(|file| std::fs::read(file).ok()).unwrap_or_default());
        digest.hex()
    }

    fn add(&mut self, value: u32) {
        self.0 = (self.0 ^ u64::from(value)).wrapping_mul(0x0100_0000_01b3);
    }

    /// Adds a text and its end.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Adds bytes and their end.
    pub fn bytes(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.add(u32::from(*byte)));
        self.add(0x100);
    }

    /// Adds the bits of numbers, a word at a time: large models have many.
    pub fn floats<'a>(&mut self, values: impl Iterator<Item = &'a f32>) {
        values.for_each(|value| self.add(value.to_bits()));
    }

    /// Sixteen hexadecimal digits.
    pub fn hex(self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_and_its_order_change_the_digest() {
        let of = |texts: &[&str], values: &[f32]| {
            let mut digest = Digest::default();
            texts.iter().for_each(|text| digest.text(text));
            digest.floats(values.iter());
            digest.hex()
        };
        let all = [
            of(&["a", "b"], &[1.0]),
            of(&["ab"], &[1.0]),
            of(&["b", "a"], &[1.0]),
            of(&["a", "b"], &[-1.0]),
            of(&["a", "b"], &[1.0, 0.0]),
        ];
        for (i, one) in all.iter().enumerate() {
            assert_eq!(one.len(), 16);
            assert!(!all[i + 1..].contains(one));
        }
        assert_eq!(all[0], of(&["a", "b"], &[1.0]));
    }
}
