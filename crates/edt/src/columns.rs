//! Last sweep: the minimum of parabolas along z, for a group of contiguous columns at once.

use ndarray::ArrayViewMut2;

use crate::envelope::Envelope;
use crate::grid::{Axis, Grid};
use crate::lane::{any_above, relax, Lane, CHUNK};
use crate::simd::Kernel;

/// Average steps outwards per row of lanes before the lower envelope replaces the search.
const BUDGET: usize = 512;
/// Steps to one side between two checks whether any lane can still improve.
const STRIDE: usize = 4;

/// Buffers of one thread for [`Columns`]: `W` columns and their results.
pub(crate) struct Scratch<L> {
    tile: Vec<L>,
    out: Vec<L>,
    /// Rows with at least one value below [`Lane::FAR`].
    rows: Vec<usize>,
    envelope: Envelope,
}

impl<L: Lane> Scratch<L> {
    pub(crate) fn new<const W: usize>(n: usize) -> Self {
        Self {
            tile: vec![L::ZERO; n * W],
            out: vec![L::ZERO; n * W],
            rows: Vec::with_capacity(n),
            envelope: Envelope::default(),
        }
    }
}

/// The last sweep over the columns of at most one chunk. Returns whether a value remains [`Lane::FAR`].
pub(crate) struct Columns<'a, L, const W: usize> {
    pub(crate) grid: &'a Grid<L>,
    pub(crate) scratch: &'a mut Scratch<L>,
    /// Factor of squared distances on output.
    pub(crate) scale: f64,
    /// (z, at most [`CHUNK`] columns): intermediate layout on input, final float32 on return.
    pub(crate) chunk: ArrayViewMut2<'a, f32>,
}

impl<L: Lane, const W: usize> Kernel for Columns<'_, L, W> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let Self {
            grid,
            scratch,
            scale,
            mut chunk,
        } = self;
        let width = chunk.ncols().min(CHUNK);
        let mut far = false;
        // Chunks are wider than the lanes only if the intermediate layout is the final one.
        for start in (0..width).step_by(W) {
            let lanes = W.min(width - start);
            for (row, tile) in chunk.rows_mut().into_iter().zip(scratch.tile.chunks_exact_mut(W)) {
                // Lanes past the edge are sites, so that they never prolong a search.
                tile[lanes..].fill(L::ZERO);
                if let Some(row) = row.into_slice() {
                    L::load(row, start, &mut tile[..lanes]);
                }
            }
            scratch.list_rows::<W>();
            if !scratch.run_outwards::<W>(&grid.z) {
                scratch.run_envelopes::<W>(&grid.z);
            }
            grid.clamp(&mut scratch.out);
            for (row, out) in chunk.rows_mut().into_iter().zip(scratch.out.chunks_exact(W)) {
                if let Some(row) = row.into_slice() {
                    far |= finish(&mut row[start..start + lanes], &out[..lanes], scale);
                }
            }
        }
        far
    }
}

/// Writes results multiplied by `scale`. Returns whether one is [`Lane::FAR`].
#[inline(always)]
fn finish<L: Lane>(row: &mut [f32], out: &[L], scale: f64) -> bool {
    let mut far = false;
    if scale == 1.0 {
        for (value, &out) in row.iter_mut().zip(out) {
            far |= !L::FAR.above(out);
            *value = out.to_f32();
        }
    } else {
        for (value, &out) in row.iter_mut().zip(out) {
            far |= !L::FAR.above(out);
            *value = (f64::from(out.to_f32()) * scale) as f32;
        }
    }
    far
}

impl<L: Lane> Scratch<L> {
    /// Lists the rows with at least one value below [`Lane::FAR`].
    #[inline(always)]
    fn list_rows<const W: usize>(&mut self) {
        self.rows.clear();
        for (i, row) in self.tile.chunks_exact(W).enumerate() {
            let mut finite = false;
            for &value in row {
                finite |= L::FAR.above(value);
            }
            if finite {
                self.rows.push(i);
            }
        }
    }

    /// Returns false if the budget of steps is exhausted.
    #[inline(always)]
    fn run_outwards<const W: usize>(&mut self, axis: &Axis<L>) -> bool {
        let Self { tile, out, rows, .. } = self;
        let mut budget = BUDGET * axis.steps.len();
        let mut split = 0;
        for (i, (own, out)) in tile.chunks_exact(W).zip(out.chunks_exact_mut(W)).enumerate() {
            let mut best = [L::ZERO; W];
            best.copy_from_slice(own);
            // Rows before and after this one that remain to be searched.
            while split < rows.len() && rows[split] < i {
                split += 1;
            }
            let (mut before, mut after) = (&rows[..split], &rows[split..]);
            if after.first() == Some(&i) {
                after = &after[1..];
            }
            loop {
                let mut steps = 0;
                if let Some(&row) = before.last() {
                    let near;
                    (before, near) = before.split_at(before.len().saturating_sub(STRIDE));
                    if i - row < axis.limit && any_above(&best, axis.steps[i - row]) {
                        near.iter()
                            .for_each(|row| relax(&mut best, &tile[row * W..], axis.steps[i - row]));
                        steps += near.len();
                    } else {
                        before = &[];
                    }
                }
                if let Some(&row) = after.first() {
                    let near;
                    (near, after) = after.split_at(after.len().min(STRIDE));
                    if row - i < axis.limit && any_above(&best, axis.steps[row - i]) {
                        near.iter()
                            .for_each(|row| relax(&mut best, &tile[row * W..], axis.steps[row - i]));
                        steps += near.len();
                    } else {
                        after = &[];
                    }
                }
                if steps == 0 {
                    break;
                }
                if budget < steps {
                    return false;
                }
                budget -= steps;
            }
            out.copy_from_slice(&best);
        }
        true
    }

    fn run_envelopes<const W: usize>(&mut self, axis: &Axis<L>) {
        let n = axis.steps.len();
        let (mut line, mut out) = (vec![L::FAR; n], vec![L::FAR; n]);
        for lane in 0..W {
            for i in 0..n {
                line[i] = self.tile[i * W + lane];
            }
            self.envelope.run(&line, &axis.steps, axis.s2, &mut out);
            for i in 0..n {
                self.out[i * W + lane] = out[i];
            }
        }
    }
}
