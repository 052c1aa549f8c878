//! The whole augmentation chain: drawing and applying its parameters.

mod apply;
mod memory;

use random::Rng;
use serde::{Deserialize, Serialize};
use volume::UNLABELLED;

use crate::cascade::{self, CascadeParams};
use crate::intensity::factor::{draw_about_one, FactorOptions};
use crate::intensity::noise::{self, NoiseParams};
use crate::intensity::{blur, low_resolution};
use crate::mirror;
use crate::options::{PipelineOptions, Strength};
use crate::reference::ChainRules;
use crate::sample::Augmented;
use crate::spatial::{self, LabelRule, SpatialParams, SpatialRules};
use crate::supervision::Scale;
use crate::Error;

/// Drawn parameters of one sample. Applying them twice gives the same bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Params {
    /// Rotation, scaling, elastic deformation.
    pub spatial: SpatialParams,
    /// Gaussian noise.
    pub noise: Option<NoiseParams>,
    /// Sigma of the blur per channel.
    pub blur: Vec<Option<f64>>,
    /// Factor of the brightness per channel; empty if not drawn.
    pub brightness: Vec<f64>,
    /// Factor of the contrast per channel; empty if not drawn.
    pub contrast: Vec<f64>,
    /// Zoom of the simulated low resolution per channel.
    pub low_resolution: Vec<Option<f64>>,
    /// Exponent of the inverted gamma correction per channel; empty if not drawn.
    pub gamma_inverted: Vec<f64>,
    /// Exponent of the gamma correction per channel; empty if not drawn.
    pub gamma: Vec<f64>,
    /// Mirrored axes (z, y, x).
    pub mirror: [bool; 3],
    /// Degradation of the previous stage's segmentation.
    pub cascade: CascadeParams,
}

/// Memory of one thread, reused from sample to sample.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    seg: Vec<i16>,
    weightmap: Vec<f32>,
    empty: Vec<u8>,
    spatial: spatial::Scratch,
    blur: blur::Scratch,
    low_resolution: low_resolution::Scratch,
    cascade: cascade::Scratch,
}

/// A chain of transforms: `nnUNetTrainerV2`'s for training, or only cropping and targets for validation.
#[derive(Clone, Debug)]
pub struct Pipeline {
    options: PipelineOptions,
    strength: Option<Strength>,
    chain: ChainRules,
    rules: SpatialRules,
    scales: Vec<Scale>,
    whole: Scale,
}

impl Pipeline {
    /// The training chain.
    ///
    /// # Errors
    /// [`Error::Option`] for the first invalid option.
    pub fn training(options: &PipelineOptions) -> Result<Self, Error> {
        Self::new(options, Some(options.strength()))
    }

    /// The validation chain: cropping and targets, without augmentation.
    ///
    /// # Errors
    /// [`Error::Option`] for the first invalid option.
    pub fn validation(options: &PipelineOptions) -> Result<Self, Error> {
        Self::new(options, None)
    }

    fn new(options: &PipelineOptions, strength: Option<Strength>) -> Result<Self, Error> {
        options.check()?;
        let patch = options.patch();
        let order = options
            .strength()
            .segmentation_order
            .unwrap_or(if options.weightmap { 0 } else { 1 });
        let chain = ChainRules::of(options);
        let (labels, outside, padding) = match (chain.unlabelled, order) {
            (Some(ignore), 0) => (LabelRule::Nearest, ignore, ignore),
            (Some(ignore), _) => (LabelRule::Annotated { ignore }, ignore, ignore),
            (None, 0) => (LabelRule::Nearest, UNLABELLED, 0),
            (None, _) => (LabelRule::Linear, 0, 0),
        };
        let whole = [vec![1.0; options.patch_size.len()]];
        let listed = &options.deep_supervision_scales[..];
        let scales = if listed.is_empty() { &whole[..] } else { listed };
        let axes = options.patch_size.len();
        let factors = |scale: &Vec<f64>| -> [f64; 3] {
            std::array::from_fn(|a| if a + axes < 3 { 1.0 } else { scale[a + axes - 3] })
        };
        Ok(Self {
            chain,
            rules: SpatialRules {
                patch,
                planar: options.planar() && strength.is_some(),
                labels,
                outside,
                padding,
                between_voxels: chain.between_voxels,
            },
            scales: scales
                .iter()
                .map(|scale| Scale::new(patch, factors(scale)))
                .collect(),
            whole: Scale::new(patch, [1.0; 3]),
            options: options.clone(),
            strength,
        })
    }

