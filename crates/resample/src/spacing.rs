//! Shape of the resampled volume, and the axis that is resampled separately.

use serde::{Deserialize, Serialize};

use crate::Error;

/// Ratio of the largest to the smallest spacing above which the low-resolution axis is resampled separately.
pub const ANISOTROPY_THRESHOLD: f64 = 3.0;

/// Whether slices are resampled in plane first and the low-resolution axis afterwards: nnU-Net's
/// `force_separate_z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SeparateZ {
    /// If the original or else the target spacing is anisotropic.
    #[default]
    Auto,
    /// Always, along the low-resolution axis of the original spacing.
    Always,
    /// Never.
    Never,
}

/// Returns the axes with the largest spacing.
pub fn low_resolution_axes(spacing: [f64; 3]) -> Vec<usize> {
    let largest = spacing.into_iter().fold(f64::NEG_INFINITY, f64::max);
    // As in the reference, a quotient of 1 also accepts spacings that differ in the last bit.
    (0..3).filter(|&axis| largest / spacing[axis] == 1.0).collect()
}

/// Returns the axis to resample separately, if any. Two or three low-resolution axes, as in (0.3, 1.5, 1.5),
/// are never resampled separately. `threshold` is [`ANISOTROPY_THRESHOLD`] in nnU-Net. A ratio equal to it is
/// not anisotropic.
///
/// # Errors
/// [`Error::Spacing`] if a spacing is not a positive number.
pub fn separate_axis(
    original: [f64; 3],
    target: [f64; 3],
    rule: SeparateZ,
    threshold: f64,
) -> Result<Option<usize>, Error> {
    check_spacing(original)?;
    check_spacing(target)?;
    let anisotropic = |spacing: [f64; 3]| {
        let largest = spacing.into_iter().fold(f64::NEG_INFINITY, f64::max);
        largest / spacing.into_iter().fold(f64::INFINITY, f64::min) > threshold
    };
    let axes = match rule {
        SeparateZ::Never => return Ok(None),
        SeparateZ::Always => low_resolution_axes(original),
        SeparateZ::Auto if anisotropic(original) => low_resolution_axes(original),
        SeparateZ::Auto if anisotropic(target) => low_resolution_axes(target),
        SeparateZ::Auto => return Ok(None),
    };
    Ok(match axes.as_slice() {
        [axis] => Some(*axis),
        _ => None,
    })
}

/// Returns the shape with voxels of spacing `target` that covers `shape` voxels of spacing `original`. Halves
/// round to even. An axis keeps at least one voxel (the reference fails instead).
///
/// # Errors
/// [`Error::Spacing`] if a spacing is not a positive number.
pub fn resampled_shape(shape: [usize; 3], original: [f64; 3], target: [f64; 3]) -> Result<[usize; 3], Error> {
    check_spacing(original)?;
    check_spacing(target)?;
    let size = |axis: usize| {
        (original[axis] / target[axis] * shape[axis] as f64)
            .round_ties_even()
            .max(1.0) as usize
    };
    Ok(std::array::from_fn(size))
}

fn check_spacing(spacing: [f64; 3]) -> Result<(), Error> {
    if spacing.iter().all(|&mm| mm > 0.0 && mm.is_finite()) {
        Ok(())
    } else {
        Err(Error::Spacing { found: spacing })
    }
}
