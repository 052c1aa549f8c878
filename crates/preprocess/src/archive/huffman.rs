//! Canonical Huffman codes of limited length, as required by deflate.

use super::bits::Bits;

/// A code for each symbol.
pub struct Huffman {
    /// Code length of each symbol in bits; 0 for unused symbols.
    pub lengths: Vec<u8>,
    /// Code of each symbol, first bit lowest.
    codes: Vec<u32>,
}

impl Huffman {
    /// Returns the optimal code for `counts` with code lengths up to `limit`. At least two symbols get a
    /// code, because decoders differ for fewer.
    pub fn new(counts: &[u32], limit: usize) -> Self {
        let (used, unused): (Vec<usize>, Vec<usize>) = (0..counts.len()).partition(|&s| counts[s] > 0);
        let spare = unused.into_iter().take(2usize.saturating_sub(used.len()));
        let mut leaves: Vec<(u32, usize)> = used.into_iter().chain(spare).map(|s| (counts[s], s)).collect();
        leaves.sort_unstable();
        let mut per_length = limited(&depths(&leaves), limit);
        let mut lengths = vec![0; counts.len()];
        // The rarest symbols come first and get the longest codes.
        let mut length = limit;
        for &(_, symbol) in &leaves {
            while per_length[length] == 0 {
                length -= 1;
            }
            per_length[length] -= 1;
            lengths[symbol] = length as u8;
        }
        let codes = canonical(&lengths, limit);
        Self { lengths, codes }
    }

    /// Writes a symbol's code.
    #[inline]
    pub fn put(&self, symbol: usize, out: &mut Bits) {
        out.put(self.codes[symbol], u32::from(self.lengths[symbol]));
    }
}

/// Returns the depth of each leaf of the Huffman tree of `leaves`, which are sorted by count.
fn depths(leaves: &[(u32, usize)]) -> Vec<usize> {
    let n = leaves.len();
    let mut weights: Vec<u64> = leaves.iter().map(|&(count, _)| u64::from(count)).collect();
    let mut parents = vec![0; 2 * n - 1];
    // Leaves and inner nodes are each in ascending order, so that the lightest is at one of two heads.
    let (mut leaf, mut inner) = (0, n);
    for node in n..2 * n - 1 {
        let mut lightest = || {
            let take_leaf = leaf < n && (inner >= weights.len() || weights[leaf] <= weights[inner]);
            let head = if take_leaf { &mut leaf } else { &mut inner };
            *head += 1;
            *head - 1
        };
        let (a, b) = (lightest(), lightest());
        parents[a] = node;
        parents[b] = node;
        weights.push(weights[a] + weights[b]);
    }
    let mut depths = vec![0; 2 * n - 1];
    for node in (0..2 * n - 2).rev() {
        depths[node] = depths[parents[node]] + 1;
    }
    depths.truncate(n);
    depths
}

/// Returns the number of codes of each length, with lengths up to `limit`.
fn limited(depths: &[usize], limit: usize) -> Vec<usize> {
    let mut per_length = vec![0usize; limit + 1];
    for &depth in depths {
        per_length[depth.min(limit)] += 1;
    }
    // Truncated codes exceed the available code space. Lengthening shorter codes restores it.
    let mut taken: usize = (1..=limit)
        .map(|length| per_length[length] << (limit - length))
        .sum();
    while taken > 1 << limit {
        per_length[limit] -= 1;
        if let Some(length) = (1..limit).rev().find(|&length| per_length[length] > 0) {
            per_length[length] -= 1;
            per_length[length + 1] += 2;
        }
        taken -= 1;
    }
    per_length
}

/// Returns canonical codes in the order of lengths, then symbols. They are reversed, because deflate writes a
/// code's first bit first.
fn canonical(lengths: &[u8], limit: usize) -> Vec<u32> {
    let mut next = vec![0u32; limit + 2];
    for &length in lengths.iter().filter(|&&l| l > 0) {
        next[usize::from(length) + 1] += 1;
    }
    for length in 1..next.len() {
        next[length] = (next[length] + next[length - 1]) << 1;
    }
    let code = |&length: &u8| match length {
        0 => 0,
        length => {
            let code = &mut next[usize::from(length)];
            *code += 1;
            (*code - 1).reverse_bits() >> (32 - u32::from(length))
        }
    };
    lengths.iter().map(code).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn codes_are_complete_limited_and_ordered(
            counts in prop::collection::vec(prop_oneof![Just(0u32), 1u32..50, 1u32..2_000_000], 2..286),
            limit in 9usize..16,
        ) {
            let lengths = Huffman::new(&counts, limit).lengths;
            let space: usize =
                lengths.iter().filter(|&&l| l > 0).map(|&l| 1usize << (limit - usize::from(l))).sum();
            prop_assert_eq!(space, 1 << limit);
            for (i, &a) in counts.iter().enumerate() {
                prop_assert!(a == 0 || lengths[i] > 0);
                for (j, &b) in counts.iter().enumerate() {
                    prop_assert!(a <= b || b == 0 || lengths[i] <= lengths[j], "{} {}", i, j);
                }
            }
        }

        #[test]
        fn code_length_exceeds_entropy_by_at_most_one_bit(counts in prop::collection::vec(1u32..5000, 2..200)) {
            let lengths = Huffman::new(&counts, 15).lengths;
            let total: f64 = counts.iter().map(|&n| f64::from(n)).sum();
            let entropy: f64 = counts.iter().map(|&n| -f64::from(n) * (f64::from(n) / total).log2()).sum();
            let bits: f64 = counts.iter().zip(&lengths).map(|(&n, &l)| f64::from(n) * f64::from(l)).sum();
            prop_assert!(bits >= entropy - 1e-6 && bits <= entropy + total);
        }
    }

    #[test]
    fn fibonacci_counts_respect_length_limit() {
        let mut counts = vec![1u32, 1];
        for i in 2..30 {
            counts.push(counts[i - 1] + counts[i - 2]);
        }
        assert_eq!(Huffman::new(&counts, 15).lengths.into_iter().max(), Some(15));
    }
}
