//! Rotation, scaling, elastic deformation and cropping (batchgenerators' `augment_spatial`).

mod coefficients;
mod crop;
mod cubic;
mod elastic;
mod labels;
mod linear;
mod map;
mod output;
mod params;
mod rules;
mod warp;

use serde::{Deserialize, Serialize};

pub use elastic::{ElasticOptions, ElasticParams};
pub use labels::LabelRule;
pub(crate) use output::{Empty, Output};
pub use params::SpatialParams;
pub use rules::SpatialRules;
pub(crate) use warp::{largest_box, Scratch};

use random::Rng;

use crate::intensity::factor::draw_about_one;
use crate::sample::{Block, Sample};
use crate::Error;
use rules::Method;

/// Probabilities and ranges of rotation, scaling and deformation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SpatialOptions {
    /// Probability of a rotation per sample.
    pub rotation_probability: f64,
    /// Ranges of the angles in radians about the first, second and third array axis. In 2D only the first is
    /// used.
    pub rotation: [[f64; 2]; 3],
    /// Probability of a scaling per sample.
    pub scale_probability: f64,
    /// Range of the scale. Above 1 the patch covers more of the image. Half of the draws are below 1.
    pub scale: [f64; 2],
    /// Whether every axis has its own scale.
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

/// Draws the spatial transform of one sample. `planar` is true in 2D and dummy 2D.
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

pub(crate) fn apply(
    params: &SpatialParams,
    center: Option<[f64; 3]>,
    rules: &SpatialRules,
    sample: &Sample,
    out: &mut Output<'_>,
    scratch: &mut Scratch,
) -> Result<(), Error> {
    rules.check(params, sample, center)?;
    match rules.method(params, sample.full, center) {
        Method::Crop(start) => crop::crop(start, rules, sample, out),
        Method::Straight(map) => warp::straight(&map, rules, sample, out, scratch),
        Method::Free(map) => warp::free(&map, params, rules, sample, out, scratch),
    }
    Ok(())
}

/// Transforms one sample into `out`, which gets the patch's size. `center` is the patch's centre in voxels of
/// the loaded patch (the middle of voxel i is i); the default is the centre of the loaded patch.
///
/// Each output voxel `i` reads the loaded patch at `((i - (patch - 1) / 2) * R) * scale + center`. The image
/// is interpolated by cubic B-splines (scipy's `map_coordinates`, order 3, mode `constant`), with 0 outside
/// the loaded patch; voxel weights are interpolated linearly.
///
/// # Errors
/// [`Error::Shape`] if the sample's arrays do not match each other or do not cover [`SpatialRules::window`].
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
