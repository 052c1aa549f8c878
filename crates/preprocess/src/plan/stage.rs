//! Patch size, batch size and network of one stage.

use super::pooling::{self, Pooling, Rule, MAX_POOLINGS, MIN_FEATURE_MAP};
use super::spacing::ANISOTROPY_THRESHOLD;
use super::vram::{self, Network};
use crate::Error;

/// Number of features of the finest stage.
pub const BASE_FEATURES: usize = 32;
/// Number of features in the 2D planner's first estimate, before it shrinks the patch.
const BASE_FEATURES_2D_FIRST: usize = 30;
const MAX_FEATURES_3D: usize = 320;
const MAX_FEATURES_2D: usize = 512;
/// Number of convolutions per stage of the U-Net.
pub const CONVOLUTIONS_PER_STAGE: usize = 2;
/// Batch size of the memory reference.
const REFERENCE_BATCH: f64 = 2.0;
/// Maximum fraction of the training voxels in a batch.
const LARGEST_PART_OF_DATASET: f64 = 0.05;
/// Minimum batch size in 3D, which overrides the maximum fraction.
const MIN_BATCH_3D: usize = 2;

/// Input of a stage's plan. Axes are transposed: axis 0 is the coarsest.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// Spacing of this stage in mm.
    pub spacing: [f64; 3],
    /// Spacing of the full resolution stage in mm.
    pub original_spacing: [f64; 3],
    /// Median shape at full resolution in voxels, not rounded.
    pub median_shape: [f64; 3],
    /// Number of training cases.
    pub cases: usize,
    /// Number of image channels.
    pub modalities: usize,
    /// Number of classes, including the background.
    pub classes: usize,
}

/// A planned stage. 3D lists have three entries, 2D lists two (without axis 0). Spacings and shapes always
/// have three.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Samples per batch.
    pub batch_size: usize,
    /// Patch size (`pooling.patch`) and poolings.
    pub pooling: Pooling,
    /// Median shape at this stage's spacing.
    pub median_shape: [usize; 3],
    /// Spacing of this stage in mm.
    pub spacing: [f64; 3],
    /// Spacing of the full resolution stage in mm.
    pub original_spacing: [f64; 3],
    /// Whether patches are so flat that they are augmented slice by slice.
    pub dummy_2d: bool,
    /// [`vram::estimate`] of the patch.
    pub vram: u64,
    /// Maximum of the estimate at batch size 2.
    pub vram_reference: f64,
}

impl Query {
    /// Median shape at this stage's spacing, rounded half to even.
    fn shape(&self) -> Result<[usize; 3], Error> {
        let shape = [0, 1, 2].map(|a| {
            (self.original_spacing[a] / self.spacing[a] * self.median_shape[a]).round_ties_even() as usize
        });
        if shape.contains(&0) {
            return Err(Error::EmptyStage {
                shape,
                spacing: self.spacing,
            });
        }
        Ok(shape)
    }

    fn network(&self, base_features: usize, max_features: usize) -> Network {
        Network {
            base_features,
            max_features,
            modalities: self.modalities,
            classes: self.classes,
            convolutions_per_stage: CONVOLUTIONS_PER_STAGE,
            deep_supervision: false,
        }
    }

    /// Returns the largest batch size within 5 % of the training voxels.
    fn largest_batch(&self, shape: &[usize; 3], patch: &[usize]) -> usize {
        let voxels = (shape.iter().product::<usize>() * self.cases) as f64;
        let patch = patch.iter().product::<usize>() as f64;
        (LARGEST_PART_OF_DATASET * voxels / patch).round_ties_even() as usize
    }
}

/// Plans a 3D stage. The patch starts isotropic and as large as the data, and shrinks until it fits the
/// reference memory.
///
/// Reference: `ExperimentPlanner3D_v21.get_properties_for_stage`. Fails if no patch fits.
pub fn stage_3d(query: &Query, rule: Rule) -> Result<Stage, Error> {
    let shape = query.shape()?;
    let start = isotropic_patch(&query.spacing, &shape);
    let network = query.network(BASE_FEATURES, MAX_FEATURES_3D);
    let (pooling, vram) = shrink(
        rule,
        &query.spacing,
        &start,
        &shape,
        vram::REFERENCE_3D,
        &network,
        &network,
    )?;

    let batch = ((vram::REFERENCE_3D / vram as f64).max(1.0) * REFERENCE_BATCH).floor() as usize;
    let largest = query.largest_batch(&shape, &pooling.patch).max(MIN_BATCH_3D);
    Ok(Stage {
        batch_size: batch.min(largest).max(1),
        median_shape: shape,
        spacing: query.spacing,
        original_spacing: query.original_spacing,
        dummy_2d: is_flat(&pooling.patch),
        pooling,
        vram,
        vram_reference: vram::REFERENCE_3D,
    })
}

