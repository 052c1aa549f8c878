//! Interpolation of segmentations.

use serde::{Deserialize, Serialize};

use super::linear::{corner_weights, Neighbours};
use super::map::Row;

/// Interpolation rule of a segmentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "rule")]
pub enum LabelRule {
    /// The label of the nearest voxel, the higher one of two (scipy's order 0).
    Nearest,
    /// Linear interpolation of every label's mask, as in nnU-Net v1: the largest label that reaches one half,
    /// else 0.
    Linear,
    /// Like `Linear`, for sparse annotation: the annotation never grows. A voxel is annotated only if the
    /// nearest voxel is and a label reaches one half against the others and `ignore`.
    Annotated {
        /// The label of unlabelled voxels.
        ignore: i16,
    },
}

/// Interpolates outputs `row.first .. row.end`.
pub(crate) fn interpolate(
    values: &[i16],
    neighbours: &Neighbours,
    row: &Row,
    rule: LabelRule,
    mixed: &mut Vec<u32>,
    out: &mut [i16],
) {
    mixed.clear();
    if neighbours.step[2] == 1 {
        uniform(values, neighbours, mixed, out);
    } else {
        mixed.extend(0..out.len() as u32);
    }
    for &i in mixed.iter() {
        let i = i as usize;
        if rule == LabelRule::Nearest {
            out[i] = values[neighbours.nearest(row, i)];
            continue;
        }
        let labels = neighbours.corners(i).map(|at| values[at]);
        let weights = corner_weights(row, i);
        out[i] = match rule {
            LabelRule::Annotated { ignore } => {
                let unlabelled = labels.iter().zip(&weights).any(|(&l, &w)| l == ignore && w > 0.0);
                if !unlabelled {
                    half(labels, weights).unwrap_or(0)
                } else if values[neighbours.nearest(row, i)] == ignore {
                    ignore
                } else {
                    // If a label and `ignore` tie, the nearest voxel already decided for the label.
                    let last = labels.map(|l| if l == ignore { i16::MIN } else { l });
                    half(last, weights).filter(|&l| l != i16::MIN).unwrap_or(ignore)
                }
            }
            _ => half(labels, weights).unwrap_or(0),
        };
    }
}

/// Writes the label of every output whose eight neighbours agree (most do), and lists the others.
fn uniform(values: &[i16], neighbours: &Neighbours, mixed: &mut Vec<u32>, out: &mut [i16]) {
    let [dz, dy, _] = neighbours.step;
    let span = neighbours.span();
    mixed.resize(out.len(), 0);
    let mut count = 0;
    for ((i, out), &base) in out.iter_mut().enumerate().zip(&neighbours.base) {
        let base = base as usize;
        if base + span >= values.len() {
            continue;
        }
        // Two labels at once: a voxel and its neighbour along x.
        let pair = |at: usize| {
            // SAFETY: `at + 1` is at most `base + span`, checked above to be within `values`.
            unsafe { values.as_ptr().add(base + at).cast::<u32>().read_unaligned() }
        };
        let first = pair(0);
        let differ = (first ^ pair(dy))
            | (first ^ pair(dz))
            | (first ^ pair(dz + dy))
            | (first ^ first.rotate_left(16));
        *out = first as i16;
        mixed[count] = i as u32;
        count += usize::from(differ != 0);
    }
    mixed.truncate(count);
}

/// The largest label whose neighbours have a total weight of at least one half.
fn half(labels: [i16; 8], weights: [f64; 8]) -> Option<i16> {
    // Nearly every mixed neighbourhood has two labels.
    let a = labels[0];
    let b = labels.into_iter().find(|&l| l != a).unwrap_or(a);
    if labels.iter().all(|&l| l == a || l == b) {
        let (mut of_a, mut of_b) = (0.0, 0.0);
        for k in 0..8 {
            of_a += if labels[k] == a { weights[k] } else { 0.0 };
            of_b += if labels[k] == b { weights[k] } else { 0.0 };
        }
        return match (of_a >= 0.5, of_b >= 0.5) {
            (true, true) => Some(a.max(b)),
            (true, false) => Some(a),
            (false, true) => Some(b),
            (false, false) => None,
        };
    }
    let weight = |label: i16| {
        labels
            .iter()
            .zip(weights)
            .filter(|(&l, _)| l == label)
            .map(|(_, w)| w)
            .sum::<f64>()
    };
    labels.into_iter().filter(|&label| weight(label) >= 0.5).max()
}
