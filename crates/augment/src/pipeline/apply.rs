//! Application of drawn parameters to a sample.

use volume::UNLABELLED;

use super::{Params, Pipeline, Workspace};
use crate::buffer::fit;
use crate::cascade;
use crate::intensity::factor::{apply_brightness, apply_contrast};
use crate::intensity::gamma::{self, GammaForm};
use crate::intensity::{blur, low_resolution, noise};
use crate::mirror;
use crate::sample::{Block, Destination, Sample};
use crate::spatial::{self, Empty, Output, SpatialParams};
use crate::Error;

impl Pipeline {
    /// Applies drawn parameters to one sample and writes the result to `out`. Pure: the same input gives the
    /// same bytes in any thread. Allocates nothing once `workspace` has processed the largest sample.
    ///
    /// `center` is the patch's centre in the loaded patch; the default is its middle
    /// ([`crate::apply_spatial`]).
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::Length`] if sample or destination do not match this chain.
    pub fn apply(
        &self,
        params: &Params,
        center: Option<[f64; 3]>,
        sample: &Sample,
        workspace: &mut Workspace,
        out: &mut impl Destination,
    ) -> Result<(), Error> {
        self.check(sample, out)?;
        self.place(params, center, sample, workspace, out)?;
        let voxels: usize = self.rules.patch.iter().product();
        let image = &mut out.data()[..self.options.channels * voxels];
        for (c, values) in image.chunks_exact_mut(voxels).enumerate() {
            self.intensities(params, c, values, workspace);
            self.mask(c, values, workspace);
            mirror::apply(values, self.rules.patch, params.mirror);
        }
        self.targets(params, workspace, out);
        Ok(())
    }

    /// Returns true if the patch of `params` has at least one voxel without the ignore label. Much cheaper
    /// than [`Pipeline::apply`], because the image is not processed.
    ///
    /// # Errors
    /// Those of [`Pipeline::apply`].
    pub fn keeps_annotation(
        &self,
        params: &SpatialParams,
        center: Option<[f64; 3]>,
        sample: &Sample,
        workspace: &mut Workspace,
    ) -> Result<bool, Error> {
        let Some(ignore) = self.options.ignore_label else {
            return Ok(true);
        };
        let voxels: usize = self.rules.patch.iter().product();
        fit(&mut workspace.seg, sample.seg.shape()[0] * voxels, 0);
        let Workspace {
            seg,
            spatial: scratch,
            ..
        } = workspace;
        let mut output = Output {
            data: &mut [],
            seg,
            weightmap: None,
            empty: None,
        };
        spatial::apply(params, center, &self.rules, sample, &mut output, scratch)?;
        Ok(workspace.seg[..voxels].iter().any(|&label| label != ignore))
    }

    fn check(&self, sample: &Sample, out: &mut impl Destination) -> Result<(), Error> {
        let shape = |array: &'static str, expected: String, found: [usize; 4]| {
            Err(Error::Shape {
                array,
                expected,
                found,
            })
        };
        if sample.data.shape()[0] != self.options.channels {
            return shape(
                "data",
                format!("{} channels", self.options.channels),
                sample.data.shape(),
            );
        }
        let segs = 1 + usize::from(self.options.cascade.is_some());
        if sample.seg.shape()[0] != segs {
            return shape("seg", format!("{segs} channels"), sample.seg.shape());
        }
        if sample.weightmap.is_some() != self.options.weightmap {
            let expected = if self.options.weightmap {
                "a weightmap"
            } else {
                "no weightmap"
            }
            .to_owned();
            return shape(
                "weightmap",
                expected,
                sample.weightmap.as_ref().map_or([0; 4], Block::shape),
            );
        }
        let length = |buffer: &'static str, expected: usize, found: usize| {
            if found == expected {
                Ok(())
            } else {
                Err(Error::Length {
                    buffer,
                    expected,
                    found,
                })
            }
        };
        let voxels: usize = self.rules.patch.iter().product();
        length("data", self.output_channels() * voxels, out.data().len())?;
        for (s, scale) in self.scales.iter().enumerate() {
            let expected = scale.size.iter().product();
            length("target", expected, out.target(s).len())?;
            if self.options.weightmap {
                length("weight", expected, out.weight(s).len())?;
            }
        }
        Ok(())
    }

    fn place(
        &self,
        params: &Params,
        center: Option<[f64; 3]>,
        sample: &Sample,
        workspace: &mut Workspace,
        out: &mut impl Destination,
    ) -> Result<(), Error> {
        let voxels: usize = self.rules.patch.iter().product();
        let Workspace {
            seg,
            weightmap,
            empty,
            spatial: scratch,
            ..
        } = workspace;
        fit(seg, sample.seg.shape()[0] * voxels, 0);
        fit(weightmap, if self.options.weightmap { voxels } else { 0 }, 0.0);
        let masked = self.strength.is_some() && self.options.use_mask_for_norm.contains(&true);
        // If -1 means unlabelled, it does not mark the outside of the nonzero mask.
        let masked_by_image = masked && self.chain.unlabelled == Some(UNLABELLED);
        fit(empty, if masked { voxels } else { 0 }, 0);
        let mut output = Output {
            data: &mut out.data()[..self.options.channels * voxels],
            seg,
            weightmap: self.options.weightmap.then_some(weightmap.as_mut_slice()),
            empty: masked_by_image.then_some(Empty {
                voxels: empty,
                channels: &self.options.use_mask_for_norm,
            }),
        };
        spatial::apply(&params.spatial, center, &self.rules, sample, &mut output, scratch)?;
        if masked && !masked_by_image {
            for (e, &label) in empty.iter_mut().zip(&seg[..voxels]) {
                *e = u8::from(label < 0 && Some(label) != self.chain.unlabelled);
            }
        }
        Ok(())
    }

    fn intensities(&self, params: &Params, c: usize, values: &mut [f32], workspace: &mut Workspace) {
        let Some(strength) = &self.strength else { return };
        let size = self.rules.patch;
        if let Some(noise) = &params.noise {
            noise::apply(values, c, noise);
        }
        if let Some(&Some(sigma)) = params.blur.get(c) {
            blur::apply(values, size, sigma, blur::Border::Reflect, &mut workspace.blur);
        }
        if let Some(&factor) = params.brightness.get(c) {
            apply_brightness(values, factor);
        }
        if let Some(&factor) = params.contrast.get(c) {
            apply_contrast(values, factor);
        }
        if let Some(&Some(zoom)) = params.low_resolution.get(c) {
            let axes = [!self.options.planar(), true, true];
            low_resolution::apply(values, size, zoom, axes, &mut workspace.low_resolution);
        }
        for (factors, invert) in [(&params.gamma_inverted, true), (&params.gamma, false)] {
            if let Some(&factor) = factors.get(c) {
                gamma::apply(
                    values,
                    factor,
                    GammaForm {
                        invert,
                        retain_stats: strength.gamma_retain_stats,
                    },
                );
            }
        }
    }

    /// Resets the image to 0 outside the nonzero mask, in channels that were normalised inside it.
    fn mask(&self, c: usize, values: &mut [f32], workspace: &Workspace) {
        if self.strength.is_some() && self.options.use_mask_for_norm.get(c) == Some(&true) {
            for (v, &empty) in values.iter_mut().zip(&workspace.empty) {
                *v = if empty == 1 { 0.0 } else { *v };
            }
        }
    }

    fn targets(&self, params: &Params, workspace: &mut Workspace, out: &mut impl Destination) {
        let patch = self.rules.patch;
        let voxels: usize = patch.iter().product();
        let flip = params.mirror;
        let (seg, previous) = workspace.seg.split_at_mut(voxels);
        // Voxels outside the nonzero mask are background, unless -1 is the ignore label.
        let keep = self.options.ignore_label == Some(UNLABELLED);
        let background = |label: i16| {
            if label == UNLABELLED && !keep {
                0.0
            } else {
                f32::from(label)
            }
        };
        for (s, scale) in self.scales.iter().enumerate() {
            scale.labels(seg, patch, flip, background, out.target(s));
            if self.options.weightmap {
                scale.weights(&workspace.weightmap, patch, flip, out.weight(s));
            }
        }
        if let Some(cascade) = &self.options.cascade {
            cascade::apply(previous, patch, cascade, &params.cascade, &mut workspace.cascade);
            let channels = &mut out.data()[self.options.channels * voxels..];
            for (channel, &label) in channels.chunks_exact_mut(voxels).zip(&cascade.labels) {
                self.whole.labels(
                    previous,
                    patch,
                    flip,
                    |l| f32::from(u8::from(l == label)),
                    channel,
                );
            }
        }
    }
}
