//! Grids of different sizes over one extent, as in scikit-image's `resize`: voxel edges align, not centres.

/// `n * factor` rounded half to even, at least 1.
pub(crate) fn resized(n: usize, factor: f64) -> usize {
    ((n as f64 * factor).round_ties_even() as usize).max(1)
}

/// Coordinate of output voxel `i` of `outputs` in a grid of `inputs` voxels.
pub(crate) fn source_position(i: usize, inputs: usize, outputs: usize) -> f64 {
    let zoom = inputs as f64 / outputs as f64;
    (i as f64 + 0.5) * zoom - 0.5
}

/// The nearest input voxel of each output voxel; the higher one of two.
pub(crate) fn nearest_sources(inputs: usize, outputs: usize, sources: &mut Vec<u32>) {
    sources.clear();
    sources.extend((0..outputs).map(|i| {
        let position = (source_position(i, inputs, outputs) + 0.5).floor().max(0.0);
        (position as usize).min(inputs - 1) as u32
    }));
}
