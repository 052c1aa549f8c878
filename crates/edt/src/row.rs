//! The minimum of parabolas along x: lanes are neighbouring voxels of one row.

use crate::envelope::Envelope;
use crate::grid::Axis;
use crate::lane::{any_above, relax, Lane};

/// Rows with at most this many finite values are transformed value by value.
const FEW: usize = 16;
/// Average steps outwards per lane before the lower envelope replaces the search.
const BUDGET: usize = 256;
/// Steps between two checks whether any lane can still improve.
const STRIDE: usize = 4;

/// A row with padding on both sides, and the buffers to transform it.
pub(crate) struct Row<L> {
    padded: Vec<L>,
    pad: usize,
    len: usize,
    /// `steps[|i - len|]`: the steps around a single value are one contiguous read.
    mirror: Vec<L>,
    few: Vec<usize>,
    envelope: Envelope,
}

impl<L: Lane> Row<L> {
    pub(crate) fn new<const W: usize>(axis: &Axis<L>) -> Self {
        let len = axis.steps.len();
        let pad = axis.limit;
        let mirror = (0..2 * len + W)
            .map(|i| axis.steps.get(i.abs_diff(len)).copied().unwrap_or(L::FAR))
            .collect();
        Self {
            padded: vec![L::FAR; 2 * pad + len + W],
            pad,
            len,
            mirror,
            few: Vec::with_capacity(FEW),
            envelope: Envelope::default(),
        }
    }

    /// Values of the row, to fill before [`Row::run`].
    #[inline(always)]
    pub(crate) fn values(&mut self) -> &mut [L] {
        &mut self.padded[self.pad..self.pad + self.len]
    }

    /// Writes the minimum of parabolas to `out`, which has the length of the row.
    #[inline(always)]
    pub(crate) fn run<const W: usize>(&mut self, axis: &Axis<L>, out: &mut [L]) {
        let finite = self
            .values()
            .iter()
            .map(|&v| usize::from(v < L::FAR))
            .sum::<usize>();
        if finite == 0 {
            out.fill(L::FAR);
        } else if finite <= FEW {
            self.run_few::<W>(out);
        } else if !self.run_outwards::<W>(axis, out) {
            let line = &self.padded[self.pad..self.pad + self.len];
            self.envelope.run(line, &axis.steps, axis.s2, out);
        }
    }

    #[inline(always)]
    fn run_few<const W: usize>(&mut self, out: &mut [L]) {
        let Self {
            padded,
            pad,
            len,
            mirror,
            few,
            ..
        } = self;
        let line = &padded[*pad..*pad + *len];
        few.clear();
        few.extend((0..*len).filter(|&x| line[x] < L::FAR));
        for (chunk, out) in out.chunks_mut(W).enumerate() {
            let mut best = [L::FAR; W];
            for &x in few.iter() {
                relax(&mut best, &mirror[*len + chunk * W - x..], line[x]);
            }
            out.copy_from_slice(&best[..out.len()]);
        }
    }

    /// Returns false if the budget of steps is exhausted.
    #[inline(always)]
    fn run_outwards<const W: usize>(&mut self, axis: &Axis<L>, out: &mut [L]) -> bool {
        let mut budget = BUDGET * self.len.div_ceil(W);
        for (chunk, out) in out.chunks_mut(W).enumerate() {
            let start = self.pad + chunk * W;
            let mut best = [L::ZERO; W];
            best[..out.len()].copy_from_slice(&self.padded[start..start + out.len()]);
            let mut k = 1;
            while k < axis.limit && any_above(&best, axis.steps[k]) {
                let end = (k + STRIDE).min(axis.limit);
                for k in k..end {
                    relax(&mut best, &self.padded[start - k..], axis.steps[k]);
                    relax(&mut best, &self.padded[start + k..], axis.steps[k]);
                }
                if budget < end - k {
                    return false;
                }
                budget -= end - k;
                k = end;
            }
            out.copy_from_slice(&best[..out.len()]);
        }
        true
    }
}
