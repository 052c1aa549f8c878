//! Compares the spatial transform with a plain, slow one: f64, voxel by voxel, from the definitions.

use augment::spatial::ElasticParams;
use augment::{apply_spatial, Block, LabelRule, Sample, SpatialParams, SpatialRules};
use proptest::prelude::*;
use random::{Purpose, Rng};

/// Cubic B-spline coefficients of a mirrored volume, by convolution with the inverse's impulse response.
fn coefficients(values: &[f32], size: [usize; 3], axes: std::ops::Range<usize>) -> Vec<f64> {
    let pole = 3.0_f64.sqrt() - 2.0;
    let mut volume: Vec<f64> = values.iter().map(|&v| f64::from(v)).collect();
    for axis in axes {
        let stride: usize = size[axis + 1..].iter().product();
        let n = size[axis];
        let before = volume.clone();
        for i in 0..volume.len() {
            let at = i / stride % n;
            let start = i - at * stride;
            volume[i] = (-40..=40_isize)
                .map(|k| {
                    let gain = -6.0 * pole / (1.0 - pole * pole) * pole.powi(k.unsigned_abs() as i32);
                    gain * before[start + mirror(at as isize + k, n) * stride]
                })
                .sum();
        }
    }
    volume
}

fn mirror(i: isize, n: usize) -> usize {
    if n == 1 {
        return 0;
    }
    let phase = i.rem_euclid(2 * n as isize - 2) as usize;
    phase.min(2 * n - 2 - phase)
}

fn cubic(distance: f64) -> f64 {
    let d = distance.abs();
    if d < 1.0 {
        2.0 / 3.0 - d * d + d * d * d / 2.0
    } else if d < 2.0 {
        (2.0 - d).powi(3) / 6.0
    } else {
        0.0
    }
}

fn linear(distance: f64) -> f64 {
    (1.0 - distance.abs()).max(0.0)
}

/// Sum over voxels around `at` of weight times value.
fn sum(
    at: [f64; 3],
    size: [usize; 3],
    kernel: [fn(f64) -> f64; 3],
    mut value: impl FnMut(usize) -> f64,
) -> f64 {
    let mut total = 0.0;
    let low = at.map(|a| a.floor() as isize - 1);
    for z in low[0]..low[0] + 4 {
        for y in low[1]..low[1] + 4 {
            for x in low[2]..low[2] + 4 {
                let i = [z, y, x];
                let weight: f64 = (0..3).map(|a| kernel[a](at[a] - i[a] as f64)).product();
                if weight != 0.0 {
                    let [z, y, x]: [usize; 3] = std::array::from_fn(|a| mirror(i[a], size[a]));
                    total += weight * value((z * size[1] + y) * size[2] + x);
                }
            }
        }
    }
    total
}

fn coordinates(params: &SpatialParams, rules: &SpatialRules, center: [f64; 3], i: [usize; 3]) -> [f64; 3] {
    let c: [f64; 3] = std::array::from_fn(|a| i[a] as f64 - (rules.patch[a] as f64 - 1.0) / 2.0);
    let [p, q, r] = params.rotation.unwrap_or([0.0; 3]);
    let (q, r) = if rules.planar { (0.0, 0.0) } else { (q, r) };
    // Row vector times Rx, Ry, Rz, one after the other.
    let [z, y, x] = c;
    let (y, x) = (y * p.cos() + x * p.sin(), x * p.cos() - y * p.sin());
    let (z, x) = (z * q.cos() - x * q.sin(), z * q.sin() + x * q.cos());
    let (z, y) = (z * r.cos() + y * r.sin(), y * r.cos() - z * r.sin());
    let scale = params.scale.unwrap_or([1.0; 3]);
    let turned = [z, y, x];
    let at = std::array::from_fn(|a| turned[a] * scale[a] + center[a]);
    if rules.planar {
        [i[0] as f64, at[1], at[2]]
    } else {
        at
    }
}

#[derive(Clone, Debug)]
struct Scene {
    sample: Sample,
    params: SpatialParams,
    rules: SpatialRules,
    center: [f64; 3],
}

/// Longest axes of an image and of a patch, plus 1. Miri is slow.
const LONGEST: [usize; 2] = if cfg!(miri) { [6, 5] } else { [14, 12] };

