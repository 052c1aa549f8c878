//! Cubic B-spline coefficients and weights (Unser, Aldroubi, Eden 1991; Thévenaz, Blu, Unser 2000).
//!
//! The prefilter's gain of 6 per axis is part of the weights: `filter_*` omit it, and [`weights`] sum to 6.

use crate::simd::kernel;

/// Pole of the cubic B-spline, sqrt(3) - 2.
const POLE: f32 = -0.267_949_2;
/// Distance in voxels beyond which a voxel changes a coefficient by less than 1e-6 of its value.
pub(crate) const REACH: usize = 12;
/// Lanes of one block of [`filter_row`].
const LANES: usize = 16;
/// Terms of the causal filter's first value: `POLE^18` is below the resolution of f32.
pub(crate) const HORIZON: usize = 18;
/// Rows that [`filter_columns`] adds before and after a line, so that four taps stay inside.
pub(crate) const MARGIN: usize = 2;

/// Extension of a line beyond its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extension {
    /// Mirrored at its end samples (scipy's `mirror`, and `constant` inside the volume).
    Mirror,
    /// Repeats its end samples (scipy's `nearest`).
    Edge,
}

impl Extension {
    /// The index in a line of `n` for the sample at `index`.
    pub(crate) fn fold(self, index: isize, n: usize) -> usize {
        let last = n as isize - 1;
        match self {
            Self::Edge => index.clamp(0, last) as usize,
            Self::Mirror if last == 0 => 0,
            Self::Mirror => {
                let phase = index.rem_euclid(2 * last);
                phase.min(2 * last - phase) as usize
            }
        }
    }
}

/// The weights, times 6, as polynomials of the fraction: coefficients of its third power,
pub(crate) const CUBE: [f32; 4] = [-1.0, 3.0, -3.0, 1.0];
/// second power,
pub(crate) const SQUARE: [f32; 4] = [3.0, -6.0, 3.0, 0.0];
/// first power,
pub(crate) const LINEAR: [f32; 4] = [-3.0, 0.0, 3.0, 0.0];
/// and 1.
pub(crate) const ONE: [f32; 4] = [1.0, 4.0, 1.0, 0.0];

/// The four weights, times 6, at fraction `t` in [0, 1] between the second and the third tap.
#[inline(always)]
pub(crate) fn weights(t: f32) -> [f32; 4] {
    std::array::from_fn(|k| {
        CUBE[k]
            .mul_add(t, SQUARE[k])
            .mul_add(t, LINEAR[k])
            .mul_add(t, ONE[k])
    })
}

/// Impulse response of the prefilter without its gain: `response()[k]` at distance k.
fn response() -> [f32; REACH + 1] {
    let pole = 3.0_f64.sqrt() - 2.0;
    std::array::from_fn(|k| (-pole / (1.0 - pole * pole) * pole.powi(k as i32)) as f32)
}

/// Workspace of [`filter_row`].
#[derive(Clone, Debug, Default)]
pub(crate) struct RowFilter {
    padded: Vec<f32>,
    response: [f32; REACH + 1],
}

impl RowFilter {
    /// Computes the coefficients at positions `first .. first + out.len()` of a line of `n` samples. `row`
    /// has the samples from `start` on. It must extend [`REACH`] samples beyond the positions, or to the
    /// line's end.
    ///
    /// Uses a symmetric FIR filter instead of the recursion, because it runs eight lanes wide along the
    /// contiguous axis.
    pub(crate) fn filter(
        &mut self,
        row: &[f32],
        start: usize,
        n: usize,
        extension: Extension,
        first: isize,
        out: &mut [f32],
    ) {
        if self.response[0] == 0.0 {
            self.response = response();
        }
        let blocks = out.len().div_ceil(LANES);
        self.padded.resize(blocks * LANES + 2 * REACH, 0.0);
        let origin = first - REACH as isize;
        let inside = (start as isize - origin).max(0) as usize;
        let skip = (origin - start as isize).max(0) as usize;
        let needed = out.len() + 2 * REACH;
        let count = row.len().saturating_sub(skip).min(needed.saturating_sub(inside));
        self.padded[inside..inside + count].copy_from_slice(&row[skip..skip + count]);
        for j in (0..inside.min(needed)).chain(inside + count..needed) {
            self.padded[j] = row[extension
                .fold(origin + j as isize, n)
                .saturating_sub(start)
                .min(row.len() - 1)];
        }
        convolve(&self.padded, &self.response, out);
    }
}

kernel! {
    fn convolve(padded: &[f32], response: &[f32; REACH + 1], out: &mut [f32]) {
        for (block, out) in out.chunks_mut(LANES).enumerate() {
            let Some(window) = padded[block * LANES..].first_chunk::<{ LANES + 2 * REACH }>() else { return };
            let mut sum = [0.0_f32; LANES];
            for lane in 0..LANES {
                sum[lane] = response[0] * window[REACH + lane];
            }
            for k in 1..=REACH {
                for lane in 0..LANES {
                    let pair = window[REACH - k + lane] + window[REACH + k + lane];
                    sum[lane] = response[k].mul_add(pair, sum[lane]);
                }
            }
            out.copy_from_slice(&sum[..out.len()]);
        }
    }
}

