//! Gaussian blur (scipy's `gaussian_filter`: truncated at 4 sigma, mirrored at the voxel edge).

use random::Rng;
use serde::{Deserialize, Serialize};

use crate::buffer::fit;
use crate::simd::kernel;
use crate::spline::accumulate;

/// Probability and strength of the blur.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlurOptions {
    /// Probability per sample.
    pub probability: f64,
    /// Probability per channel of a selected sample.
    pub channel_probability: f64,
    /// Range of sigma in voxels, equal for all axes.
    pub sigma: [f64; 2],
}

impl Default for BlurOptions {
    fn default() -> Self {
        Self {
            probability: 0.2,
            channel_probability: 0.5,
            sigma: [0.5, 1.0],
        }
    }
}

/// Draws a sigma for each blurred channel.
pub fn draw(options: &BlurOptions, rng: &mut Rng, sigmas: &mut [Option<f64>]) {
    let chosen = rng.chance(options.probability);
    for sigma in sigmas {
        *sigma = (chosen && rng.chance(options.channel_probability))
            .then(|| rng.uniform(options.sigma[0], options.sigma[1]));
    }
}

/// Values beyond the border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Border {
    /// Mirrored at the edge of the last voxel (scipy's `reflect`).
    Reflect,
    /// Zero.
    Zero,
}

/// Workspace of the blur.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    kernel: Vec<f32>,
    lines: Vec<f32>,
}

/// Blurs one channel of `size` (z, y, x) in place.
pub(crate) fn apply(values: &mut [f32], size: [usize; 3], sigma: f64, border: Border, scratch: &mut Scratch) {
    gaussian(sigma, &mut scratch.kernel);
    let [nz, ny, nx] = size;
    let Scratch { kernel, lines } = scratch;
    let radius = kernel.len() - 1;
    // A 2D image has one slice, and scipy blurs only its two axes. A 3D image of one slice does not change
    // with Reflect.
    if nz > 1 {
        for y in 0..ny {
            blur_columns(values, nz, y * nx, ny * nx, nx, border, kernel, lines);
        }
    }
    if ny > 1 {
        for slice in values.chunks_exact_mut(ny * nx) {
            blur_columns(slice, ny, 0, nx, nx, border, kernel, lines);
        }
    }
    if nx > 1 {
        fit(lines, (nx + 2 * radius).max(lines.len()), 0.0);
        for row in values.chunks_exact_mut(nx) {
            for j in 0..radius {
                let before = -(j as isize) - 1;
                lines[radius - 1 - j] = outside(border, before, nx).map_or(0.0, |i| row[i]);
                lines[radius + nx + j] = outside(border, (nx + j) as isize, nx).map_or(0.0, |i| row[i]);
            }
            lines[radius..radius + nx].copy_from_slice(row);
            convolve_row(&lines[..nx + 2 * radius], kernel, row);
        }
    }
}

/// Half of the normalised kernel: weights at distances 0, 1, ...
fn gaussian(sigma: f64, kernel: &mut Vec<f32>) {
    let radius = (4.0 * sigma + 0.5) as i32;
    let value = |k: i32| (-0.5 * f64::from(k * k) / (sigma * sigma)).exp();
    let total = value(0) + 2.0 * (1..=radius).map(value).sum::<f64>();
    kernel.clear();
    kernel.extend((0..=radius).map(|k| (value(k) / total) as f32));
}

/// Source of the value at `index` beyond a line of `n`.
fn outside(border: Border, index: isize, n: usize) -> Option<usize> {
    if (0..n as isize).contains(&index) {
        return Some(index as usize);
    }
    match border {
        Border::Zero => None,
        Border::Reflect => {
            let phase = index.rem_euclid(2 * n as isize) as usize;
            Some(phase.min(2 * n - 1 - phase))
        }
    }
}

/// Blurs `width` lines along `n` rows, `stride` apart, from `start` on.
fn blur_columns(
    values: &mut [f32],
    n: usize,
    start: usize,
    stride: usize,
    width: usize,
    border: Border,
    kernel: &[f32],
    lines: &mut Vec<f32>,
) {
    fit(lines, (n * width).max(lines.len()), 0.0);
    for i in 0..n {
        lines[i * width..(i + 1) * width].copy_from_slice(&values[start + i * stride..][..width]);
    }
    let line = |i: usize| &lines[i * width..(i + 1) * width];
    for i in 0..n {
        let out = &mut values[start + i * stride..][..width];
        out.fill(0.0);
        accumulate(kernel[0], line(i), out);
        for (k, &weight) in kernel.iter().enumerate().skip(1) {
            let before = outside(border, i as isize - k as isize, n);
            let after = outside(border, (i + k) as isize, n);
            match (before, after) {
                (Some(a), Some(b)) => accumulate_pair(weight, line(a), line(b), out),
                (Some(one), None) | (None, Some(one)) => accumulate(weight, line(one), out),
                (None, None) => {}
            }
        }
    }
}

kernel! {
    fn accumulate_pair(factor: f32, a: &[f32], b: &[f32], sum: &mut [f32]) {
        for ((s, a), b) in sum.iter_mut().zip(a).zip(b) {
            *s = factor.mul_add(a + b, *s);
        }
    }
}

kernel! {
    fn convolve_row(padded: &[f32], kernel: &[f32], out: &mut [f32]) {
        let radius = kernel.len() - 1;
        let n = out.len();
        for (o, v) in out.iter_mut().zip(&padded[radius..]) {
            *o = kernel[0] * v;
        }
        for k in 1..=radius {
            let (a, b) = (&padded[radius - k..][..n], &padded[radius + k..][..n]);
            for i in 0..n {
                out[i] = kernel[k].mul_add(a[i] + b[i], out[i]);
            }
        }
    }
}
