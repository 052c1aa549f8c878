//! Plans from a fingerprint, equal to those of nnU-Net v1's default planners.
//!
//! Reference: `ExperimentPlanner3D_v21` and `ExperimentPlanner2D_v21`; Isensee et al., nnU-Net, Nature
//! Methods 2021.

pub mod overrides;
pub mod pooling;
mod rules;
pub mod spacing;
pub mod stage;
pub mod vram;

use std::collections::BTreeMap;

use crate::fingerprint::Fingerprint;
use crate::statistics::{median, percentile};
use crate::Error;
use overrides::Overrides;
pub use rules::Rules;
use spacing::coarsest_axis;
use stage::{stage_2d, stage_3d, Query, Stage};

/// A patch of the lowest resolution stage covers at least one part in this number of the median case.
const PATIENT_PER_PATCH: f64 = 4.0;
/// Masks are used for normalisation if cropping keeps less than this fraction of the voxels.
const MASK_BELOW: f64 = 0.75;

/// Result of both planners. Axes are as in the NIfTI files' arrays (z, y, x).
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Stages, lowest resolution first. The last is full resolution.
    pub stages: Vec<Stage>,
    /// Target spacing (z, y, x) in mm.
    pub target_spacing: [f64; 3],
    /// Axis order of the transposed data: the coarsest first.
    pub transpose_forward: [usize; 3],
    /// The inverse of `transpose_forward`.
    pub transpose_backward: [usize; 3],
    /// `CT`, `nonCT` or `noNorm` of each modality.
    pub normalization_schemes: BTreeMap<usize, String>,
    /// Whether each modality is normalised within the non-zero mask only.
    pub use_mask_for_norm: BTreeMap<usize, bool>,
}

/// Plans the 3D configurations: full resolution, and a low resolution if a patch would cover too little.
///
/// # Errors
/// For an empty fingerprint, invalid overrides, or if no patch fits the memory reference.
pub fn plan_3d(
    fingerprint: &Fingerprint,
    rules: &Rules,
    full: &Overrides,
    low: &Overrides,
) -> Result<Planned, Error> {
    let target = full
        .spacing
        .unwrap_or_else(|| spacing::target_spacing(&fingerprint.spacings, &fingerprint.sizes));
    let frame = Frame::new(fingerprint, target)?;
    let planned = stage_3d(&frame.query(target), rules.pooling)?;
    let mut stages = vec![planned];
    if let Some(planned) = low_resolution(&frame, rules, low, &stages[0])? {
        stages.push(overrides::apply_3d("3d_lowres", planned, low, rules, |s| {
            frame.query_transposed(s)
        })?);
    }
    let planned = stages.swap_remove(0);
    stages.push(overrides::apply_3d("3d_fullres", planned, full, rules, |s| {
        frame.query_transposed(s)
    })?);
    Ok(frame.finish(stages, rules))
}

/// Plans the 2D configuration. Its slices are axes 1 and 2 after the transpose.
///
/// # Errors
/// For an empty fingerprint, invalid overrides, or if no patch fits the memory reference.
pub fn plan_2d(fingerprint: &Fingerprint, rules: &Rules, over: &Overrides) -> Result<Planned, Error> {
    let target = over
        .spacing
        .unwrap_or_else(|| spacing::median_spacing(&fingerprint.spacings));
    let frame = Frame::new(fingerprint, target)?;
    let query = frame.query(target);
    let stage = overrides::apply_2d("2d", stage_2d(&query)?, over, &query)?;
    Ok(frame.finish(vec![stage], rules))
}

