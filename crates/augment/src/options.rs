//! Options of a chain, with nnU-Net v1's defaults.

use run::OptionError;
use serde::{Deserialize, Serialize};

use crate::cascade::CascadeOptions;
use crate::intensity::blur::BlurOptions;
use crate::intensity::factor::FactorOptions;
use crate::intensity::low_resolution::LowResolutionOptions;
use crate::intensity::noise::NoiseOptions;
use crate::spatial::SpatialOptions;
use crate::{initial_patch_size, Error};

/// Options of a chain: data of the network (patch, channels, deep supervision), of the recipe (ignore label,
/// weightmap, cascade), and the strength of the augmentation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PipelineOptions {
    /// Patch size of the network, (z, y, x) or (y, x).
    pub patch_size: Vec<usize>,
    /// Image channels.
    pub channels: usize,
    /// Whether slices of a 3D patch are transformed separately ("dummy 2D"), from the plans, for anisotropic
    /// data.
    #[serde(default)]
    pub dummy_2d: bool,
    /// Label excluded from the loss. With -1 every transform distinguishes unlabelled voxels from background.
    #[serde(default)]
    pub ignore_label: Option<i16>,
    /// Whether samples have voxel weights.
    #[serde(default)]
    pub weightmap: bool,
    /// For each channel, whether it was normalised inside its mask; it is then set to 0 outside. Empty means
    /// none.
    #[serde(default)]
    pub use_mask_for_norm: Vec<bool>,
    /// Factors per axis of every deep-supervision scale, the full scale first. Empty means only the full
    /// scale.
    #[serde(default)]
    pub deep_supervision_scales: Vec<Vec<f64>>,
    /// Previous stage's segmentation as second channel of `seg`. The network receives it as one-hot channels.
    #[serde(default)]
    pub cascade: Option<CascadeOptions>,
    /// Strength of the augmentation. The default is [`Strength::standard`].
    #[serde(default)]
    pub strength: Option<Strength>,
    /// Repeats the mistakes of nnU-Net v1 and DIAG's fork: unlabelled voxels outside the loaded patch and
    /// between labels become background, the mask transform sets the image to 0 there, and half-voxel centres
    /// are interpolated.
    #[serde(default)]
    pub reference_rules: bool,
}

/// Probabilities and ranges of every transform of the training chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Strength {
    /// Rotation, scaling, elastic deformation.
    pub spatial: SpatialOptions,
    /// Interpolation order of the segmentation: 1, or 0 for nearest. The default is 0 with voxel weights,
    /// else 1.
    #[serde(default)]
    pub segmentation_order: Option<u8>,
    /// Gaussian noise.
    pub noise: NoiseOptions,
    /// Gaussian blur.
    pub blur: BlurOptions,
    /// Multiplicative brightness.
    pub brightness: FactorOptions,
    /// Contrast about the mean.
    pub contrast: FactorOptions,
    /// Simulated low resolution.
    pub low_resolution: LowResolutionOptions,
    /// Gamma correction of the negated image.
    pub gamma_inverted: FactorOptions,
    /// Gamma correction.
    pub gamma: FactorOptions,
    /// Whether gamma correction restores mean and standard deviation.
    pub gamma_retain_stats: bool,
    /// Axes of the patch for mirroring.
    pub mirror_axes: Vec<usize>,
}

impl Strength {
    /// The chain of `nnUNetTrainerV2` for a patch of this size.
    pub fn standard(patch_size: &[usize], dummy_2d: bool) -> Self {
        let planar = dummy_2d || patch_size.len() == 2;
        let mut spatial = SpatialOptions::default();
        if planar {
            // The reference reduces the angles of a 2D network, but not of dummy 2D, if patches are
            // elongated.
            let (low, high) = (patch_size.iter().min().copied(), patch_size.iter().max().copied());
            let aspect = high.unwrap_or(1) as f64 / low.unwrap_or(1).max(1) as f64;
            let degrees: f64 = if aspect > 1.5 && patch_size.len() == 2 {
                15.0
            } else {
                180.0
            };
            spatial.rotation = [[-degrees.to_radians(), degrees.to_radians()], [0.0; 2], [0.0; 2]];
        }
        let factor = |probability: f64, range: [f64; 2]| FactorOptions { probability, range };
        Self {
            spatial,
            segmentation_order: None,
            noise: NoiseOptions::default(),
            blur: BlurOptions::default(),
            brightness: factor(0.15, [0.75, 1.25]),
            contrast: factor(0.15, [0.75, 1.25]),
            low_resolution: LowResolutionOptions::default(),
            gamma_inverted: factor(0.1, [0.7, 1.5]),
            gamma: factor(0.3, [0.7, 1.5]),
            gamma_retain_stats: true,
            mirror_axes: (0..patch_size.len()).collect(),
        }
    }
}

impl PipelineOptions {
    /// Options with all defaults.
    pub fn new(patch_size: &[usize], channels: usize) -> Self {
        Self {
            patch_size: patch_size.to_vec(),
            channels,
            dummy_2d: false,
            ignore_label: None,
            weightmap: false,
            use_mask_for_norm: Vec::new(),
            deep_supervision_scales: Vec::new(),
            cascade: None,
            strength: None,
            reference_rules: false,
        }
    }

    /// The strength of the augmentation.
    pub fn strength(&self) -> Strength {
        self.strength
            .clone()
            .unwrap_or_else(|| Strength::standard(&self.patch_size, self.dummy_2d))
    }