kernel! {
    /// `current += POLE * previous`: one step of the causal recursion for a whole row of lines.
    pub(crate) fn step_forward(previous: &[f32], current: &mut [f32]) {
        for (c, p) in current.iter_mut().zip(previous) {
            *c = POLE.mul_add(*p, *c);
        }
    }
}

kernel! {
    /// `current = POLE * (next - current)`: one step of the anticausal recursion for a whole row of lines.
    pub(crate) fn step_backward(next: &[f32], current: &mut [f32]) {
        for (c, n) in current.iter_mut().zip(next) {
            *c = POLE * (n - *c);
        }
    }
}

kernel! {
    /// `sum += factor * row`.
    pub(crate) fn accumulate(factor: f32, row: &[f32], sum: &mut [f32]) {
        for (s, r) in sum.iter_mut().zip(row) {
            *s = factor.mul_add(*r, *s);
        }
    }
}

kernel! {
    /// `row *= factor`.
    pub(crate) fn scale(factor: f32, row: &mut [f32]) {
        for r in row {
            *r *= factor;
        }
    }
}

/// First value of the causal recursion with mirroring, written to the first row: `rows` of `stride`, `width`
/// used.
pub(crate) fn start_forward(lines: &mut [f32], rows: usize, stride: usize, width: usize) {
    let (first, rest) = lines.split_at_mut(stride);
    let first = &mut first[..width];
    if rows == 1 {
        scale(1.0 / 6.0, first);
        return;
    }
    // Short lines repeat within the horizon, so each row's powers are summed first.
    let mut factors = [0.0; HORIZON + 1];
    let mut power = 1.0;
    for k in 0..=HORIZON {
        factors[Extension::Mirror.fold(k as isize, rows)] += power;
        power *= POLE;
    }
    scale(factors[0], first);
    for row in 1..rows.min(HORIZON + 1) {
        accumulate(factors[row], &rest[(row - 1) * stride..][..width], first);
    }
}

kernel! {
    /// Last value of the anticausal recursion with mirroring.
    pub(crate) fn start_backward(before: &[f32], last: &mut [f32]) {
        let factor = POLE / (POLE * POLE - 1.0);
        for (l, b) in last.iter_mut().zip(before) {
            *l = factor * POLE.mul_add(*b, *l);
        }
    }
}

/// Coefficients of `width` mirrored lines along `rows` rows of `stride`, in place.
pub(crate) fn filter_rows(lines: &mut [f32], rows: usize, stride: usize, width: usize) {
    start_forward(lines, rows, stride, width);
    for row in 1..rows {
        let (head, tail) = lines.split_at_mut(row * stride);
        step_forward(&head[(row - 1) * stride..][..width], &mut tail[..width]);
    }
    if rows > 1 {
        let (head, tail) = lines.split_at_mut((rows - 1) * stride);
        start_backward(&head[(rows - 2) * stride..][..width], &mut tail[..width]);
    }
    for row in (0..rows.saturating_sub(1)).rev() {
        let (head, tail) = lines.split_at_mut((row + 1) * stride);
        step_backward(&tail[..width], &mut head[row * stride..][..width]);
    }
}

/// Coefficients of `width` lines along the rows of `lines`: `n` rows of samples, with [`MARGIN`] rows before
/// and after, which receive the coefficients beyond the ends.
pub(crate) fn filter_columns(lines: &mut [f32], n: usize, stride: usize, width: usize, extension: Extension) {
    let end = (n + 2 * MARGIN) * stride;
    let lines = &mut lines[..end];
    match extension {
        Extension::Mirror => {
            filter_rows(
                &mut lines[MARGIN * stride..(MARGIN + n) * stride],
                n,
                stride,
                width,
            );
            for margin in [-2, -1, n as isize, n as isize + 1] {
                let from = (MARGIN + extension.fold(margin, n)) * stride;
                let to = (MARGIN as isize + margin) as usize * stride;
                lines.copy_within(from..from + width, to);
            }
        }
        Extension::Edge => filter_columns_edge(lines, n, stride, width),
    }
}

/// [`filter_columns`] for lines that repeat their end samples without limit. The margins are real samples of
/// such a line, and both recursions start from their closed-form limits.
fn filter_columns_edge(lines: &mut [f32], n: usize, stride: usize, width: usize) {
    let rows = n + 2 * MARGIN;
    for margin in [0, 1] {
        lines.copy_within(MARGIN * stride..MARGIN * stride + width, margin * stride);
        let last = (MARGIN + n - 1) * stride;
        lines.copy_within(last..last + width, (MARGIN + n + margin) * stride);
    }
    // Beyond the end the causal value is z^j a + (1 - z^j) x / (1 - z) with a at the last row, whose sample
    // is x. The samples there are stored before the recursion overwrites them: x = causal - z * previous
    // causal.
    scale(1.0 / (1.0 - POLE), &mut lines[..width]);
    for row in 1..rows {
        let (head, tail) = lines.split_at_mut(row * stride);
        step_forward(&head[(row - 1) * stride..][..width], &mut tail[..width]);
    }
    let (head, tail) = lines.split_at_mut((rows - 1) * stride);
    end_edge(&head[(rows - 2) * stride..][..width], &mut tail[..width]);
    for row in (0..rows - 1).rev() {
        let (head, tail) = lines.split_at_mut((row + 1) * stride);
        step_backward(&tail[..width], &mut head[row * stride..][..width]);
    }
}

