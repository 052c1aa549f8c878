//! Whole slices.

use ndarray::{Array3, ArrayView3, Axis};
use random::Rng;

use super::classes::Classes;

/// Chooses `count` slices across the axis: one drawn from each of `count` equal parts of the axis. Classes of
/// `missing` that would have no annotated voxel get one: a slice is exchanged within its part where that
/// loses no other class, or another slice is added. Returns the chosen slices in increasing order; `missing`
/// then holds the classes that still have no annotated voxel: none, if all of them occur in the label.
pub(super) fn choose(
    labels: ArrayView3<'_, i16>,
    classes: &Classes,
    axis: usize,
    count: usize,
    missing: &mut Vec<usize>,
    rng: &mut Rng,
) -> Vec<usize> {
    let length = labels.len_of(Axis(axis));
    let count = count.min(length);
    let present: Vec<Vec<bool>> = labels
        .axis_iter(Axis(axis))
        .map(|s| presence(s.iter(), classes))
        .collect();
    let bounds = |part: usize| (part * length / count, (part + 1) * length / count);
    let mut chosen: Vec<usize> = (0..count)
        .map(|part| {
            let (first, end) = bounds(part);
            first + rng.below((end - first) as u64) as usize
        })
        .collect();
    let covered = |chosen: &[usize], class: usize| chosen.iter().any(|&slice| present[slice][class]);
    let needed = missing.clone();
    for &class in &needed {
        if covered(&chosen, class) {
            continue;
        }
        let candidates: Vec<usize> = (0..length).filter(|&slice| present[slice][class]).collect();
        let Some(start) = (!candidates.is_empty()).then(|| rng.below(candidates.len() as u64) as usize)
        else {
            continue;
        };
        // From a random candidate on, the first one that can take the place of the slice of its part.
        let exchange = (0..candidates.len()).find_map(|i| {
            let slice = candidates[(start + i) % candidates.len()];
            let part = (0..count).find(|&part| (bounds(part).0..bounds(part).1).contains(&slice))?;
            let mut changed = chosen.clone();
            changed[part] = slice;
            let kept = needed
                .iter()
                .all(|&c| covered(&changed, c) || !covered(&chosen, c));
            kept.then_some(changed)
        });
        match exchange {
            Some(changed) => chosen = changed,
            None => chosen.push(candidates[start]),
        }
    }
    missing.retain(|&class| !covered(&chosen, class));
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

/// Marks all voxels of slices.
pub(super) fn mark(mask: &mut Array3<bool>, axis: usize, slices: &[usize]) {
    for &slice in slices {
        mask.index_axis_mut(Axis(axis), slice).fill(true);
    }
}

/// Slices across each of `axes` axes that together hold about `share` of the voxels, at least one.
pub(super) fn count_for(share: f64, length: usize, axes: usize) -> usize {
    let each = 1.0 - (1.0 - share).powf(1.0 / axes as f64);
    ((length as f64 * each).round() as usize).clamp(1, length.max(1))
}

fn presence<'a>(values: impl Iterator<Item = &'a i16>, classes: &Classes) -> Vec<bool> {
    let mut present = vec![false; classes.len()];
    for class in values.filter_map(|&value| classes.index(value)) {
        present[class] = true;
    }
    present
}
