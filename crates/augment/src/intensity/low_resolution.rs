//! Simulated low resolution: nearest-neighbour downsampling, cubic upsampling (batchgenerators'
//! `augment_linear_downsampling_scipy` with scikit-image's `resize`, mode `edge`, clipped to the downsampled
//! range).

use random::Rng;
use serde::{Deserialize, Serialize};

use super::statistics::{affine, statistics};
use crate::grid::{nearest_sources, resized, source_position};
use crate::separable::{resample, Axis};
use crate::spline::Extension;

/// Probability and strength of the downsampling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LowResolutionOptions {
    /// Probability per sample.
    pub probability: f64,
    /// Probability per channel of a selected sample.
    pub channel_probability: f64,
    /// Range of the zoom; 0.5 halves the resolution.
    pub zoom: [f64; 2],
}

impl Default for LowResolutionOptions {
    fn default() -> Self {
        Self {
            probability: 0.25,
            channel_probability: 0.5,
            zoom: [0.5, 1.0],
        }
    }
}

/// Draws a zoom for each affected channel.
pub fn draw(options: &LowResolutionOptions, rng: &mut Rng, zooms: &mut [Option<f64>]) {
    let chosen = rng.chance(options.probability);
    for zoom in zooms {
        *zoom = (chosen && rng.chance(options.channel_probability))
            .then(|| rng.uniform(options.zoom[0], options.zoom[1]));
    }
}

/// Workspace of the transform.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    sources: [Vec<u32>; 3],
    axes: [Axis; 3],
    small: Vec<f32>,
    resample: crate::separable::Scratch,
}

/// Reduces the resolution of one channel of `size` (z, y, x) in place along the selected axes.
pub(crate) fn apply(values: &mut [f32], size: [usize; 3], zoom: f64, axes: [bool; 3], scratch: &mut Scratch) {
    for axis in 0..3 {
        let n = size[axis];
        let small = if axes[axis] { resized(n, zoom) } else { n };
        nearest_sources(n, small, &mut scratch.sources[axis]);
        if small == n {
            scratch.axes[axis].pass(n);
        } else {
            let positions = (0..n).map(|i| source_position(i, small, n));
            scratch.axes[axis].sample(small, Extension::Edge, positions);
        }
    }
    let [_, ny, nx] = size;
    let Scratch {
        sources: [zs, ys, xs],
        axes,
        small,
        resample: memory,
    } = scratch;
    small.clear();
    small.reserve_exact(zs.len() * ys.len() * xs.len());
    for &z in zs.iter() {
        for &y in ys.iter() {
            let row = &values[(z as usize * ny + y as usize) * nx..][..nx];
            small.extend(xs.iter().map(|&x| row[x as usize]));
        }
    }
    let range = statistics(small);
    let (height, width) = (ys.len(), xs.len());
    resample(
        axes,
        |z, y, row| row.copy_from_slice(&small[(z * height + y) * width..][..width]),
        |z, y, row| {
            affine(row, 1.0, 0.0, range.min, range.max);
            values[(z * ny + y) * nx..][..nx].copy_from_slice(row);
        },
        memory,
    );
}
