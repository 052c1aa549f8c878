//! Size of the loaded patch for rotation and scaling (`get_patch_size`).

/// Returns the size of the loaded patch for a network patch of `patch` (2 or 3 axes). Per axis this is the
/// largest extent of the patch rotated about one axis at a time by the largest angle (at most 90 degrees),
/// divided by the smallest scale and rounded down.
///
/// nnU-Net v1 calls it with the scale range (0.85, 1.25), although its trainers scale by 0.7 to 1.4. This
/// function returns the value of the first trainer of a Python process.
///
/// # Example
/// ```
/// let angle = [30f64.to_radians(); 3];
/// assert_eq!(augment::initial_patch_size(&[128, 128, 128], angle, 0.85), [205, 205, 205]);
/// ```
pub fn initial_patch_size(patch: &[usize], angles: [f64; 3], smallest_scale: f64) -> Vec<usize> {
    let angles = angles.map(|a| a.abs().min(std::f64::consts::FRAC_PI_2));
    let size: Vec<f64> = patch.iter().map(|&n| n as f64).collect();
    let mut extent = size.clone();
    let mut grow = |a: usize, b: usize, sin: f64, cos: f64| {
        // A row vector times the rotation matrix in the plane of axes a and b.
        extent[a] = extent[a].max((size[a] * cos + size[b] * sin).abs());
        extent[b] = extent[b].max((-size[a] * sin + size[b] * cos).abs());
    };
    if patch.len() == 3 {
        grow(1, 2, angles[0].sin(), angles[0].cos());
        grow(0, 2, -angles[1].sin(), angles[1].cos());
        grow(0, 1, angles[2].sin(), angles[2].cos());
    } else if patch.len() == 2 {
        grow(0, 1, angles[0].sin(), angles[0].cos());
    }
    extent
        .into_iter()
        .map(|n| (n / smallest_scale) as usize)
        .collect()
}
