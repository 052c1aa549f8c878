//! Scripted random numbers, for tests.

use std::collections::VecDeque;

use random::Draw;

/// Returns listed numbers in turn and records the requested ranges.
pub(crate) struct Scripted {
    numbers: VecDeque<u64>,
}

impl Scripted {
    pub(crate) fn new(numbers: &[u64]) -> Self {
        Self {
            numbers: VecDeque::from(numbers.to_vec()),
        }
    }
}

impl Draw for Scripted {
    fn below(&mut self, n: u64) -> u64 {
        let number = self
            .numbers
            .pop_front()
            .expect("more numbers drawn than scripted");
        assert!(number < n, "scripted {number}, but asked for less than {n}");
        number
    }
}
