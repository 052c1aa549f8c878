//! Test-time mirroring: the subsets of the axes.

/// All subsets of `axes`, the empty one first. Each is the set of mirrored axes of one copy. No axes give one
/// empty subset.
pub fn mirror_subsets(axes: &[usize]) -> Vec<Vec<i64>> {
    (0..1usize << axes.len())
        .map(|bits| {
            let chosen = axes.iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1);
            // Tensors are (sample, channel, z, y, x).
            chosen.map(|(_, &axis)| axis as i64 + 2).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_of_axes() {
        assert_eq!(mirror_subsets(&[]), vec![Vec::<i64>::new()]);
        assert_eq!(
            mirror_subsets(&[0, 2]),
            vec![vec![], vec![2], vec![4], vec![2, 4]]
        );
        assert_eq!(mirror_subsets(&[0, 1, 2]).len(), 8);
    }
}
