//! Bounds on what reading may cost, whatever the bytes say.

use crate::Error;

/// Bounds on memory and depth while reading. The defaults fit every file nnU-Net writes.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of one pickle or checkpoint file.
    pub input: u64,
    /// Values in the pickle, and again in the tree made from it (a pickle may refer to one value many times).
    pub nodes: u64,
    /// Bytes of strings, arrays and tensors in the tree beyond four times the input's size.
    pub spare_bytes: u64,
    /// Containers inside one another.
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

impl Limits {
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

/// Counts down what [`Limits`] allows.
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
            nodes: limits.nodes,
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
                    limit: self.limits.nodes,
                })
            }
        }
        Ok(())
    }

    /// Bytes that may still be taken.
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