kernel! {
    /// Last value of the anticausal recursion of a line that repeats its last sample.
    fn end_edge(before: &[f32], last: &mut [f32]) {
        let own = -POLE / (1.0 - POLE * POLE);
        let limit = -POLE * (1.0 / (1.0 - POLE) - 1.0 / (1.0 - POLE * POLE)) / (1.0 - POLE);
        for (l, b) in last.iter_mut().zip(before) {
            let sample = (-POLE).mul_add(*b, *l);
            *l = own.mul_add(*l, limit * sample);
        }
    }
}

kernel! {
    /// Weighted sum of four rows.
    pub(crate) fn blend(rows: [&[f32]; 4], weights: [f32; 4], out: &mut [f32]) {
        let n = out.len();
        let [a, b, c, d] = rows;
        let (a, b, c, d) = (&a[..n], &b[..n], &c[..n], &d[..n]);
        for i in 0..n {
            let head = weights[0].mul_add(a[i], weights[1] * b[i]);
            out[i] = weights[3].mul_add(d[i], weights[2].mul_add(c[i], head));
        }
    }
}

kernel! {
    /// `out[i]` is the weighted sum of four neighbours in `row`, from `starts[i]` on.
    pub(crate) fn gather(row: &[f32], starts: &[u32], weights: &[[f32; 4]], out: &mut [f32]) {
        for ((o, &start), w) in out.iter_mut().zip(starts).zip(weights) {
            let taps = row[start as usize..].first_chunk::<4>().unwrap_or(&[0.0; 4]);
            let head = w[0].mul_add(taps[0], w[1] * taps[1]);
            *o = w[3].mul_add(taps[3], w[2].mul_add(taps[2], head));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Coefficients by brute force in f64: the line is extended far enough and filtered by the recursion from
    /// zero.
    fn oracle(line: &[f64], extension: Extension, index: isize) -> f64 {
        let pole = 3.0_f64.sqrt() - 2.0;
        (-60..=60_isize)
            .map(|k| {
                let gain = -pole / (1.0 - pole * pole) * pole.powi(k.unsigned_abs() as i32);
                gain * line[extension.fold(index + k, line.len())]
            })
            .sum()
    }

    proptest! {
        #[test]
        fn filters_equal_the_convolution(
            line in prop::collection::vec(-10.0_f32..10.0, 1..50),
            edge: bool,
        ) {
            let extension = if edge { Extension::Edge } else { Extension::Mirror };
            let n = line.len();
            let exact: Vec<f64> = line.iter().map(|&v| f64::from(v)).collect();
            let expected: Vec<f64> = (-2..n as isize + 2).map(|i| oracle(&exact, extension, i)).collect();
            let mut row = vec![0.0; n + 4];
            RowFilter::default().filter(&line, 0, n, extension, -2, &mut row);
            let stride = 3;
            let mut columns = vec![0.0; (n + 4) * stride];
            for i in 0..n {
                columns[(i + MARGIN) * stride] = line[i];
                columns[(i + MARGIN) * stride + 1] = -line[i];
            }
            filter_columns(&mut columns, n, stride, 2, extension);
            for i in 0..n + 4 {
                prop_assert!((f64::from(row[i]) - expected[i]).abs() < 1e-5, "row {i} of {n}: {} {}", row[i], expected[i]);
                prop_assert!((f64::from(columns[i * stride]) - expected[i]).abs() < 1e-5, "column {i} of {n}");
                prop_assert_eq!(columns[i * stride], -columns[i * stride + 1]);
            }
        }

        #[test]
        fn a_window_with_reach_gives_the_same_coefficients(
            line in prop::collection::vec(-10.0_f32..10.0, 30..80), a in 0usize..30, length in 1usize..30,
        ) {
            let n = line.len();
            let b = (a + length).min(n);
            let (lo, hi) = (a.saturating_sub(REACH), (b + REACH).min(n));
            let mut whole = vec![0.0; n];
            let mut part = vec![0.0; b - a];
            let mut filter = RowFilter::default();
            filter.filter(&line, 0, n, Extension::Mirror, 0, &mut whole);
            filter.filter(&line[lo..hi], lo, n, Extension::Mirror, a as isize, &mut part);
            prop_assert_eq!(&whole[a..b], &part[..]);
        }
    }

    #[test]
    fn weights_partition_six() {
        for t in [0.0, 0.1, 0.5, 0.9, 1.0] {
            let w = weights(t);
            assert!((w.iter().sum::<f32>() - 6.0).abs() < 1e-5);
            assert!((w[0] - (1.0 - t).powi(3)).abs() < 1e-5 && (w[3] - t.powi(3)).abs() < 1e-5);
        }
        assert_eq!(weights(0.0), [1.0, 4.0, 1.0, 0.0]);
    }
}
