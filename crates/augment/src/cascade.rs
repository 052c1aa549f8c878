//! The previous stage's segmentation as input of a cascade (nnU-Net v1's `MoveSegAsOneHotToData`,
//! `ApplyRandomBinaryOperatorTransform`, `RemoveRandomConnectedComponentFromOneHotEncodingTransform`).
//!
//! The reference works on one-hot channels and keeps them exclusive. Here the label map is used, with the
//! same result. Departures: structuring elements are always centred balls, while the reference's are half a
//! voxel off for an even diameter. Drawn components are removed, while the reference's chain swaps two
//! thresholds and removes only components smaller than 0 voxels.

use random::Rng;
use serde::{Deserialize, Serialize};

use crate::buffer::{self, fit};

/// Degradation of the previous stage's segmentation in training, so that the network does not rely on it
/// completely.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CascadeOptions {
    /// Labels with a channel, in order: all except the background.
    pub labels: Vec<i16>,
    /// Probability per sample of dilating, eroding, closing or opening every label.
    pub morphology_probability: f64,
    /// Range of the radius of the structuring ball in voxels.
    pub morphology_radius: [f64; 2],
    /// Probability per sample of removing one connected component of every label.
    pub removal_probability: f64,
    /// Components that cover this fraction of the patch or more are kept.
    pub removal_largest_share: f64,
}

impl CascadeOptions {
    /// The defaults of `nnUNetTrainerV2CascadeFullRes`.
    pub fn new(labels: Vec<i16>) -> Self {
        Self {
            labels,
            morphology_probability: 0.4,
            morphology_radius: [1.0, 8.0],
            removal_probability: 0.2,
            removal_largest_share: 0.15,
        }
    }
}

/// A binary operation on one label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// Dilation.
    Dilate,
    /// Erosion. Voxels outside the patch count as inside the label.
    Erode,
    /// Dilation, then erosion.
    Close,
    /// Erosion, then dilation.
    Open,
}

/// Drawn parameters of the degradation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CascadeParams {
    /// Label, operation and radius, in the order of application.
    pub morphology: Vec<(i16, Operation, f64)>,
    /// Label, and a number in [0, 1) that selects its component.
    pub removal: Vec<(i16, f64)>,
}

/// Draws the degradation of one sample.
pub fn draw(options: &CascadeOptions, rng: &mut Rng, params: &mut CascadeParams) {
    params.morphology.clear();
    params.removal.clear();
    if rng.chance(options.morphology_probability) {
        let operations = [
            Operation::Dilate,
            Operation::Erode,
            Operation::Close,
            Operation::Open,
        ];
        let [low, high] = options.morphology_radius;
        for &label in &options.labels {
            let operation = operations[rng.below(4) as usize];
            params.morphology.push((label, operation, rng.uniform(low, high)));
        }
        for last in (1..params.morphology.len()).rev() {
            params.morphology.swap(last, rng.below(last as u64 + 1) as usize);
        }
    }
    if rng.chance(options.removal_probability) {
        params
            .removal
            .extend(options.labels.iter().map(|&label| (label, rng.unit())));
    }
}

/// Workspace of the transform.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    mask: Vec<bool>,
    distance: Vec<u16>,
    line: Vec<u16>,
    component: Vec<u32>,
    sizes: Vec<usize>,
    stack: Vec<usize>,
}

/// Degrades the label map `seg` of `size` (z, y, x) in place.
pub(crate) fn apply(
    seg: &mut [i16],
    size: [usize; 3],
    options: &CascadeOptions,
    params: &CascadeParams,
    scratch: &mut Scratch,
) {
    for &(label, operation, radius) in &params.morphology {
        // The diameter in voxels is floor(2r + 1), as in scikit-image's `ball`.
        let half = ((2.0 * radius + 1.0).floor() - 1.0) / 2.0;
        let limit = (half * half) as u16;
        fit(&mut scratch.mask, seg.len(), false);
        for (inside, &l) in scratch.mask.iter_mut().zip(seg.iter()) {
            *inside = l == label;
        }
        let steps: &[bool] = match operation {
            Operation::Dilate => &[true],
            Operation::Erode => &[false],
            Operation::Close => &[true, false],
            Operation::Open => &[false, true],
        };
        for &grow in steps {
            spread(size, grow, limit, scratch);
        }
        for (l, &inside) in seg.iter_mut().zip(&scratch.mask) {
            if inside {
                *l = label;
            } else if *l == label {
                *l = 0;
            }
        }
    }
    for &(label, pick) in &params.removal {
        remove_component(seg, size, label, pick, options.removal_largest_share, scratch);
    }
}

/// Dilates (`grow`) or erodes `mask` by a ball of squared radius `limit`.
fn spread(size: [usize; 3], grow: bool, limit: u16, scratch: &mut Scratch) {
    let [depth, height, width] = size;
    let far = limit + 1;
    let reach = f64::from(limit).sqrt() as usize;
    let Scratch {
        mask, distance, line, ..
    } = scratch;
    fit(distance, mask.len(), far);
    for (d, &inside) in distance.iter_mut().zip(mask.iter()) {
        *d = if inside == grow { 0 } else { far };
    }
    for row in distance.chunks_exact_mut(width) {
        row_distance(row, far);
    }
    for slice in distance.chunks_exact_mut(height * width) {
        column_distance(slice, height, width, reach, line);
    }
    column_distance(distance, depth, height * width, reach, line);
    for (inside, &d) in mask.iter_mut().zip(distance.iter()) {
        *inside = (d <= limit) == grow;
    }
}

