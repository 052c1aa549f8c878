//! Tensor-product interpolation, row by row.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::simd::{dispatch, Kernel};
use crate::taps::Taps;
use crate::Real;

/// A volume of samples (or B-spline coefficients) and the taps of its three axes. Computes in `W` and returns
/// `S`.
pub(crate) struct Rows<'a, S: Real, W: Real> {
    /// Input planes from `first` on, rows contiguous.
    pub(crate) source: Cow<'a, [S]>,
    /// Number of the first plane in `source`.
    pub(crate) first: usize,
    /// Distance between planes and between rows of `source`.
    pub(crate) strides: [usize; 2],
    pub(crate) taps: Arc<[Taps<W>; 3]>,
    /// Clipping ranges: none, one for the volume, or one per plane of the input (the taps of axis 0 then
    /// index planes).
    pub(crate) bounds: Vec<[S; 2]>,
}

impl<S: Real, W: Real> Rows<'_, S, W> {
    /// Writes the rows `ys` of output plane `z` to `out`. `lines` grows to at most three rows of the input, and is reused
    /// from call to call.
    pub(crate) fn fill(&self, z: usize, ys: Range<usize>, out: &mut [S], lines: &mut Vec<W>) {
        dispatch(Fill {
            rows: self,
            z,
            ys,
            out,
            lines,
        });
    }

    #[inline(always)]
    fn source_row(&self, z: usize, y: usize) -> &[S] {
        let start = (z - self.first) * self.strides[0] + y * self.strides[1];
        &self.source[start..start + self.taps[2].size_in]
    }

    fn clip(&self, z: usize) -> Option<[S; 2]> {
        match self.bounds.as_slice() {
            [] => None,
            [whole] => Some(*whole),
            planes => planes.get(self.taps[0].start[z]).copied(),
        }
    }
}

struct Fill<'a, 'b, S: Real, W: Real> {
    rows: &'a Rows<'b, S, W>,
    z: usize,
    ys: Range<usize>,
    out: &'a mut [S],
    lines: &'a mut Vec<W>,
}

impl<S: Real, W: Real> Kernel for Fill<'_, '_, S, W> {
    #[inline(always)]
    fn run(self) {
        let Self {
            rows,
            z,
            ys,
            out,
            lines,
        } = self;
        let [tz, ty, tx] = &*rows.taps;
        let nx = tx.size_in;
        let (z0, wz) = (tz.start[z], &tz.weights[z]);
        // Rows of the input plane interpolated at `z`, each computed once. Input row r is stored at r %
        // ty.count.
        let ringed = if tz.count > 1 { ty.count * nx } else { 0 };
        lines.resize(ringed + nx, W::default());
        let (ring, line) = lines.split_at_mut(ringed);
        let mut ready = 0;
        for (y, out) in ys.zip(out.chunks_exact_mut(tx.size_out())) {
            let (y0, wy) = (ty.start[y], &ty.weights[y]);
            if tz.count == 1 && ty.count == 1 {
                sample(out, rows.source_row(z0, y0), tx);
            } else if tz.count == 1 {
                combine(line, |k| rows.source_row(z0, y0 + k), wy, ty.count);
                sample(out, line, tx);
            } else {
                for r in y0.max(ready)..y0 + ty.count {
                    let slot = &mut ring[(r % ty.count) * nx..][..nx];
                    combine(slot, |k| rows.source_row(z0 + k, r), wz, tz.count);
                }
                ready = y0 + ty.count;
                combine(line, |k| &ring[((y0 + k) % ty.count) * nx..][..nx], wy, ty.count);
                sample(out, line, tx);
            }
            if let Some([low, high]) = rows.clip(z) {
                for value in out.iter_mut() {
                    let floored = if *value < low { low } else { *value };
                    *value = if floored > high { high } else { floored };
                }
            }
        }
    }
}

/// `out = sum over k < count of weights[k] * row(k)`.
#[inline(always)]
fn combine<'a, R: Real, W: Real>(
    out: &mut [W],
    row: impl Fn(usize) -> &'a [R],
    weights: &[W; 4],
    count: usize,
) {
    let wide = |value: &R| W::of(value.to_f64());
    let [w0, w1, w2, w3] = *weights;
    match count {
        1 => out.iter_mut().zip(row(0)).for_each(|(o, a)| *o = wide(a)),
        2 => {
            for ((o, a), b) in out.iter_mut().zip(row(0)).zip(row(1)) {
                *o = w0 * wide(a) + w1 * wide(b);
            }
        }
        3 => {
            for (((o, a), b), c) in out.iter_mut().zip(row(0)).zip(row(1)).zip(row(2)) {
                *o = w0 * wide(a) + w1 * wide(b) + w2 * wide(c);
            }
        }
        _ => {
            for ((((o, a), b), c), d) in out.iter_mut().zip(row(0)).zip(row(1)).zip(row(2)).zip(row(3)) {
                *o = (w0 * wide(a) + w1 * wide(b)) + (w2 * wide(c) + w3 * wide(d));
            }
        }
    }
}

/// Computes one output row from one row that is already interpolated along the other axes.
#[inline(always)]
fn sample<R: Real, S: Real, W: Real>(out: &mut [S], row: &[R], taps: &Taps<W>) {
    let narrow = |value: W| S::of(value.to_f64());
    let wide = |value: R| W::of(value.to_f64());
    if taps.identity {
        out.iter_mut().zip(row).for_each(|(o, &v)| *o = narrow(wide(v)));
        return;
    }
    let each = out.iter_mut().zip(&taps.start).zip(&taps.weights);
    match taps.count {
        1 => each.for_each(|((o, &s), _)| *o = narrow(wide(row[s]))),
        2 => each.for_each(|((o, &s), w)| {
            let r = &row[s..s + 2];
            *o = narrow(w[0] * wide(r[0]) + w[1] * wide(r[1]));
        }),
        3 => each.for_each(|((o, &s), w)| {
            let r = &row[s..s + 3];
            *o = narrow(w[0] * wide(r[0]) + w[1] * wide(r[1]) + w[2] * wide(r[2]));
        }),
        _ => each.for_each(|((o, &s), w)| {
            let r = &row[s..s + 4];
            *o = narrow((w[0] * wide(r[0]) + w[1] * wide(r[1])) + (w[2] * wide(r[2]) + w[3] * wide(r[3])));
        }),
    }
}