    /// Size of the loaded patch in training, with as many axes as the patch. In dummy 2D it has as many
    /// slices as the patch.
    pub fn initial_patch_size(&self) -> Vec<usize> {
        /// Minimum scale that the reference assumes, regardless of the drawn one.
        const SMALLEST_SCALE: f64 = 0.85;
        let angles = self
            .strength()
            .spatial
            .rotation
            .map(|[low, high]| low.abs().max(high.abs()));
        if self.dummy_2d && self.patch_size.len() == 3 {
            let mut size = vec![self.patch_size[0]];
            size.extend(initial_patch_size(&self.patch_size[1..], angles, SMALLEST_SCALE));
            size
        } else {
            initial_patch_size(&self.patch_size, angles, SMALLEST_SCALE)
        }
    }

    /// Whether slices are transformed separately.
    pub(crate) fn planar(&self) -> bool {
        self.dummy_2d || self.patch_size.len() == 2
    }

    /// The patch as (z, y, x).
    pub(crate) fn patch(&self) -> [usize; 3] {
        match self.patch_size[..] {
            [y, x] => [1, y, x],
            [z, y, x] => [z, y, x],
            _ => [0; 3],
        }
    }

    /// Checks all options that do not depend on a sample.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = |option: &str, expected: &str, found: String| {
            Err(OptionError::expected(option, expected, found).into())
        };
        if !(2..=3).contains(&self.patch_size.len()) || self.patch_size.contains(&0) {
            return wrong(
                "patchSize",
                "2 or 3 positive numbers",
                format!("{:?}", self.patch_size),
            );
        }
        if self.channels == 0 {
            return wrong("channels", "a positive number", "0".to_owned());
        }
        if ![0, self.channels].contains(&self.use_mask_for_norm.len()) {
            let expected = format!("{} flags, one a channel, or none", self.channels);
            return wrong(
                "useMaskForNorm",
                &expected,
                format!("{:?}", self.use_mask_for_norm),
            );
        }
        for scale in &self.deep_supervision_scales {
            let positive = scale.iter().all(|f| f.is_finite() && *f > 0.0);
            // nnU-Net v1 gives three factors for the full scale of a 2D network.
            let axes = self.patch_size.len();
            let whole = scale.len() > axes && scale.iter().all(|f| *f == 1.0);
            if !(positive && (scale.len() == axes || whole)) {
                let expected = format!("{axes} positive factors a scale");
                return wrong("deepSupervisionScales", &expected, format!("{scale:?}"));
            }
        }
        self.check_strength(&self.strength())
    }

    fn check_strength(&self, s: &Strength) -> Result<(), Error> {
        let fail = |option: &str, expected: &str, found: String| {
            Err(OptionError::expected(option, expected, found).into())
        };
        let mut probabilities = vec![
            ("spatial.rotationProbability", s.spatial.rotation_probability),
            ("spatial.scaleProbability", s.spatial.scale_probability),
            ("noise.probability", s.noise.probability),
            ("blur.probability", s.blur.probability),
            ("blur.channelProbability", s.blur.channel_probability),
            ("brightness.probability", s.brightness.probability),
            ("contrast.probability", s.contrast.probability),
            ("lowResolution.probability", s.low_resolution.probability),
            (
                "lowResolution.channelProbability",
                s.low_resolution.channel_probability,
            ),
            ("gammaInverted.probability", s.gamma_inverted.probability),
            ("gamma.probability", s.gamma.probability),
        ];
        // Range, and the exclusive minimum of its low end.
        let mut ranges = vec![
            ("spatial.rotation", s.spatial.rotation[0], f64::NEG_INFINITY),
            ("spatial.rotation", s.spatial.rotation[1], f64::NEG_INFINITY),
            ("spatial.rotation", s.spatial.rotation[2], f64::NEG_INFINITY),
            ("spatial.scale", s.spatial.scale, 0.0),
            ("noise.sd", s.noise.sd, -f64::MIN_POSITIVE),
            ("blur.sigma", s.blur.sigma, 0.0),
            ("brightness.range", s.brightness.range, f64::NEG_INFINITY),
            ("contrast.range", s.contrast.range, f64::NEG_INFINITY),
            ("lowResolution.zoom", s.low_resolution.zoom, 0.0),
            ("gammaInverted.range", s.gamma_inverted.range, 0.0),
            ("gamma.range", s.gamma.range, 0.0),
        ];
        if let Some(elastic) = &s.spatial.elastic {
            probabilities.push(("spatial.elastic.probability", elastic.probability));
            ranges.push(("spatial.elastic.alpha", elastic.alpha, -f64::MIN_POSITIVE));
            ranges.push(("spatial.elastic.sigma", elastic.sigma, 0.0));
        }
        if let Some(cascade) = &self.cascade {
            probabilities.push(("cascade.morphologyProbability", cascade.morphology_probability));
            probabilities.push(("cascade.removalProbability", cascade.removal_probability));
            ranges.push(("cascade.morphologyRadius", cascade.morphology_radius, 0.0));
        }
        for (option, p) in probabilities {
            if !(0.0..=1.0).contains(&p) {
                return fail(option, "a probability in [0, 1]", p.to_string());
            }
        }
        for (option, [low, high], above) in ranges {
            if !(low <= high && low > above && high.is_finite()) {
                return fail(
                    option,
                    "[low, high] in order and in its domain",
                    format!("[{low}, {high}]"),
                );
            }
        }
        if s.low_resolution.zoom[1] > 1.0 {
            return fail(
                "lowResolution.zoom",
                "a zoom of at most 1",
                format!("{:?}", s.low_resolution.zoom),
            );
        }
        if s.mirror_axes.iter().any(|&axis| axis >= self.patch_size.len()) {
            return fail("mirrorAxes", "axes of the patch", format!("{:?}", s.mirror_axes));
        }
        match s.segmentation_order {
            None | Some(0 | 1) => Ok(()),
            Some(order) => fail("segmentationOrder", "0 or 1", order.to_string()),
        }
    }
}
