//! Memory estimate of a chain.

use super::Pipeline;
use crate::spatial::largest_box;
use crate::spline::{MARGIN, REACH};

impl Pipeline {
    /// Upper bound in bytes of one thread's [`crate::Workspace`] for loaded patches of size `full`, for all
    /// draws. Excludes samples and destinations.
    pub fn workspace_bytes(&self, full: [usize; 3]) -> usize {
        let product = |n: [usize; 3]| n.iter().product::<usize>();
        let patch = self.rules.patch;
        let voxels = product(patch);
        let segs = 1 + usize::from(self.options.cascade.is_some());
        let mut bytes = 2 * segs * voxels;
        if self.options.weightmap {
            bytes += 4 * voxels;
        }
        let Some(strength) = &self.strength else {
            return bytes;
        };
        if self.options.use_mask_for_norm.contains(&true) {
            bytes += voxels;
        }
        // Scaling alone: slices downsampled along y, and the lines of one pass.
        let lines = |n: [usize; 3]| (n[0].max(n[1]) + 2 * MARGIN) * n[2];
        bytes += 4 * (full[0] * patch[1] * full[2] + lines(full));
        // Rotation: coefficients of one block, and the lines of one slice.
        let reach = strength.spatial.elastic.as_ref().map_or(0.0, |e| e.alpha[1]);
        let scale = strength.spatial.scale[1].max(1.0);
        let size = largest_box(&self.rules, full, scale, reach);
        bytes += 4 * (product(size) + (size[1] + 2 * REACH).min(full[1]) * size[2]);
        // Blur. Low resolution: the small image, its slices upsampled along y, and lines.
        bytes += 4 * (patch[0].max(patch[1]) * patch[2]);
        bytes += 4 * (2 * voxels + lines(patch));
        if strength.spatial.elastic.is_some() {
            bytes += 4 * (3 * voxels + patch[0].max(patch[1]) * patch[2]);
        }
        if self.options.cascade.is_some() {
            // Mask, two distance maps, components, and a stack and sizes for up to every voxel.
            bytes += voxels * (1 + 2 * 2 + 4) + 2 * 2 * std::mem::size_of::<usize>() * voxels;
        }
        // Coordinates, taps and lists of single rows.
        bytes + 256 * (full.iter().sum::<usize>() + patch.iter().sum::<usize>()) + 4096
    }
}