/// Plans a 2D stage. The patch is a whole slice (axes 1 and 2), and shrinks only if a batch of two does not
/// fit.
///
/// Reference: `ExperimentPlanner2D_v21.get_properties_for_stage`.
pub fn stage_2d(query: &Query) -> Result<Stage, Error> {
    let shape = query.shape()?;
    let first = query.network(BASE_FEATURES_2D_FIRST, MAX_FEATURES_2D);
    let rest = query.network(BASE_FEATURES, MAX_FEATURES_2D);
    let spacing = &query.spacing[1..];
    let slice = &shape[1..];
    let (pooling, vram) = shrink(
        Rule::BySpacing,
        spacing,
        slice,
        slice,
        vram::REFERENCE_2D,
        &first,
        &rest,
    )?;

    let batch = ((vram::REFERENCE_2D / vram as f64).floor() * REFERENCE_BATCH) as usize;
    let largest = query.largest_batch(&shape, &pooling.patch);
    Ok(Stage {
        batch_size: batch.min(largest).max(1),
        median_shape: shape,
        spacing: query.spacing,
        original_spacing: query.original_spacing,
        dummy_2d: false,
        pooling,
        vram,
        vram_reference: vram::REFERENCE_2D,
    })
}

/// Whether a 3D patch is so flat along axis 0 that it is augmented slice by slice.
pub fn is_flat(patch: &[usize]) -> bool {
    let longest = patch.iter().copied().max().unwrap_or(0);
    longest as f64 / patch[0] as f64 > ANISOTROPY_THRESHOLD
}

/// Returns the memory estimate of a given patch, for an override of the patch size. `patch` has three entries
/// or two.
pub fn estimate(query: &Query, pooling: &Pooling) -> u64 {
    let max_features = if pooling.patch.len() == 3 {
        MAX_FEATURES_3D
    } else {
        MAX_FEATURES_2D
    };
    vram::estimate(
        &query.network(BASE_FEATURES, max_features),
        &pooling.patch,
        &pooling.kernels,
    )
}

/// Returns a cube in mm with at least 512 voxels per axis, clipped to the median shape.
fn isotropic_patch(spacing: &[f64; 3], shape: &[usize; 3]) -> Vec<usize> {
    let density = spacing.map(|s| 1.0 / s);
    let mean = (density[0] + density[1] + density[2]) / 3.0;
    let density = density.map(|d| d / mean);
    let smallest = density.iter().copied().fold(f64::INFINITY, f64::min);
    let scale = 1.0 / smallest * 512.0;
    density
        .iter()
        .zip(shape)
        .map(|(d, &n)| ((d * scale).round_ties_even() as usize).min(n))
        .collect()
}

/// Reduces the axis that covers most of the median shape step by step, until the estimate is at most
/// `reference`.
fn shrink(
    rule: Rule,
    spacing: &[f64],
    start: &[usize],
    shape: &[usize],
    reference: f64,
    first: &Network,
    rest: &Network,
) -> Result<(Pooling, u64), Error> {
    let pool = |patch: &[usize]| pooling::pooling(rule, spacing, patch, MIN_FEATURE_MAP, MAX_POOLINGS);
    let mut pooling = pool(start)?;
    let mut vram = vram::estimate(first, &pooling.patch, &pooling.kernels);
    while vram as f64 > reference {
        let Some(axis) = fullest_axis(&pooling, shape) else {
            return Err(Error::NothingFits {
                patch: pooling.patch,
                estimate: vram,
                reference,
            });
        };
        // A step by the current divisor may reduce the number of poolings. The step is then smaller.
        let mut smaller = pooling.patch.clone();
        smaller[axis] -= pooling.divisors[axis];
        let step = pool(&smaller)?.divisors[axis];
        let mut patch = pooling.patch.clone();
        patch[axis] -= step;
        pooling = pool(&patch)?;
        vram = vram::estimate(rest, &pooling.patch, &pooling.kernels);
    }
    Ok((pooling, vram))
}

/// Returns the axis whose patch covers most of the shape, the last of equal ones, among those that can still
/// shrink. (The reference also reduces an axis of one voxel to 0, and then divides by zero.)
fn fullest_axis(pooling: &Pooling, shape: &[usize]) -> Option<usize> {
    let part = |a: usize| pooling.patch[a] as f64 / shape[a] as f64;
    (0..shape.len())
        .filter(|&a| pooling.patch[a] > pooling.divisors[a])
        .reduce(|best, a| if part(a) >= part(best) { a } else { best })
}