fn scenes() -> impl Strategy<Value = Scene> {
    let geometry = (
        prop::array::uniform3(1..LONGEST[0]),
        prop::array::uniform3(1..LONGEST[1]),
        any::<bool>(),
    );
    let params = (
        prop::option::of(prop::array::uniform3(-3.1_f64..3.1)),
        prop::option::of(prop::array::uniform3(0.5_f64..1.6)),
        prop::array::uniform3(-2.0_f64..2.0),
    );
    (geometry, params, any::<u64>()).prop_filter_map(
        "a transform must be drawn",
        |((full, mut patch, planar), (rotation, scale, shift), seed)| {
            if rotation.is_none() && scale.is_none() {
                return None;
            }
            if planar {
                patch[0] = full[0];
            }
            let mut rng = Rng::keyed(seed, Purpose::TrainingCase, 0, 0, 0);
            let mut next = move || rng.unit() as f32;
            let mut data = Block::new([2, full[0], full[1], full[2]]);
            data.values_mut().iter_mut().for_each(|v| *v = 4.0 * next() - 2.0);
            let mut seg = Block::new([1, full[0], full[1], full[2]]);
            seg.values_mut()
                .iter_mut()
                .for_each(|v| *v = (4.0 * next()) as i16 - 1);
            let mut map = Block::new([1, full[0], full[1], full[2]]);
            map.values_mut().iter_mut().for_each(|v| *v = 10.0 * next());
            let rules = SpatialRules {
                patch,
                planar,
                labels: LabelRule::Linear,
                outside: 0,
                padding: 0,
                between_voxels: false,
            };
            let center = std::array::from_fn(|a| {
                (full[a] as f64 - 1.0) / 2.0 + if planar && a == 0 { 0.0 } else { shift[a] }
            });
            let params = SpatialParams {
                rotation,
                scale,
                elastic: None,
            };
            Some(Scene {
                sample: Sample::whole(data, seg, Some(map)),
                params,
                rules,
                center,
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 300 }))]

    #[test]
    fn volumes_and_slices(scene in scenes()) {
        let Scene { sample, params, rules, center } = &scene;
        let mut out = Sample::default();
        apply_spatial(params, Some(*center), rules, sample, &mut out).expect("apply");
        let size = sample.full;
        let axes = usize::from(rules.planar)..3;
        let near: fn(f64) -> f64 = |d| f64::from(u8::from(d.abs() < 0.5));
        let across = |kernel: fn(f64) -> f64| [if rules.planar { near } else { kernel }, kernel, kernel];
        let fields: Vec<Vec<f64>> = (0..2).map(|c| coefficients(sample.data.channel(c), size, axes.clone())).collect();
        let seg = sample.seg.values();
        let map = sample.weightmap.as_ref().expect("map").values();
        let voxels: usize = rules.patch.iter().product();
        for v in 0..voxels {
            let i = [v / (rules.patch[1] * rules.patch[2]), v / rules.patch[2] % rules.patch[1], v % rules.patch[2]];
            let at = coordinates(params, rules, *center, i);
            // For a voxel exactly on the border, rounding decides whether it is inside.
            let edge = |a: usize| at[a].abs() < 1e-9 || (at[a] - (size[a] - 1) as f64).abs() < 1e-9;
            if axes.clone().any(edge) {
                continue;
            }
            let inside = axes.clone().all(|a| (0.0..=(size[a] - 1) as f64).contains(&at[a]));
            for c in 0..2 {
                let expected = if inside { sum(at, size, across(cubic), |k| fields[c][k]) } else { 0.0 };
                let found = f64::from(out.data.channel(c)[v]);
                prop_assert!((found - expected).abs() < 5e-5, "data {c} at {i:?} ({at:?}): {found}, expected {expected}");
            }
            let expected = if inside { sum(at, size, across(linear), |k| f64::from(map[k])) } else { 0.0 };
            let found = f64::from(out.weightmap.as_ref().expect("map").values()[v]);
            prop_assert!((found - expected).abs() < 5e-5, "weight at {i:?} ({at:?}): {found}, expected {expected}");
            let weight = |label: i16| sum(at, size, across(linear), |k| f64::from(u8::from(seg[k] == label)));
            let weights: Vec<(i16, f64)> = (-1..3).map(|label| (label, weight(label))).collect();
            if weights.iter().all(|(_, w)| (w - 0.5).abs() > 1e-6) {
                let winner = weights.iter().rev().find(|(_, w)| *w > 0.5).map_or(0, |(label, _)| *label);
                prop_assert_eq!(out.seg.values()[v], if inside { winner } else { 0 }, "label at {:?} ({:?})", i, at);
            }
        }
    }

    /// A loader may load only the window that a draw reads; the output is identical.
    #[test]
    fn the_window_of_a_draw_gives_the_same_bytes(scene in scenes(), elastic in prop::option::of(0.0_f64..30.0)) {
        let Scene { sample, mut params, rules, center } = scene;
        params.elastic = elastic.map(|alpha| ElasticParams { alpha, sigma: 2.0, key: [5, 6] });
        let mut whole = Sample::default();
        apply_spatial(&params, Some(center), &rules, &sample, &mut whole).expect("apply");
        let window = rules.window(&params, sample.full, Some(center));
        let mut cut = Sample { start: window.clone().map(|r| r.start), full: sample.full, ..Sample::default() };
        cut.data = take(&sample.data, &window);
        cut.seg = take(&sample.seg, &window);
        cut.weightmap = sample.weightmap.as_ref().map(|map| take(map, &window));
        let mut part = Sample::default();
        apply_spatial(&params, Some(center), &rules, &cut, &mut part).expect("apply");
        prop_assert_eq!(&whole, &part);
        // A window smaller by one voxel is rejected.
        if let Some(axis) = (0..3).find(|&a| window[a].len() > 1) {
            let mut less = window.clone();
            less[axis].end -= 1;
            cut.data = take(&sample.data, &less);
            cut.seg = take(&sample.seg, &less);
            cut.weightmap = sample.weightmap.as_ref().map(|map| take(map, &less));
            prop_assert!(apply_spatial(&params, Some(center), &rules, &cut, &mut part).is_err());
        }
    }
}

