//! Rotation, scaling, elastic deformation and cropping (batchgenerators' `augment_spatial`).

mod coefficients;
mod crop;
mod cubic;
mod elastic;
mod labels;
mod linear;
mod map;
mod warp;

use serde::{Deserialize, Serialize};

pub(crate) use elastic::Displacement;
pub use elastic::{ElasticOptions, ElasticParams};
pub use labels::LabelRule;
pub(crate) use warp::{largest_box, Scratch};

use random::Rng;

use crate::intensity::factor::draw_about_one;
use crate::sample::{Block, Sample};
use crate::Error;
use coefficients::{support, taps};
use map::Map;

/// When and how far patches are turned, scaled and deformed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SpatialOptions {
    /// Probability of a rotation per sample.
    pub rotation_probability: f64,
    /// Ranges of the angles in radians about the first, second and third array axis. In 2D only the first counts.
    pub rotation: [[f64; 2]; 3],
    /// Probability of a scaling per sample.
    pub scale_probability: f64,
    /// Range of the scale; above 1 the patch shows more of the image. Half of the draws are below 1.
    pub scale: [f64; 2],
    /// Whether every axis gets a scale of its own.
    pub independent_scale: bool,
    /// Elastic deformation; none in `nnUNetTrainerV2`.
    pub elastic: Option<ElasticOptions>,
}

impl Default for SpatialOptions {
    /// The ranges of `nnUNetTrainerV2` in 3D.
    fn default() -> Self {
        let angle = 30.0_f64.to_radians();
        Self {
            rotation_probability: 0.2,
            rotation: [[-angle, angle]; 3],
            scale_probability: 0.2,
            scale: [0.7, 1.4],
            independent_scale: false,
            elastic: None,
        }
    }
}

/// Drawn spatial transform.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SpatialParams {
    /// Angles in radians about the first, second and third array axis; in 2D and dummy 2D the first is in plane.
    pub rotation: Option<[f64; 3]>,
    /// Scale per axis (z, y, x); above 1 the patch shows more of the image.
    pub scale: Option<[f64; 3]>,
    /// Elastic deformation.
    pub elastic: Option<ElasticParams>,
}

impl SpatialParams {
    /// Whether the patch is only cropped.
    pub fn is_identity(&self) -> bool {
        self.rotation.is_none() && self.scale.is_none() && self.elastic.is_none()
    }
}

/// Draws the spatial transform of one sample. `planar`: in 2D and dummy 2D.
pub fn draw(options: &SpatialOptions, planar: bool, rng: &mut Rng, params: &mut SpatialParams) {
    params.elastic = options
        .elastic
        .as_ref()
        .and_then(|elastic| elastic::draw(elastic, rng));
    params.rotation = rng.chance(options.rotation_probability).then(|| {
        let mut angle = |axis: usize| rng.uniform(options.rotation[axis][0], options.rotation[axis][1]);
        if planar {
            [angle(0), 0.0, 0.0]
        } else {
            [angle(0), angle(1), angle(2)]
        }
    });
    params.scale = rng.chance(options.scale_probability).then(|| {
        if options.independent_scale {
            let first = if planar { 1 } else { 0 };
            let mut scale = [1.0; 3];
            for factor in &mut scale[first..] {
                *factor = draw_about_one(rng, options.scale);
            }
            scale
        } else {
            let factor = draw_about_one(rng, options.scale);
            if planar {
                [1.0, factor, factor]
            } else {
                [factor; 3]
            }
        }
    });
}

/// What does not change from sample to sample.
#[derive(Clone, Debug, PartialEq)]
pub struct SpatialRules {
    /// Size (z, y, x) of the output.
    pub patch: [usize; 3],
    /// Slices are transformed one by one, all alike: 2D, and anisotropic 3D ("dummy 2D").
    pub planar: bool,
    /// How the segmentation is interpolated. The previous stage's segmentation in a cascade always is by `Linear`.
    pub labels: LabelRule,
    /// Label outside the loaded patch where the patch is interpolated.
    pub outside: i16,
    /// Label outside the loaded patch where the patch is only cropped.
    pub padding: i16,
    /// When nothing is drawn and the centre falls between voxels: interpolate there, as DIAG's sparse trainer does,
    /// instead of cropping half a voxel before.
    pub between_voxels: bool,
}

