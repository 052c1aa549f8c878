//! Bounds on the cost of reading.

use crate::Error;

/// Bounds on memory and depth of one read. The defaults suffice for every file of nnU-Net.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Maximum size in bytes of a pickle or checkpoint file.
    pub input: u64,
    /// Maximum number of values in the pickle, and in the tree built from it. A pickle may refer to one value
    /// many times.
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
