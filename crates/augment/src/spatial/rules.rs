//! Rules for position and interpolation of patches.

use super::coefficients::{support, taps};
use super::labels::LabelRule;
use super::map::Map;
use super::params::SpatialParams;
use crate::sample::Sample;
use crate::Error;

/// Rules of a chain, equal for all samples.
#[derive(Clone, Debug, PartialEq)]
pub struct SpatialRules {
    /// Size (z, y, x) of the output.
    pub patch: [usize; 3],
    /// Whether slices are transformed separately with equal parameters: 2D, and anisotropic 3D ("dummy 2D").
    pub planar: bool,
    /// Interpolation rule of the segmentation. The previous stage's segmentation in a cascade always uses
    /// `Linear`.
    pub labels: LabelRule,
    /// Label outside the loaded patch, for interpolated patches.
    pub outside: i16,
    /// Label outside the loaded patch, for cropped patches.
    pub padding: i16,
    /// Whether a cropped patch is interpolated if its centre falls between voxels, as in DIAG's sparse
    /// trainer, instead of being cropped half a voxel before.
    pub between_voxels: bool,
}

/// Method of a spatial transform.
pub(super) enum Method {
    /// Copies voxels, from this one on.
    Crop([isize; 3]),
    /// Resamples every axis separately.
    Straight(Map),
    /// Interpolates at arbitrary coordinates.
    Free(Map),
}

impl SpatialRules {
    pub(super) fn method(
        &self,
        params: &SpatialParams,
        full: [usize; 3],
        center: Option<[f64; 3]>,
    ) -> Method {
        if params.is_identity() {
            let middle = |a: usize| (full[a] as isize - self.patch[a] as isize).div_euclid(2);
            let Some(center) = center else {
                return Method::Crop(std::array::from_fn(middle));
            };
            let start: [f64; 3] = std::array::from_fn(|a| center[a] - (self.patch[a] as f64 - 1.0) / 2.0);
            let axes = usize::from(self.planar)..3;
            if !self.between_voxels || axes.clone().all(|a| (start[a] - start[a].round()).abs() < 1e-9) {
                let voxel = |a: usize| {
                    if axes.contains(&a) {
                        (start[a] + 1e-9).floor() as isize
                    } else {
                        0
                    }
                };
                return Method::Crop(std::array::from_fn(voxel));
            }
        }
        let center = center.unwrap_or_else(|| full.map(|n| n as f64 / 2.0 - 0.5));
        let map = Map::new(params, self.planar, self.patch, full, center);
        if params.rotation.is_none() && params.elastic.is_none() {
            Method::Straight(map)
        } else {
            Method::Free(map)
        }
    }

    /// Returns the region of a loaded patch of size `full` that a draw reads, as first and end voxel
    /// (exclusive) per axis. Never empty.
    pub fn window(
        &self,
        params: &SpatialParams,
        full: [usize; 3],
        center: Option<[f64; 3]>,
    ) -> [std::ops::Range<usize>; 3] {
        let clip = |start: isize, end: isize, n: usize| {
            let start = start.clamp(0, n as isize - 1) as usize;
            start..(end.max(0) as usize).clamp(start + 1, n)
        };
        match self.method(params, full, center) {
            Method::Crop(start) => {
                std::array::from_fn(|a| clip(start[a], start[a] + self.patch[a] as isize, full[a]))
            }
            Method::Straight(map) | Method::Free(map) => {
                // The field is not computed here; its smoothed values never exceed the magnitude.
                let reach = params.elastic.map_or(0.0, |e| e.alpha.abs());
                let Some(bounds) = map.bounds(&self.patch.map(|n| 0..n), reach) else {
                    return std::array::from_fn(|_| 0..1);
                };
                std::array::from_fn(|a| {
                    if self.planar && a == 0 {
                        0..full[0]
                    } else {
                        support(&taps(bounds[a]), full[a])
                    }
                })
            }
        }
    }

    pub(super) fn check(
        &self,
        params: &SpatialParams,
        sample: &Sample,
        center: Option<[f64; 3]>,
    ) -> Result<(), Error> {
        sample.check()?;
        let found = sample.data.shape();
        if self.planar && sample.full[0] != self.patch[0] {
            let expected = format!(
                "{} slices, as many as the patch: slices are transformed one by one",
                self.patch[0]
            );
            return Err(Error::Shape {
                array: "data",
                expected,
                found,
            });
        }
        let window = self.window(params, sample.full, center);
        let size = sample.data.size();
        for (axis, range) in window.iter().enumerate() {
            if range.start < sample.start[axis] || range.end > sample.start[axis] + size[axis] {
                let expected = format!("a window that covers {window:?} of the loaded patch");
                return Err(Error::Shape {
                    array: "data",
                    expected,
                    found,
                });
            }
        }
        Ok(())
    }
}