/// How a draw reaches its voxels.
enum Way {
    /// Copies voxels from this one on.
    Crop([isize; 3]),
    /// Every axis by itself.
    Straight(Map),
    /// Anything.
    Free(Map),
}

impl SpatialRules {
    fn way(&self, params: &SpatialParams, full: [usize; 3], center: Option<[f64; 3]>) -> Way {
        if params.is_identity() {
            let middle = |a: usize| (full[a] as isize - self.patch[a] as isize).div_euclid(2);
            let Some(center) = center else {
                return Way::Crop(std::array::from_fn(middle));
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
                return Way::Crop(std::array::from_fn(voxel));
            }
        }
        let center = center.unwrap_or_else(|| full.map(|n| n as f64 / 2.0 - 0.5));
        let map = Map::new(params, self.planar, self.patch, full, center);
        if params.rotation.is_none() && params.elastic.is_none() {
            Way::Straight(map)
        } else {
            Way::Free(map)
        }
    }

    /// The part of a loaded patch of size `full` that a draw reads, from its first voxel to beyond its last, per axis.
    /// Never empty.
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
        match self.way(params, full, center) {
            Way::Crop(start) => {
                std::array::from_fn(|a| clip(start[a], start[a] + self.patch[a] as isize, full[a]))
            }
            Way::Straight(map) | Way::Free(map) => {
                // The field is not made here: its smoothed values never exceed the magnitude.
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

    fn check(&self, params: &SpatialParams, sample: &Sample, center: Option<[f64; 3]>) -> Result<(), Error> {
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

/// Where a spatial transform writes.
pub(crate) struct Output<'a> {
    /// (channel, z, y, x) of the patch.
    pub data: &'a mut [f32],
    /// (channel, z, y, x) of the patch, the sample's channels.
    pub seg: &'a mut [i16],
    /// (z, y, x) of the patch; with a weightmap.
    pub weightmap: Option<&'a mut [f32]>,
    /// Where the image was cut off by its mask, if asked for.
    pub empty: Option<Empty<'a>>,
}

/// Where the image was cut off by its mask.
pub(crate) struct Empty<'a> {
    /// 1 where all of `channels` are exactly 0, or outside the loaded patch.
    pub voxels: &'a mut [u8],
    /// For each image channel, whether it was cut off.
    pub channels: &'a [bool],
}

pub(crate) fn apply(
    params: &SpatialParams,
    center: Option<[f64; 3]>,
    rules: &SpatialRules,
    sample: &Sample,
    out: &mut Output<'_>,
    scratch: &mut Scratch,
) -> Result<(), Error> {
    rules.check(params, sample, center)?;
    match rules.way(params, sample.full, center) {
        Way::Crop(start) => crop::crop(start, rules, sample, out),
        Way::Straight(map) => warp::straight(&map, rules, sample, out, scratch),
        Way::Free(map) => warp::free(&map, params, rules, sample, out, scratch),
    }
    Ok(())
}

/// Transforms one sample: `out` is given the patch's size. `center` is the patch's centre in voxels of the loaded patch
/// (the middle of voxel i is i); by default the loaded patch's own centre.
///
/// Each output voxel `i` reads `((i - (patch - 1) / 2) * R) * scale + center`; the image by cubic B-splines (scipy's
/// `map_coordinates`, order 3, mode `constant`), 0 where that lies outside the loaded patch; voxel weights linearly.
///
/// # Errors
/// [`Error::Shape`] when the sample's arrays do not fit each other or do not cover [`SpatialRules::window`].
pub fn apply_spatial(
    params: &SpatialParams,
    center: Option<[f64; 3]>,
    rules: &SpatialRules,
    sample: &Sample,
    out: &mut Sample,
) -> Result<(), Error> {
    let [z, y, x] = rules.patch;
    out.data.reshape([sample.data.shape()[0], z, y, x]);
    out.seg.reshape([sample.seg.shape()[0], z, y, x]);
    out.weightmap = sample.weightmap.as_ref().map(|_| Block::new([1, z, y, x]));
    (out.start, out.full) = ([0; 3], rules.patch);
    let mut target = Output {
        data: out.data.values_mut(),
        seg: out.seg.values_mut(),
        weightmap: out.weightmap.as_mut().map(Block::values_mut),
        empty: None,
    };
    apply(
        params,
        center,
        rules,
        sample,
        &mut target,
        &mut Scratch::default(),
    )
}
