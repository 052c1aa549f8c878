//! Number and order of the poolings per axis.

use serde::{Deserialize, Serialize};

use crate::Error;

/// Minimum size of the bottleneck's feature map along each axis, in voxels.
pub const MIN_FEATURE_MAP: usize = 4;
/// Maximum number of poolings per axis; in practice unlimited.
pub const MAX_POOLINGS: usize = 999;

/// Order of the poolings of the 3D network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Pooling")]
pub enum Rule {
    /// Finest axes first, until spacings are similar (`get_pool_and_conv_props`): nnU-Net v1's default
    /// planner.
    #[default]
    BySpacing,
    /// Axes with fewer poolings start later (`get_pool_and_conv_props_poolLateV2`): nnU-Net's first planner.
    Late,
}

/// Poolings of a U-Net and the resulting patch size. All lists have one entry per axis of the patch (3, or 2
/// in 2D).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pooling {
    /// Number of poolings of each axis.
    pub per_axis: Vec<usize>,
    /// Stride of each stage's pooling, finest stage first. A stride of 1 keeps the axis.
    pub kernels: Vec<Vec<usize>>,
    /// Convolution kernel of each stage, finest first. The list has one more entry than `kernels`, for the
    /// bottleneck.
    pub convolutions: Vec<Vec<usize>>,
    /// The requested patch size, each axis rounded up to a multiple of `divisors`.
    pub patch: Vec<usize>,
    /// Divisor of each axis of the patch: two to the power of its number of poolings.
    pub divisors: Vec<usize>,
}

impl Pooling {
    fn new(
        patch: &[usize],
        per_axis: Vec<usize>,
        kernels: Vec<Vec<usize>>,
        mut convolutions: Vec<Vec<usize>>,
    ) -> Self {
        convolutions.push(vec![3; patch.len()]);
        let divisors: Vec<usize> = per_axis.iter().map(|&n| 1 << n).collect();
        let patch = patch
            .iter()
            .zip(&divisors)
            .map(|(p, d)| p.next_multiple_of(*d))
            .collect();
        Self {
            per_axis,
            kernels,
            convolutions,
            patch,
            divisors,
        }
    }
}

/// Returns the poolings by `rule` for a patch (voxels) of the given spacing (mm), both in the same axis
/// order.
pub fn pooling(
    rule: Rule,
    spacing: &[f64],
    patch: &[usize],
    min_feature_map: usize,
    max_poolings: usize,
) -> Result<Pooling, Error> {
    match rule {
        Rule::BySpacing => Ok(by_spacing(spacing, patch, min_feature_map, max_poolings)),
        Rule::Late => late(spacing, patch, min_feature_map, max_poolings),
    }
}

/// Halves, at each stage, every axis whose spacing is below twice the finest spacing and whose length remains
/// at least `min_feature_map`. A convolution covers the largest group of axes whose spacings are within a
/// factor of two.
///
/// Reference: `get_pool_and_conv_props`.
pub fn by_spacing(spacing: &[f64], patch: &[usize], min_feature_map: usize, max_poolings: usize) -> Pooling {
    let dim = spacing.len();
    let mut spacing = spacing.to_vec();
    let mut size = patch.to_vec();
    let mut per_axis = vec![0; dim];
    let (mut kernels, mut convolutions) = (vec![], vec![]);
    loop {
        let finest = spacing.iter().copied().fold(f64::INFINITY, f64::min);
        let pooled: Vec<bool> = (0..dim)
            .map(|a| {
                spacing[a] / finest < 2.0 && size[a] >= 2 * min_feature_map && per_axis[a] < max_poolings
            })
            .collect();
        if !pooled.contains(&true) {
            break;
        }
        let convolved = largest_group(&spacing);
        convolutions.push(convolved.iter().map(|&c| if c { 3 } else { 1 }).collect());
        kernels.push(pooled.iter().map(|&p| if p { 2 } else { 1 }).collect());
        for axis in (0..dim).filter(|&a| pooled[a]) {
            per_axis[axis] += 1;
            spacing[axis] *= 2.0;
            size[axis] = size[axis].div_ceil(2);
        }
    }
    Pooling::new(patch, per_axis, kernels, convolutions)
}

/// Returns the first largest set of axes whose spacings are within a factor of two of one axis.
fn largest_group(spacing: &[f64]) -> Vec<bool> {
    let mut best = vec![false; spacing.len()];
    let count = |group: &[bool]| group.iter().filter(|&&g| g).count();
    for &mine in spacing {
        let partners: Vec<bool> = spacing
            .iter()
            .map(|&s| s / mine < 2.0 && mine / s < 2.0)
            .collect();
        if count(&partners) > count(&best) {
            best = partners;
        }
    }
    best
}

/// Halves an axis as often as its length allows. Axes with fewer poolings start later.
///
/// Reference: `get_pool_and_conv_props_poolLateV2`. Fails if an axis is shorter than `min_feature_map`: the
/// reference then computes a negative number of poolings and raises.
pub fn late(
    spacing: &[f64],
    patch: &[usize],
    min_feature_map: usize,
    max_poolings: usize,
) -> Result<Pooling, Error> {
    if patch.iter().any(|&p| p < min_feature_map) {
        return Err(Error::PatchTooSmall {
            patch: patch.to_vec(),
            minimum: min_feature_map,
        });
    }
    let dim = spacing.len();
    let coarsest = spacing.iter().copied().fold(0.0, f64::max);
    let halvings = |p: usize| ((p as f64 / min_feature_map as f64).ln() / 2f64.ln()).floor() as usize;
    let per_axis: Vec<usize> = patch.iter().map(|&p| halvings(p).min(max_poolings)).collect();
    let stages = per_axis.iter().copied().max().unwrap_or(0);

    let mut spacing = spacing.to_vec();
    let (mut kernels, mut convolutions) = (vec![], vec![]);
    for stage in 0..stages {
        let reached: Vec<bool> = spacing.iter().map(|s| s / coarsest > 0.5).collect();
        let all = reached.iter().all(|&r| r);
        convolutions.push(reached.iter().map(|&r| if all || !r { 3 } else { 1 }).collect());
        let kernel: Vec<usize> = (0..dim)
            .map(|a| if per_axis[a] + stage >= stages { 2 } else { 1 })
            .collect();
        for (s, &k) in spacing.iter_mut().zip(&kernel) {
            *s *= k as f64;
        }
        kernels.push(kernel);
    }
    Ok(Pooling::new(patch, per_axis, kernels, convolutions))
}