/// Coarsens the spacing in steps of 1 % until a patch covers a quarter of the median case. Returns `None` if
/// full resolution already does, or if the low resolution would not halve the number of voxels. An overridden
/// spacing is not changed.
fn low_resolution(
    frame: &Frame,
    rules: &Rules,
    low: &Overrides,
    full: &Stage,
) -> Result<Option<Stage>, Error> {
    if let Some(spacing) = low.spacing {
        return stage_3d(&frame.query(spacing), rules.pooling).map(Some);
    }
    let product = |a: &[usize]| a.iter().product::<usize>() as f64;
    let median_voxels: f64 = frame.median_shape.iter().product();
    let mut patch_voxels = product(&full.pooling.patch);
    if median_voxels / patch_voxels < PATIENT_PER_PATCH {
        return Ok(None);
    }
    let mut spacing = frame.target;
    let mut voxels = median_voxels;
    let mut found = None;
    while voxels > PATIENT_PER_PATCH * patch_voxels {
        let coarsest = spacing.iter().copied().fold(0.0, f64::max);
        let fine = spacing.map(|s| coarsest / s > 2.0);
        for (s, fine_axis) in spacing.iter_mut().zip(fine) {
            if fine_axis || !fine.contains(&true) {
                *s *= 1.01;
            }
        }
        voxels = (0..3)
            .map(|a| frame.target[a] / spacing[a] * frame.median_shape[a])
            .product();
        let stage = stage_3d(&frame.query(spacing), rules.pooling)?;
        patch_voxels = product(&stage.pooling.patch);
        found = Some(stage);
    }
    Ok(found.filter(|low| 2.0 * product(&low.median_shape) < product(&full.median_shape)))
}

/// Task data shared by both planners, for a fixed target spacing.
struct Frame<'a> {
    fingerprint: &'a Fingerprint,
    target: [f64; 3],
    /// Median shape at the target spacing, not rounded.
    median_shape: [f64; 3],
    forward: [usize; 3],
}

impl<'a> Frame<'a> {
    fn new(fingerprint: &'a Fingerprint, target: [f64; 3]) -> Result<Self, Error> {
        if fingerprint.cases.is_empty() {
            return Err(Error::NoCases);
        }
        let shapes: Vec<[f64; 3]> = std::iter::zip(&fingerprint.spacings, &fingerprint.sizes)
            .map(|(spacing, size)| [0, 1, 2].map(|a| spacing[a] / target[a] * size[a] as f64))
            .collect();
        let median_shape = [0, 1, 2].map(|a| median(&shapes.iter().map(|s| s[a]).collect::<Vec<_>>()));
        let coarse = coarsest_axis(&target);
        let forward = match coarse {
            0 => [0, 1, 2],
            1 => [1, 0, 2],
            _ => [2, 0, 1],
        };
        Ok(Self {
            fingerprint,
            target,
            median_shape,
            forward,
        })
    }

    /// Returns the planning input of a stage with this spacing (z, y, x).
    fn query(&self, spacing: [f64; 3]) -> Query {
        self.query_transposed(self.forward.map(|a| spacing[a]))
    }

    fn query_transposed(&self, spacing: [f64; 3]) -> Query {
        Query {
            spacing,
            original_spacing: self.forward.map(|a| self.target[a]),
            median_shape: self.forward.map(|a| self.median_shape[a]),
            cases: self.fingerprint.cases.len(),
            modalities: self.fingerprint.modalities.len(),
            classes: self.fingerprint.classes.len() + 1,
        }
    }

    fn finish(&self, stages: Vec<Stage>, rules: &Rules) -> Planned {
        let mut backward = [0; 3];
        for (to, &from) in self.forward.iter().enumerate() {
            backward[from] = to;
        }
        Planned {
            stages,
            target_spacing: self.target,
            transpose_forward: self.forward,
            transpose_backward: backward,
            normalization_schemes: normalization_schemes(self.fingerprint),
            use_mask_for_norm: use_mask_for_norm(self.fingerprint, rules),
        }
    }
}

/// Returns `CT` for the modalities `CT` and `ct`, `noNorm` for `noNorm`, otherwise `nonCT`.
fn normalization_schemes(fingerprint: &Fingerprint) -> BTreeMap<usize, String> {
    let scheme = |name: &str| match name {
        "CT" | "ct" => "CT",
        "noNorm" => "noNorm",
        _ => "nonCT",
    };
    fingerprint
        .modalities
        .iter()
        .map(|(&i, name)| (i, scheme(name).to_owned()))
        .collect()
}

/// Normalisation within the non-zero mask is used if cropping removes a quarter of the median case, but never
/// for CT.
fn use_mask_for_norm(fingerprint: &Fingerprint, rules: &Rules) -> BTreeMap<usize, bool> {
    let reduced = percentile(&fingerprint.size_reductions, 50.0) < MASK_BELOW;
    let is_ct = |name: &str| name.contains("CT") || (name == "ct" && !rules.mask_lowercase_ct);
    fingerprint
        .modalities
        .iter()
        .map(|(&i, name)| (i, reduced && !is_ct(name)))
        .collect()
}
