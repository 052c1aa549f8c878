//! Bounds on the cost of reading.

use crate::Error;

/// Bounds on memory and depth of one read. The defaults suffice for every file of nnU-Net.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Maximum size in bytes of a pickle or checkpoint file.
    pub input: u64,
    /// Maximum number of values in the pickle, and in the tree built from it. A pickle may refer to one value
    /// many times; a small file may have fewer: 2^18, and 16 for each of its bytes.
    pub nodes: u64,
    /// Maximum bytes of strings, arrays and tensors in the tree, in addition to four times the input size.
    pub spare_bytes: u64,
    /// Maximum nesting depth of containers.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            input: 16 << 30,
            nodes: 16 << 20,
            spare_bytes: 64 << 20,
            depth: 100,
        }
    }
}

/// Values that any file may have.
const SPARE_NODES: u64 = 1 << 18;
/// Values that a byte of a file may have. A value takes at least a byte; a reference to a list of values takes two.
const NODES_PER_BYTE: u64 = 16;

impl Limits {
    /// Maximum number of values in a file of this length.
    fn nodes_within(&self, input: u64) -> u64 {
        let held = input.saturating_mul(NODES_PER_BYTE).saturating_add(SPARE_NODES);
        self.nodes.min(held)
    }

    pub(crate) fn check_input(&self, bytes: u64) -> Result<(), Error> {
        if bytes > self.input {
            return Err(Error::Limit {
                what: "bytes in the file",
                limit: self.input,
            });
        }
        Ok(())
    }
}

/// Remaining budget of [`Limits`].
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    nodes: u64,
    bytes: u64,
    limits: Limits,
    input: u64,
}

impl Budget {
    pub(crate) fn new(limits: &Limits, input: u64) -> Self {
        let bytes = limits.spare_bytes.saturating_add(input.saturating_mul(4));
        Self {
            nodes: limits.nodes_within(input),
            bytes,
            limits: limits.clone(),
            input,
        }
    }

    pub(crate) fn depth(&self) -> usize {
        self.limits.depth
    }

    pub(crate) fn nodes(&mut self, count: usize) -> Result<(), Error> {
        match self.nodes.checked_sub(count as u64) {
            Some(left) => self.nodes = left,
            None => {
                return Err(Error::Limit {
                    what: "values",
                    limit: self.limits.nodes_within(self.input),
                })
            }
        }
        Ok(())
    }

    /// Remaining bytes.
    pub(crate) fn bytes_left(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn bytes(&mut self, count: u64) -> Result<(), Error> {
        match self.bytes.checked_sub(count) {
            Some(left) => self.bytes = left,
            None => {
                let limit = Self::new(&self.limits, self.input).bytes;
                return Err(Error::Limit {
                    what: "bytes of strings, arrays and tensors",
                    limit,
                });
            }
        }
        Ok(())
    }
}
