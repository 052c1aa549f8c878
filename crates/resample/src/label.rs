//! Label interpolation: each output voxel gets the label with most of the interpolation weight.

use run::{Cancel, Cancelled};

use crate::blocks;
use crate::channel::{tensor, Clip, Lines};
use crate::simd::{dispatch, Kernel};
use crate::taps::{Grid, Pairs};
use crate::Order;

/// Rule by which a label wins a voxel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// Whether more than half of the weight is required, instead of at least half.
    pub(crate) strict: bool,
    /// The label that wins ties and gets the voxels without a winner. If `None`, the largest label wins ties,
    /// and the other voxels become 0.
    pub(crate) unlabelled: Option<i16>,
}

impl Rule {
    fn wins(self, weight: f64) -> bool {
        if self.strict {
            weight > 0.5
        } else {
            weight >= 0.5
        }
    }

    /// Returns the order in which labels overwrite each other.
    fn rank(self, label: i16) -> (bool, i16) {
        (Some(label) == self.unlabelled, label)
    }
}

/// Resizes a C-contiguous volume of labels, with one order and grid per axis. Linear and nearest need no
/// additional memory and no pass per label. Cubic needs four float64 volumes and one pass per label.
pub(crate) fn resize_labels(
    labels: &[i16],
    shape_in: [usize; 3],
    shape_out: [usize; 3],
    axes: [(Order, Grid); 3],
    rule: Rule,
    cancel: &Cancel,
) -> Result<Vec<i16>, Cancelled> {
    let mut out = vec![rule.unlabelled.unwrap_or(0); shape_out.iter().product()];
    if axes.iter().any(|axis| axis.0 == Order::Cubic) {
        let mut present = vec![false; 1 << 16];
        labels
            .iter()
            .for_each(|&label| present[label as u16 as usize] = true);
        let mut present: Vec<i16> = (i16::MIN..=i16::MAX)
            .filter(|&label| present[label as u16 as usize])
            .collect();
        present.sort_by_key(|&label| rule.rank(label));
        for label in present {
            let mask: Vec<f64> = labels.iter().map(|&l| f64::from(u8::from(l == label))).collect();
            let weights = tensor(mask.into(), shape_in, shape_out, axes, Clip::Never, cancel)?;
            blocks::for_each(
                &mut out,
                shape_out,
                cancel,
                |z, ys, out, memory: &mut (Vec<f64>, Lines<f64>)| {
                    let (weight, lines) = memory;
                    weight.resize(out.len(), 0.0);
                    weights.fill(z, ys, weight, lines);
                    for (o, &w) in out.iter_mut().zip(&*weight) {
                        *o = if rule.wins(w) { label } else { *o };
                    }
                },
            )?;
        }
        return Ok(out);
    }
    let pairs = std::array::from_fn(|a| Pairs::new(shape_in[a], shape_out[a], axes[a].0, axes[a].1));
    blocks::for_each(&mut out, shape_out, cancel, |z, ys, out, (): &mut ()| {
        for (y, out) in ys.zip(out.chunks_exact_mut(shape_out[2])) {
            dispatch(Row {
                labels,
                pairs: &pairs,
                rule,
                z,
                y,
                out,
            });
        }
    })?;
    Ok(out)
}

struct Row<'a> {
    labels: &'a [i16],
    pairs: &'a [Pairs; 3],
    rule: Rule,
    z: usize,
    y: usize,
    out: &'a mut [i16],
}

/// Marks a column whose rows have different labels.
const SPLIT: i32 = i32::MAX;

impl Kernel for Row<'_> {
    #[inline(always)]
    fn run(self) {
        let Self {
            labels,
            pairs: [pz, py, px],
            rule,
            z,
            y,
            out,
        } = self;
        let mut rows: [(&[i16], f64); 4] = [(&[], 0.0); 4];
        let mut count = 0;
        for k in 0..pz.count {
            for j in 0..py.count {
                let start = (pz.voxels[z][k] * py.size_in + py.voxels[y][j]) * px.size_in;
                rows[count] = (
                    &labels[start..start + px.size_in],
                    pz.weights[z][k] * py.weights[y][j],
                );
                count += 1;
            }
        }
        let rows = &rows[..count];
        if count == 1 && px.count == 1 {
            out.iter_mut()
                .zip(&px.voxels)
                .for_each(|(o, &[voxel, _])| *o = rows[0].0[voxel]);
            return;
        }
        // Nearly all voxels are inside one label.
        let mut agreed: Vec<i32> = rows[0].0.iter().map(|&label| i32::from(label)).collect();
        for (row, _) in &rows[1..] {
            for (a, &label) in agreed.iter_mut().zip(*row) {
                *a = if *a == i32::from(label) { *a } else { SPLIT };
            }
        }
        for ((o, voxels), weights) in out.iter_mut().zip(&px.voxels).zip(&px.weights) {
            let (first, last) = (agreed[voxels[0]], agreed[voxels[px.count - 1]]);
            *o = if first == last && first != SPLIT {
                first as i16
            } else {
                winner(rows, &voxels[..px.count], weights, rule)
            };
        }
    }
}

/// Decides one voxel with sums in the reference's order, so that ties round as in the reference.
fn winner(rows: &[(&[i16], f64)], voxels: &[usize], weights: &[f64; 2], rule: Rule) -> i16 {
    let mut votes = [(0_i16, 0.0_f64); 8];
    let mut candidates = 0;
    for (row, row_weight) in rows {
        for (&voxel, weight) in voxels.iter().zip(weights) {
            let label = row[voxel];
            let known = votes[..candidates].iter().position(|vote| vote.0 == label);
            let slot = known.unwrap_or(candidates);
            candidates = candidates.max(slot + 1);
            votes[slot] = (label, votes[slot].1 + row_weight * weight);
        }
    }
    let winners = votes[..candidates]
        .iter()
        .filter(|vote| rule.wins(vote.1))
        .map(|vote| vote.0);
    winners
        .max_by_key(|&label| rule.rank(label))
        .or(rule.unlabelled)
        .unwrap_or(0)
}
