//! Random numbers as sampling needs them.

/// A source of uniform integers. The loader implements it over its keyed generator; tests script it.
pub trait Draw {
    /// A number uniform in `0..n`; `n` is at least 1.
    fn below(&mut self, n: u64) -> u64;
}

#[cfg(test)]
pub(crate) use scripted::Scripted;

#[cfg(test)]
mod scripted {
    use std::collections::VecDeque;

    /// Returns listed numbers in turn and remembers what was asked for.
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

    impl super::Draw for Scripted {
        fn below(&mut self, n: u64) -> u64 {
            let number = self
                .numbers
                .pop_front()
                .expect("more numbers drawn than scripted");
            assert!(number < n, "scripted {number}, but asked for less than {n}");
            number
        }
    }
}