    /// Channels of the augmented image: the sample's, and in a cascade one more per label.
    pub fn output_channels(&self) -> usize {
        self.options.channels + self.options.cascade.as_ref().map_or(0, |c| c.labels.len())
    }

    /// Size (z, y, x) of the augmented image.
    pub fn patch(&self) -> [usize; 3] {
        self.rules.patch
    }

    /// Size (z, y, x) of the target at every deep-supervision scale.
    pub fn target_sizes(&self) -> Vec<[usize; 3]> {
        self.scales.iter().map(|scale| scale.size).collect()
    }

    /// For each deep-supervision scale and each axis of the patch, the voxels of the finest target whose labels
    /// the scale's target has. The finest target has the size of the patch.
    pub fn target_sources(&self) -> Vec<Vec<Vec<u32>>> {
        let skip = 3 - self.options.patch_size.len();
        let scales = self.scales.iter();
        scales.map(|scale| scale.sources()[skip..].to_vec()).collect()
    }

    /// Rules for position and interpolation of patches.
    pub fn rules(&self) -> &SpatialRules {
        &self.rules
    }

    /// Makes buffers of the right size for [`Pipeline::apply`].
    pub fn destination(&self) -> Augmented {
        let voxels = |size: [usize; 3]| size.iter().product::<usize>();
        let per_scale = || self.scales.iter().map(|s| vec![0.0; voxels(s.size)]).collect();
        Augmented {
            data: vec![0.0; self.output_channels() * voxels(self.rules.patch)],
            targets: per_scale(),
            weights: if self.options.weightmap {
                per_scale()
            } else {
                Vec::new()
            },
        }
    }

    /// Draws all parameters of one sample, reusing the memory of `params`. A validation chain draws nothing.
    pub fn draw(&self, rng: &mut Rng, params: &mut Params) {
        let channels = self.options.channels;
        params.blur.clear();
        params.blur.resize(channels, None);
        params.low_resolution.clear();
        params.low_resolution.resize(channels, None);
        let Some(s) = &self.strength else {
            let (blur, low_resolution) = (
                std::mem::take(&mut params.blur),
                std::mem::take(&mut params.low_resolution),
            );
            *params = Params {
                blur,
                low_resolution,
                ..Params::default()
            };
            return;
        };
        self.draw_spatial(rng, &mut params.spatial);
        params.noise = noise::draw(&s.noise, rng);
        blur::draw(&s.blur, rng, &mut params.blur);
        factors(
            &s.brightness,
            channels,
            rng,
            &mut params.brightness,
            |rng, [low, high]| rng.uniform(low, high),
        );
        factors(&s.contrast, channels, rng, &mut params.contrast, draw_about_one);
        low_resolution::draw(&s.low_resolution, rng, &mut params.low_resolution);
        factors(
            &s.gamma_inverted,
            channels,
            rng,
            &mut params.gamma_inverted,
            draw_about_one,
        );
        factors(&s.gamma, channels, rng, &mut params.gamma, draw_about_one);
        let axes = self.options.patch_size.len();
        let allowed = std::array::from_fn(|a| a + axes >= 3 && s.mirror_axes.contains(&(a + axes - 3)));
        params.mirror = mirror::draw(allowed, rng);
        if let Some(cascade) = &self.options.cascade {
            cascade::draw(cascade, rng, &mut params.cascade);
            if !self.chain.removes_components {
                params.cascade.removal.clear();
            }
        }
    }

    /// Draws only the spatial transform, to redraw it if it leaves no annotated voxel in the patch.
    pub fn draw_spatial(&self, rng: &mut Rng, params: &mut SpatialParams) {
        match &self.strength {
            Some(s) => spatial::draw(&s.spatial, self.options.planar(), rng, params),
            None => *params = SpatialParams::default(),
        }
    }

    /// Returns the window of a loaded patch of size `full` that `params` read; see [`SpatialRules::window`].
    pub fn window(
        &self,
        params: &Params,
        full: [usize; 3],
        center: Option<[f64; 3]>,
    ) -> [std::ops::Range<usize>; 3] {
        self.rules.window(&params.spatial, full, center)
    }
}

/// Draws one factor per channel if the transform is applied, else none.
fn factors(
    options: &FactorOptions,
    channels: usize,
    rng: &mut Rng,
    factors: &mut Vec<f64>,
    one: impl Fn(&mut Rng, [f64; 2]) -> f64,
) {
    factors.clear();
    if rng.chance(options.probability) {
        factors.extend((0..channels).map(|_| one(rng, options.range)));
    }
}
