//! Separable cubic resampling: every output axis depends only on its own input axis. Works axis by axis, on
//! rows that fit into the cache.

use crate::buffer::fit;
use crate::spline::{blend, filter_columns, gather, weights, Extension, RowFilter, MARGIN};

/// Resampling of one axis.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    /// Number of samples in an input line.
    pub n: usize,
    /// Whether output and input are identical.
    identity: bool,
    extension: Extension,
    /// First of the four taps of each output, counted from [`MARGIN`] before the line.
    starts: Vec<u32>,
    weights: Vec<[f32; 4]>,
}

impl Default for Axis {
    fn default() -> Self {
        Self {
            n: 0,
            identity: true,
            extension: Extension::Mirror,
            starts: Vec::new(),
            weights: Vec::new(),
        }
    }
}

impl Axis {
    /// Copies the line of `n` unchanged.
    pub(crate) fn pass(&mut self, n: usize) {
        self.n = n;
        self.identity = true;
    }

    /// Samples a line of `n` at `positions`, each in [-0.5, n - 0.5]; with mirroring in [0, n - 1].
    pub(crate) fn sample(&mut self, n: usize, extension: Extension, positions: impl Iterator<Item = f64>) {
        self.n = n;
        self.identity = false;
        self.extension = extension;
        self.starts.clear();
        self.weights.clear();
        for position in positions {
            let whole = position.floor();
            let start = (whole as isize - 1 + MARGIN as isize).clamp(0, n as isize);
            self.starts.push(start as u32);
            self.weights.push(weights((position - whole) as f32));
        }
    }

    /// Number of outputs.
    pub(crate) fn outputs(&self) -> usize {
        if self.identity {
            self.n
        } else {
            self.starts.len()
        }
    }
}

/// Workspace of [`resample`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    lines: Vec<f32>,
    slices: Vec<f32>,
    row: Vec<f32>,
    coefficients: Vec<f32>,
    out: Vec<f32>,
    filter: RowFilter,
}

/// Resamples a volume along `axes` (z, y, x). `load(z, y, row)` fills an input row. `store(z, y, row)`
/// receives an output row, after every input row was loaded.
pub(crate) fn resample(
    axes: &[Axis; 3],
    mut load: impl FnMut(usize, usize, &mut [f32]),
    mut store: impl FnMut(usize, usize, &mut [f32]),
    scratch: &mut Scratch,
) {
    let [za, ya, xa] = axes;
    let (width, oy, ox) = (xa.n, ya.outputs(), xa.outputs());
    let Scratch {
        lines,
        slices,
        row,
        coefficients,
        out,
        filter,
    } = scratch;
    fit(slices, za.n * oy * width, 0.0);
    fit(lines, (za.n.max(ya.n) + 2 * MARGIN) * width, 0.0);
    row.resize(width, 0.0);
    coefficients.resize(width + 2 * MARGIN, 0.0);
    out.resize(ox, 0.0);
    for z in 0..za.n {
        let slice = &mut slices[z * oy * width..(z + 1) * oy * width];
        if ya.identity {
            for (y, row) in slice.chunks_exact_mut(width).enumerate() {
                load(z, y, row);
            }
            continue;
        }
        for y in 0..ya.n {
            load(z, y, &mut lines[(y + MARGIN) * width..][..width]);
        }
        filter_columns(lines, ya.n, width, width, ya.extension);
        for (y, row) in slice.chunks_exact_mut(width).enumerate() {
            blend_rows(lines, width, ya, y, row);
        }
    }
    for y in 0..oy {
        if !za.identity {
            for z in 0..za.n {
                let from = &slices[(z * oy + y) * width..][..width];
                lines[(z + MARGIN) * width..][..width].copy_from_slice(from);
            }
            filter_columns(lines, za.n, width, width, za.extension);
        }
        for z in 0..za.outputs() {
            if za.identity {
                row.copy_from_slice(&slices[(z * oy + y) * width..][..width]);
            } else {
                blend_rows(lines, width, za, z, row);
            }
            if xa.identity {
                store(z, y, row);
            } else {
                filter.filter(row, 0, width, xa.extension, -(MARGIN as isize), coefficients);
                gather(coefficients, &xa.starts, &xa.weights, out);
                store(z, y, out);
            }
        }
    }
}

/// Output row `i` of the lines sampled by `axis`.
fn blend_rows(lines: &[f32], width: usize, axis: &Axis, i: usize, out: &mut [f32]) {
    let start = axis.starts[i] as usize;
    let rows = std::array::from_fn(|k| &lines[(start + k) * width..][..width]);
    blend(rows, axis.weights[i], out);
}