fn take<T: Copy + Default>(block: &Block<T>, window: &[std::ops::Range<usize>; 3]) -> Block<T> {
    let [_, ny, nx] = block.size();
    let mut values = Vec::new();
    for c in 0..block.shape()[0] {
        for z in window[0].clone() {
            for y in window[1].clone() {
                let row = (z * ny + y) * nx;
                values.extend_from_slice(&block.channel(c)[row + window[2].start..row + window[2].end]);
            }
        }
    }
    let mut out = Block::new([
        block.shape()[0],
        window[0].len(),
        window[1].len(),
        window[2].len(),
    ]);
    out.values_mut().copy_from_slice(&values);
    out
}

#[test]
fn elastic_deformation_moves_by_the_smoothed_field() {
    // A ramp along x shows the position at which each voxel was read.
    let full = [24, 24, 40];
    let mut data = Block::new([3, 24, 24, 40]);
    for (i, v) in data.values_mut().iter_mut().enumerate() {
        let (c, at) = (i / (24 * 24 * 40), i % (24 * 24 * 40));
        *v = [at / (24 * 40), at / 40 % 24, at % 40][c] as f32;
    }
    let sample = Sample::whole(data, Block::new([1, 24, 24, 40]), None);
    let rules = SpatialRules {
        patch: [8, 8, 16],
        planar: false,
        labels: LabelRule::Linear,
        outside: 0,
        padding: 0,
        between_voxels: false,
    };
    let offsets = |alpha: f64, key: [u32; 2]| -> Vec<f64> {
        let params = SpatialParams {
            elastic: Some(ElasticParams {
                alpha,
                sigma: 1.5,
                key,
            }),
            ..SpatialParams::default()
        };
        let mut out = Sample::default();
        apply_spatial(&params, None, &rules, &sample, &mut out).expect("apply");
        let at = |i: usize| [i / 128, i / 16 % 8, i % 16];
        (0..3)
            .flat_map(|c| {
                let middle = (full[c] as f64 - rules.patch[c] as f64) / 2.0;
                out.data
                    .channel(c)
                    .iter()
                    .enumerate()
                    .map(move |(i, &v)| f64::from(v) - at(i)[c] as f64 - middle)
                    .collect::<Vec<_>>()
            })
            .collect()
    };
    // Cubic interpolation of a ramp is exact away from the mirrored border.
    let (small, large) = (offsets(5.0, [1, 2]), offsets(10.0, [1, 2]));
    let spread = (small.iter().map(|o| o * o).sum::<f64>() / small.len() as f64).sqrt();
    // Uniform noise in [-1, 1] has variance 1/3; smoothing by sigma divides it by (2 sqrt(pi) sigma) per
    // axis.
    let expected = 5.0 * (1.0_f64 / 3.0).sqrt() * (2.0 * std::f64::consts::PI.sqrt() * 1.5).powf(-1.5);
    assert!(
        (spread / expected - 1.0).abs() < 0.25,
        "{spread}, expected about {expected}"
    );
    for (a, b) in small.iter().zip(&large) {
        assert!((2.0 * a - b).abs() < 2e-3, "{a} {b}");
    }
    assert_ne!(small, offsets(5.0, [1, 3]));
}
