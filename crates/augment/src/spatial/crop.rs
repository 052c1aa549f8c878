//! Cropping without interpolation, if no spatial transform is drawn.

use super::output::Output;
use super::rules::SpatialRules;
use crate::sample::Sample;

/// Copies the patch that starts at `start` of the loaded patch. Outside the loaded patch the image is 0 and
/// the segmentation `rules.padding`.
pub(super) fn crop(start: [isize; 3], rules: &SpatialRules, sample: &Sample, out: &mut Output<'_>) {
    let size = sample.data.size();
    let voxels: usize = rules.patch.iter().product();
    let from: [isize; 3] = std::array::from_fn(|axis| start[axis] - sample.start[axis] as isize);
    for (c, to) in out.data.chunks_exact_mut(voxels).enumerate() {
        copy(sample.data.channel(c), size, from, rules.patch, 0.0, to);
    }
    for (c, to) in out.seg.chunks_exact_mut(voxels).enumerate() {
        copy(
            sample.seg.channel(c),
            size,
            from,
            rules.patch,
            if c == 0 { rules.padding } else { 0 },
            to,
        );
    }
    if let (Some(map), Some(to)) = (&sample.weightmap, &mut out.weightmap) {
        copy(map.channel(0), size, from, rules.patch, 0.0, to);
    }
    if let Some(empty) = &mut out.empty {
        empty.voxels.fill(1);
        for (channel, _) in out
            .data
            .chunks_exact(voxels)
            .zip(empty.channels)
            .filter(|(_, cut)| **cut)
        {
            for (e, v) in empty.voxels.iter_mut().zip(channel) {
                *e &= u8::from(*v == 0.0);
            }
        }
    }
}

fn copy<T: Copy>(
    from: &[T],
    size: [usize; 3],
    start: [isize; 3],
    patch: [usize; 3],
    padding: T,
    to: &mut [T],
) {
    // Outputs from `first` up to `end` (exclusive) are inside.
    let first: [usize; 3] = std::array::from_fn(|a| (-start[a]).clamp(0, patch[a] as isize) as usize);
    let end: [usize; 3] =
        std::array::from_fn(|a| (size[a] as isize - start[a]).clamp(0, patch[a] as isize) as usize);
    for (i, row) in to.chunks_exact_mut(patch[2]).enumerate() {
        let (z, y) = (i / patch[1], i % patch[1]);
        let covered = (first[0]..end[0]).contains(&z) && (first[1]..end[1]).contains(&y) && first[2] < end[2];
        if !covered {
            row.fill(padding);
            continue;
        }
        let at = |axis: usize, i: usize| (i as isize + start[axis]) as usize;
        let source = (at(0, z) * size[1] + at(1, y)) * size[2] + at(2, first[2]);
        row[..first[2]].fill(padding);
        row[first[2]..end[2]].copy_from_slice(&from[source..source + end[2] - first[2]]);
        row[end[2]..].fill(padding);
    }
}
