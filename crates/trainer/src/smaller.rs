//! Sizes that need less memory.

use engine::Architecture;

/// The batch or patch size to try when the memory does not suffice, as text. Most memory is for activations,
/// which are proportional to both.
pub(crate) fn advice(architecture: &Architecture, batch: usize, patch: &[usize]) -> String {
    let mut sizes = Vec::new();
    if batch > 1 {
        sizes.push(format!("--batch-size {}", batch / 2));
    }
    if let Some(patch) = smaller_patch(architecture, patch) {
        let words: Vec<String> = patch.iter().map(usize::to_string).collect();
        sizes.push(format!("--patch-size {}", words.join(" ")));
    }
    let size = match sizes.is_empty() {
        true => String::new(),
        false => format!("try {}, which needs about half, ", sizes.join(" or ")),
    };
    format!("{size}use --precision float16 or bfloat16, or free the device of other processes")
}

/// The patch with its longest axis halved, or the next one if the poolings do not allow that.
fn smaller_patch(architecture: &Architecture, patch: &[usize]) -> Option<Vec<usize>> {
    let mut axes: Vec<usize> = (0..patch.len()).collect();
    axes.sort_by_key(|&axis| std::cmp::Reverse(patch[axis]));
    axes.into_iter().find_map(|axis| {
        let divisor: i64 = architecture
            .pools
            .iter()
            .filter_map(|pool| pool.get(axis))
            .product();
        let divisor = usize::try_from(divisor).ok().filter(|&d| d > 0)?;
        let mut smaller = patch.to_vec();
        smaller[axis] = patch[axis] / 2 / divisor * divisor;
        let size: Vec<i64> = smaller.iter().map(|&n| n as i64).collect();
        architecture.validate_patch(&size).ok().map(|()| smaller)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_batch_or_the_longest_axis_that_the_poolings_divide_is_halved() {
        let network = Architecture {
            input_channels: 1,
            classes: 2,
            base_features: 32,
            conv_per_stage: 2,
            pools: vec![vec![1, 2, 2], vec![2, 2, 2]],
            kernels: vec![vec![3, 3, 3]; 3],
        };
        let found = |batch, patch: &[usize]| advice(&network, batch, patch);
        assert!(found(5, &[16, 40, 24]).starts_with("try --batch-size 2 or --patch-size 16 20 24, which"));
        // 36 / 2 is no multiple of 4.
        assert!(found(1, &[16, 36, 24]).starts_with("try --patch-size 16 16 24, which"));
        assert!(found(1, &[4, 4, 8]).starts_with("try --patch-size 4 4 4, which"));
        // Half of any axis leaves a single voxel at the bottleneck, or less.
        assert!(found(1, &[4, 4, 4]).starts_with("use --precision"));
    }
}
