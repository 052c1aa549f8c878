//! Grids of different sizes over one extent, as scikit-image's `resize` lays them: voxel edges meet, not centres.

/// `n * factor` rounded half to even, at least 1.
pub(crate) fn resized(n: usize, factor: f64) -> usize {
    ((n as f64 * factor).round_ties_even() as usize).max(1)
}

/// Where output voxel `i` of `outputs` lies among `inputs` voxels.
pub(crate) fn source_position(i: usize, inputs: usize, outputs: usize) -> f64 {
    let zoom = inputs as f64 / outputs as f64;
    (i as f64 + 0.5) * zoom - 0.5
}

/// The input voxel nearest to each output voxel; of two, the higher one.
pub(crate) fn nearest_sources(inputs: usize, outputs: usize, sources: &mut Vec<u32>) {
    sources.clear();
    sources.extend((0..outputs).map(|i| {
        let position = (source_position(i, inputs, outputs) + 0.5).floor().max(0.0);
        (position as usize).min(inputs - 1) as u32
    }));
}
