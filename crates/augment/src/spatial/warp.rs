//! Interpolation of a whole sample.

use std::ops::Range;

use super::coefficients::{support, taps, Coefficients, Window};
use super::cubic::{interpolate_slice, interpolate_volume, Taps};
use super::elastic::Displacement;
use super::labels::{self, LabelRule};
use super::linear::{self, Neighbours};
use super::map::{Map, Row};
use super::output::Output;
use super::params::SpatialParams;
use super::rules::SpatialRules;
use crate::sample::{Block, Sample};
use crate::separable::{resample, Axis};
use crate::spline::{Extension, REACH};

/// Workspace of the spatial transform.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    row: Row,
    taps: Taps,
    neighbours: Neighbours,
    coefficients: Coefficients,
    field: Displacement,
    mixed: Vec<u32>,
    axes: [Axis; 3],
    resample: crate::separable::Scratch,
}

fn window<'a, T: Copy + Default>(sample: &Sample, block: &'a Block<T>, channel: usize) -> Window<'a, T> {
    Window {
        values: block.channel(channel),
        size: block.size(),
        start: sample.start,
    }
}

/// Resamples if every output axis depends only on its own input axis.
pub(super) fn straight(
    map: &Map,
    rules: &SpatialRules,
    sample: &Sample,
    out: &mut Output<'_>,
    scratch: &mut Scratch,
) {
    let voxels: usize = rules.patch.iter().product();
    let [_, height, width] = rules.patch;
    // First and last output inside the loaded patch, and the samples they read.
    let mut first = [0; 3];
    let mut start = [0; 3];
    let mut empty = false;
    for axis in 0..3 {
        let n = sample.full[axis];
        if rules.planar && axis == 0 {
            scratch.axes[0].pass(n);
            continue;
        }
        let at = |i: usize| map.straight(axis, i);
        let inside = |i: &usize| (0.0..=(n - 1) as f64).contains(&at(*i));
        let range = (0..rules.patch[axis])
            .find(inside)
            .zip((0..rules.patch[axis]).rfind(inside));
        let Some((low, high)) = range else {
            empty = true;
            break;
        };
        let read = support(&taps([at(low), at(high)]), n);
        (first[axis], start[axis]) = (low, read.start);
        let positions = (low..=high).map(|i| at(i) - read.start as f64);
        scratch.axes[axis].sample(read.len(), Extension::Mirror, positions);
    }
    let outputs: [usize; 3] = std::array::from_fn(|axis| scratch.axes[axis].outputs());
    for (c, to) in out.data.chunks_exact_mut(voxels).enumerate() {
        if empty || outputs != rules.patch {
            to.fill(0.0);
        }
        if empty {
            continue;
        }
        let source = window(sample, &sample.data, c);
        let [z0, y0, x0] = std::array::from_fn(|axis| start[axis] - source.start[axis]);
        resample(
            &scratch.axes,
            |z, y, row| {
                let from = ((z0 + z) * source.size[1] + y0 + y) * source.size[2] + x0;
                row.copy_from_slice(&source.values[from..from + row.len()]);
            },
            |z, y, row| {
                let at = ((first[0] + z) * height + first[1] + y) * width + first[2];
                to[at..at + row.len()].copy_from_slice(row);
            },
            &mut scratch.resample,
        );
    }
    for y in 0..height {
        for z in 0..if rules.planar { 1 } else { rules.patch[0] } {
            map.row(z, y, 0..width, None, &mut scratch.row);
            others(rules, sample, [z, y, 0], out, scratch);
        }
    }
}

/// Maximum size of a box of coefficients in [`free`].
pub(crate) fn largest_box(rules: &SpatialRules, full: [usize; 3], scale: f64, reach: f64) -> [usize; 3] {
    if rules.planar {
        return [full[0], full[1] + 3, full[2] + 3];
    }
    // A block in any rotation spans at most its diagonal. Taps and rounding add five voxels, the recursion
    // along z its reach.
    let diagonal = rules
        .patch
        .map(|n| (n.min(BLOCK) as f64 + 2.0 * reach).powi(2))
        .iter()
        .sum::<f64>()
        .sqrt();
    let span = |more: usize| (diagonal * scale) as usize + 5 + more;
    [
        span(2 * REACH).min(full[0] + 3),
        span(0).min(full[1] + 3),
        span(0).min(full[2] + 3),
    ]
}

/// Edge length of the blocks of a volume. The coefficients of a block fit into the cache.
const BLOCK: usize = 64;

/// Interpolates at arbitrary coordinates.
pub(super) fn free(
    map: &Map,
    params: &SpatialParams,
    rules: &SpatialRules,
    sample: &Sample,
    out: &mut Output<'_>,
    scratch: &mut Scratch,
) {
    let patch = rules.patch;
    if let Some(elastic) = &params.elastic {
        scratch.field.fill(elastic, rules.planar, patch);
    }
    let reach = if params.elastic.is_some() {
        scratch.field.reach
    } else {
        0.0
    };
    // Slices are small, so the same row of all slices is interpolated at once.
    let edge = |axis: usize| if rules.planar { patch[axis] } else { BLOCK };
    let blocks = |axis: usize| {
        (0..patch[axis])
            .step_by(edge(axis))
            .map(move |start| start..(start + edge(axis)).min(patch[axis]))
    };
    for z in blocks(0) {
        for y in blocks(1) {
            for x in blocks(2) {
                let block = [z.clone(), y.clone(), x];
                free_block(
                    map,
                    &block,
                    params.elastic.is_some().then_some(reach),
                    rules,
                    sample,
                    out,
                    scratch,
                );
            }
        }
    }
}

