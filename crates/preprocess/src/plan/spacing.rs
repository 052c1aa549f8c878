//! Target spacing of a task.

use crate::statistics::percentile;

/// An axis is anisotropic if its spacing exceeds that of the others by this factor.
pub const ANISOTROPY_THRESHOLD: f64 = 3.0;

/// Returns the median spacing of the cases (mm, array axis order).
///
/// Reference: `ExperimentPlanner.get_target_spacing`, which the 2D planner uses.
pub fn median_spacing(spacings: &[[f64; 3]]) -> [f64; 3] {
    per_axis(spacings, 50.0)
}

/// Returns the median spacing. An axis that is both coarse and short gets the 10th percentile instead: with
/// the median, such data would lose some of their few slices.
///
/// `sizes` are the cases' shapes after cropping, in the same axis order. Reference:
/// `ExperimentPlanner3D_v21.get_target_spacing`.
pub fn target_spacing(spacings: &[[f64; 3]], sizes: &[[usize; 3]]) -> [f64; 3] {
    let mut target = median_spacing(spacings);
    let sizes: Vec<[f64; 3]> = sizes.iter().map(|s| s.map(|n| n as f64)).collect();
    let size = per_axis(&sizes, 50.0);

    let coarse = coarsest_axis(&target);
    let others = [0, 1, 2].into_iter().filter(|&a| a != coarse);
    let other_spacing = others
        .clone()
        .map(|a| target[a])
        .fold(f64::NEG_INFINITY, f64::max);
    let other_size = others.map(|a| size[a]).fold(f64::INFINITY, f64::min);
    if target[coarse] > ANISOTROPY_THRESHOLD * other_spacing
        && size[coarse] * ANISOTROPY_THRESHOLD < other_size
    {
        let along: Vec<f64> = spacings.iter().map(|s| s[coarse]).collect();
        let fine = percentile(&along, 10.0);
        // The axis stays the coarsest, so that the transpose does not change.
        target[coarse] = if fine < other_spacing {
            other_spacing + 1e-5
        } else {
            fine
        };
    }
    target
}

/// Returns the axis of the largest spacing, the first of equal ones.
pub fn coarsest_axis(spacing: &[f64; 3]) -> usize {
    (1..3).fold(
        0,
        |best, axis| if spacing[axis] > spacing[best] { axis } else { best },
    )
}

fn per_axis(rows: &[[f64; 3]], percent: f64) -> [f64; 3] {
    [0, 1, 2].map(|axis| percentile(&rows.iter().map(|r| r[axis]).collect::<Vec<_>>(), percent))
}
