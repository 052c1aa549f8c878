//! Elastic deformation (Simard, Steinkraus, Platt 2003; batchgenerators' `elastic_deform_coordinates`).

use std::ops::Range;

use random::Rng;
use serde::{Deserialize, Serialize};

use crate::buffer::fit;
use crate::intensity::blur::{self, Border};

use crate::field::Field;

/// Probability and strength of the deformation. The default is `nnUNetTrainer`'s in 3D; `nnUNetTrainerV2` has
/// none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ElasticOptions {
    /// Probability per sample.
    pub probability: f64,
    /// Range of the magnitude alpha in voxels, the factor of the smoothed field.
    pub alpha: [f64; 2],
    /// Range of the smoothing sigma in voxels.
    pub sigma: [f64; 2],
}

impl Default for ElasticOptions {
    fn default() -> Self {
        Self {
            probability: 0.2,
            alpha: [0.0, 900.0],
            sigma: [9.0, 13.0],
        }
    }
}

/// Drawn elastic deformation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ElasticParams {
    /// Magnitude.
    pub alpha: f64,
    /// Smoothing sigma in voxels.
    pub sigma: f64,
    /// Key of the random field.
    pub key: [u32; 2],
}

/// Draws the deformation of one sample; `None` for a sample without deformation.
pub fn draw(options: &ElasticOptions, rng: &mut Rng) -> Option<ElasticParams> {
    if !rng.chance(options.probability) {
        return None;
    }
    Some(ElasticParams {
        alpha: rng.uniform(options.alpha[0], options.alpha[1]),
        sigma: rng.uniform(options.sigma[0], options.sigma[1]),
        key: [rng.next_u32(), rng.next_u32()],
    })
}

/// A displacement field over the output patch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Displacement {
    size: [usize; 3],
    offsets: [Vec<f32>; 3],
    blur: blur::Scratch,
    /// Largest displacement along any axis, in voxels.
    pub reach: f64,
}

impl Displacement {
    /// Computes the field of `params`. With `planar`, all slices have the same field, without displacement
    /// along z.
    pub(crate) fn fill(&mut self, params: &ElasticParams, planar: bool, patch: [usize; 3]) {
        self.size = if planar { [1, patch[1], patch[2]] } else { patch };
        self.reach = 0.0;
        for axis in 0..3 {
            let offsets = &mut self.offsets[axis];
            offsets.clear();
            fit(offsets, self.size.iter().product(), 0.0);
            if planar && axis == 0 {
                continue;
            }
            Field::new(params.key, axis as u32).uniform(0, offsets);
            for value in offsets.iter_mut() {
                *value = 2.0 * *value - 1.0;
            }
            blur::apply(offsets, self.size, params.sigma, Border::Zero, &mut self.blur);
            for value in offsets.iter_mut() {
                *value *= params.alpha as f32;
                self.reach = self.reach.max(f64::from(value.abs()));
            }
        }
    }

    /// Centred and displaced coordinates of outputs `x` of row (z, y).
    pub(crate) fn displace(
        &self,
        z: usize,
        y: usize,
        x: Range<usize>,
        at: [f64; 2],
        mesh: &[f64],
        out: &mut [Vec<f64>; 3],
    ) {
        let [nz, ny, nx] = self.size;
        let start = (z.min(nz - 1) * ny + y) * nx;
        for axis in 0..3 {
            let offsets = &self.offsets[axis][start + x.start..start + x.end];
            out[axis].clear();
            match at.get(axis) {
                Some(&fixed) => out[axis].extend(offsets.iter().map(|&o| fixed + f64::from(o))),
                None => out[axis].extend(offsets.iter().zip(mesh).map(|(&o, &m)| m + f64::from(o))),
            }
        }
    }
}