/// [`free`] for one block of outputs.
fn free_block(
    map: &Map,
    block: &[Range<usize>; 3],
    reach: Option<f64>,
    rules: &SpatialRules,
    sample: &Sample,
    out: &mut Output<'_>,
    scratch: &mut Scratch,
) {
    let [_, height, width] = rules.patch;
    let voxels: usize = rules.patch.iter().product();
    let bounds = map.bounds(block, reach.unwrap_or(0.0));
    let channels = out.data.len() / voxels;
    let [zs, ys, xs] = block.clone();
    for c in 0..channels.max(1) {
        // Labels exist even without an image.
        let image = c < channels;
        if let Some(bounds) = bounds.filter(|_| image) {
            let source = window(sample, &sample.data, c);
            scratch
                .coefficients
                .fill(source, sample.full, bounds, rules.planar);
        }
        for z in if rules.planar { 0..1 } else { zs.clone() } {
            for y in ys.clone() {
                let field = reach.is_some().then_some(&scratch.field);
                map.row(z, y, xs.clone(), field, &mut scratch.row);
                if c == 0 {
                    others(rules, sample, [z, y, xs.start], out, scratch);
                }
                if !image {
                    continue;
                }
                let Scratch {
                    row,
                    taps,
                    coefficients,
                    ..
                } = scratch;
                taps.locate(row, coefficients, rules.planar);
                for slice in if rules.planar { zs.clone() } else { z..z + 1 } {
                    let at = c * voxels + (slice * height + y) * width + xs.start;
                    let to = &mut out.data[at..at + xs.len()];
                    let inner = &mut to[row.first..row.end];
                    if rules.planar {
                        interpolate_slice(coefficients, slice, taps, inner);
                    } else {
                        interpolate_volume(coefficients, taps, inner);
                    }
                    outside(to, row, 0.0);
                }
            }
        }
    }
}

/// Segmentation, weights and mask of the outputs from `at` on with coordinates in `scratch.row`; for planar
/// patches in every slice.
fn others(
    rules: &SpatialRules,
    sample: &Sample,
    at: [usize; 3],
    out: &mut Output<'_>,
    scratch: &mut Scratch,
) {
    let [depth, ny, nx] = sample.seg.size();
    let [_, height, width] = rules.patch;
    let Scratch {
        row,
        neighbours,
        mixed,
        ..
    } = scratch;
    let slices = if rules.planar { depth } else { 1 };
    let area = if rules.planar { ny * nx } else { depth * ny * nx };
    neighbours.locate(
        row,
        if rules.planar {
            [1, ny, nx]
        } else {
            [depth, ny, nx]
        },
        sample.start,
    );
    for slice in 0..slices {
        let place = ((at[0] + slice) * height + at[1]) * width + at[2];
        row_of_others(
            rules,
            sample,
            slice * area..(slice + 1) * area,
            place,
            row,
            neighbours,
            mixed,
            out,
        );
    }
}

fn row_of_others(
    rules: &SpatialRules,
    sample: &Sample,
    source: Range<usize>,
    place: usize,
    row: &Row,
    neighbours: &Neighbours,
    mixed: &mut Vec<u32>,
    out: &mut Output<'_>,
) {
    let patch: usize = rules.patch.iter().product();
    let width = row.inside.len();
    for c in 0..sample.seg.shape()[0] {
        let (rule, value) = if c == 0 {
            (rules.labels, rules.outside)
        } else {
            (LabelRule::Linear, 0)
        };
        let to = &mut out.seg[c * patch + place..][..width];
        let from = &sample.seg.channel(c)[source.clone()];
        labels::interpolate(from, neighbours, row, rule, mixed, &mut to[row.first..row.end]);
        outside(to, row, value);
    }
    if let (Some(map), Some(to)) = (&sample.weightmap, &mut out.weightmap) {
        let to = &mut to[place..place + width];
        linear::interpolate(
            &map.channel(0)[source.clone()],
            neighbours,
            row,
            &mut to[row.first..row.end],
        );
        outside(to, row, 0.0);
    }
    if let Some(empty) = &mut out.empty {
        let channels = empty.channels;
        let cut = |at: usize| {
            let mut values = channels.iter().enumerate().filter(|(_, cut)| **cut);
            values.all(|(c, _)| sample.data.channel(c)[at] == 0.0)
        };
        let to = &mut empty.voxels[place..place + width];
        for (i, e) in to[row.first..row.end].iter_mut().enumerate() {
            *e = u8::from(cut(source.start + neighbours.nearest(row, i)));
        }
        outside(to, row, 1);
    }
}

/// Writes `value` where the row is outside the loaded patch.
fn outside<T: Copy>(to: &mut [T], row: &Row, value: T) {
    to[..row.first].fill(value);
    to[row.end..].fill(value);
    // Displaced rows may leave the loaded patch and re-enter it.
    if row.holes {
        for (t, inside) in to.iter_mut().zip(&row.inside) {
            *t = if *inside == 1 { *t } else { value };
        }
    }
}