/// Squared distance along a row to the nearest 0, at most `far`.
fn row_distance(row: &mut [u16], far: u16) {
    let squared = |steps: u32| u32::from(far).min(steps * steps) as u16;
    for forward in [true, false] {
        let mut steps = u32::from(far);
        for i in 0..row.len() {
            let at = if forward { i } else { row.len() - 1 - i };
            steps = if row[at] == 0 {
                0
            } else {
                (steps + 1).min(u32::from(far))
            };
            row[at] = row[at].min(squared(steps));
        }
    }
}

/// Lower envelope of squared distances over `n` rows of `stride`, up to `reach` rows away.
fn column_distance(values: &mut [u16], n: usize, stride: usize, reach: usize, copy: &mut Vec<u16>) {
    buffer::copy(copy, &values[..n * stride]);
    for (i, row) in values.chunks_exact_mut(stride).enumerate() {
        for j in i.saturating_sub(reach)..(i + reach + 1).min(n) {
            let step = i.abs_diff(j);
            let more = (step * step) as u16;
            for (v, &other) in row.iter_mut().zip(&copy[j * stride..(j + 1) * stride]) {
                *v = (*v).min(other.saturating_add(more));
            }
        }
    }
}

/// Sets one connected component (26 neighbours) of `label` to 0, drawn uniformly from those that cover less
/// than `share` of the patch.
fn remove_component(
    seg: &mut [i16],
    size: [usize; 3],
    label: i16,
    pick: f64,
    share: f64,
    scratch: &mut Scratch,
) {
    let [depth, height, width] = size;
    let Scratch {
        component,
        sizes,
        stack,
        ..
    } = scratch;
    component.clear();
    fit(component, seg.len(), 0);
    sizes.clear();
    for seed in 0..seg.len() {
        if seg[seed] != label || component[seed] != 0 {
            continue;
        }
        let id = sizes.len() as u32 + 1;
        component[seed] = id;
        stack.push(seed);
        let mut count = 0;
        while let Some(at) = stack.pop() {
            count += 1;
            let (z, y, x) = (at / (height * width), at / width % height, at % width);
            for z in z.saturating_sub(1)..(z + 2).min(depth) {
                for y in y.saturating_sub(1)..(y + 2).min(height) {
                    for x in x.saturating_sub(1)..(x + 2).min(width) {
                        let next = (z * height + y) * width + x;
                        if seg[next] == label && component[next] == 0 {
                            component[next] = id;
                            stack.push(next);
                        }
                    }
                }
            }
        }
        sizes.push(count);
    }
    let largest = share * seg.len() as f64;
    let small = || {
        (1..)
            .zip(sizes.iter())
            .filter(|(_, &count)| (count as f64) < largest)
    };
    let chosen = (pick * small().count() as f64) as usize;
    if let Some((id, _)) = small().nth(chosen) {
        for (l, &c) in seg.iter_mut().zip(component.iter()) {
            if c == id {
                *l = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn oracle(mask: &[bool], size: [usize; 3], grow: bool, limit: usize) -> Vec<bool> {
        let at = |i: usize| [i / (size[1] * size[2]), i / size[2] % size[1], i % size[2]];
        let near = |a: usize, b: usize| {
            let (a, b) = (at(a), at(b));
            (0..3).map(|k| a[k].abs_diff(b[k]).pow(2)).sum::<usize>() <= limit
        };
        (0..mask.len())
            .map(|i| {
                let mut others = (0..mask.len()).filter(|&j| near(i, j));
                if grow {
                    others.any(|j| mask[j])
                } else {
                    others.all(|j| mask[j])
                }
            })
            .collect()
    }

    proptest! {
        #[test]
        fn morphology_equals_the_ball(
            size in prop::array::uniform3(1usize..7), seed in prop::collection::vec(0u8..4, 216), limit in 0u16..20, grow: bool,
        ) {
            let n = size.iter().product();
            let mask: Vec<bool> = seed[..n].iter().map(|&s| (s == 0) == grow).collect();
            let mut scratch = Scratch { mask: mask.clone(), ..Scratch::default() };
            spread(size, grow, limit, &mut scratch);
            prop_assert_eq!(scratch.mask, oracle(&mask, size, grow, limit.into()));
        }
    }

    #[test]
    fn a_small_component_is_removed_and_a_large_one_is_kept() {
        let size = [1, 3, 9];
        #[rustfmt::skip]
        let seg = [
            1, 1, 1, 0, 1, 0, 0, 0, 2,
            1, 1, 1, 0, 0, 1, 0, 0, 2,
            1, 1, 1, 0, 0, 0, 0, 0, 2,
        ];
        let options = CascadeOptions::new(vec![1, 2]);
        for pick in [0.0, 0.5, 0.99] {
            let mut found = seg;
            let params = CascadeParams {
                removal: vec![(1, pick)],
                ..CascadeParams::default()
            };
            apply(&mut found, size, &options, &params, &mut Scratch::default());
            let mut expected = seg;
            (expected[4], expected[14]) = (0, 0);
            assert_eq!(found, expected);
        }
        let mut found = seg;
        let params = CascadeParams {
            morphology: vec![(2, Operation::Dilate, 1.0)],
            ..CascadeParams::default()
        };
        apply(&mut found, size, &options, &params, &mut Scratch::default());
        assert_eq!(found.iter().filter(|&&l| l == 2).count(), 6);
    }
}
