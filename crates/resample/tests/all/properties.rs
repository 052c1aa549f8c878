//! Every algorithm compared with a direct evaluation, and properties that hold for any input.
#![expect(clippy::unwrap_used, reason = "test support")]

use std::ops::Range;
use std::sync::Mutex;

use ndarray::{s, Array3, Array4, ArrayView3, Axis};
use proptest::prelude::*;
use random::{Purpose, Rng};
use resample::*;
use run::Cancel;

const ORDERS: [Order; 3] = [Order::Nearest, Order::Linear, Order::Cubic];

fn shape(largest: usize) -> impl Strategy<Value = [usize; 3]> {
    // Miri is slow.
    let largest = if cfg!(miri) { largest.min(4) } else { largest };
    [1..=largest, 1..=largest, 1..=largest]
}

/// Reproducible noise in -1..1.
fn noise(shape: [usize; 3], seed: u64) -> Array3<f64> {
    let mut rng = Rng::keyed(seed, Purpose::TrainingCase, 0, 0, 0);
    Array3::from_shape_simple_fn(shape, || rng.uniform(-1.0, 1.0))
}

/// Solves the tridiagonal system of B-spline coefficients for samples with `pad` edge values on both sides.
fn solve(samples: &[f64], pad: usize) -> Vec<f64> {
    let n = samples.len();
    let padded: Vec<f64> = (0..n + 2 * pad)
        .map(|i| samples[i.saturating_sub(pad).min(n - 1)])
        .collect();
    let m = padded.len();
    // Far outside, coefficients equal the constant samples: rows 5 c[0] + c[1] and c[m-2] + 5 c[m-1].
    let diagonal = |i: usize| if i == 0 || i == m - 1 { 5.0 } else { 4.0 };
    let (mut upper, mut right) = (vec![0.0; m], vec![0.0; m]);
    for i in 0..m {
        let (before, value) = if i > 0 {
            (upper[i - 1], right[i - 1])
        } else {
            (0.0, 0.0)
        };
        let pivot = diagonal(i) - before;
        upper[i] = 1.0 / pivot;
        right[i] = (6.0 * padded[i] - value) / pivot;
    }
    for i in (0..m - 1).rev() {
        right[i] -= upper[i] * right[i + 1];
    }
    right
}

fn kernel(order: Order, t: f64) -> f64 {
    let t = t.abs();
    match order {
        Order::Nearest => f64::from(u8::from(t <= 0.5)),
        Order::Linear => (1.0 - t).max(0.0),
        Order::Cubic if t < 1.0 => 2.0 / 3.0 - t * t + t * t * t / 2.0,
        Order::Cubic => (2.0 - t).max(0.0).powi(3) / 6.0,
    }
}

/// Returns the clipped sum of kernel products over all voxels of an edge-padded volume.
fn direct(volume: &Array3<f64>, to: [usize; 3], order: Order) -> Array3<f64> {
    const PAD: usize = 30;
    let mut padded = volume.clone();
    for axis in 0..3 {
        let lines: Vec<Vec<f64>> = padded
            .lanes(Axis(axis))
            .into_iter()
            .map(|line| {
                let line = line.to_vec();
                if order == Order::Cubic {
                    solve(&line, PAD)
                } else {
                    (0..line.len() + 2 * PAD)
                        .map(|i| line[i.saturating_sub(PAD).min(line.len() - 1)])
                        .collect()
                }
            })
            .collect();
        let mut shape: [usize; 3] = padded.dim().into();
        shape[axis] += 2 * PAD;
        padded = Array3::zeros(shape);
        padded
            .lanes_mut(Axis(axis))
            .into_iter()
            .zip(lines)
            .for_each(|(mut l, line)| l.assign(&ndarray::aview1(&line)));
    }
    let from: [usize; 3] = volume.dim().into();
    let weights: [Vec<Vec<(usize, f64)>>; 3] = std::array::from_fn(|axis| {
        (0..to[axis])
            .map(|i| {
                let position = (i as f64 + 0.5) * (from[axis] as f64 / to[axis] as f64) - 0.5;
                if order == Order::Nearest {
                    return vec![((position + 0.5).floor() as usize + PAD, 1.0)];
                }
                let below = position.floor() as isize;
                (below - 2..below + 4)
                    .map(|k| ((k + PAD as isize) as usize, kernel(order, position - k as f64)))
                    .collect()
            })
            .collect()
    });
    let low = volume.iter().copied().fold(f64::INFINITY, f64::min);
    let high = volume.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Array3::from_shape_fn(to, |(z, y, x)| {
        let mut sum = 0.0;
        for &(i, a) in &weights[0][z] {
            for &(j, b) in &weights[1][y] {
                for &(k, c) in &weights[2][x] {
                    sum += a * b * c * padded[(i, j, k)];
                }
            }
        }
        sum.clamp(low, high)
    })
}

fn largest_difference(a: ArrayView3<'_, f64>, b: ArrayView3<'_, f64>) -> f64 {
    assert_eq!(a.dim(), b.dim());
    a.iter()
        .zip(b)
        .fold(0.0, |worst, (a, b)| worst.max((a - b).abs()))
}

/// batchgenerators' `resize_segmentation`, label by label, with the arithmetic of `direct`.
fn elect(labels: &Array3<i16>, to: [usize; 3], order: Order) -> (Array3<i16>, Array3<bool>) {
    let mut out = Array3::zeros(to);
    let mut close = Array3::from_elem(to, false);
    for label in -1..=3 {
        let weight = direct(&labels.mapv(|l| f64::from(u8::from(l == label))), to, order);
        for ((o, c), &w) in out.iter_mut().zip(&mut close).zip(&weight) {
            if w >= 0.5 {
                *o = label;
            }
            *c |= (w - 0.5).abs() < 1e-9;
        }
    }
    (out, close)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 1 } else { 48 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn resize_equals_direct_evaluation(from in shape(7), to in shape(9), seed: u64, which in 0..3_usize) {
        let order = ORDERS[which];
        let volume = noise(from, seed);
        let expected = direct(&volume, to, order);
        let found = resize(volume.view(), to, order).unwrap();
        prop_assert!(largest_difference(found.view(), expected.view()) < 1e-12);
        let single = resize(volume.mapv(|v| v as f32).view(), to, order).unwrap().mapv(f64::from);
        prop_assert!(largest_difference(single.view(), expected.view()) < 2e-5);
    }

    #[test]
    fn identity_and_constant_are_unchanged(from in shape(20), to in shape(20), seed: u64, which in 0..3_usize, value in -1e3..1e3_f32) {
        let order = ORDERS[which];
        let volume = noise(from, seed).mapv(|v| v as f32);
        prop_assert_eq!(&resize(volume.view(), from, order).unwrap(), &volume);
        let constant = Array3::from_elem(from, value);
        let found = resize(constant.view(), to, order).unwrap();
        prop_assert_eq!(found, Array3::from_elem(to, value));
    }

    /// A ramp is reproduced far from the edge. The edge's influence on the spline falls by a factor of 0.27
    /// per voxel.
    #[test]
    fn ramp_is_reproduced_far_from_edge(n in 30..60_usize, m in 10..90_usize, axis in 0..3_usize, cubic: bool) {
        let order = if cubic { Order::Cubic } else { Order::Linear };
        let (mut from, mut to) = ([2, 3, 2], [3, 2, 2]);
        from[axis] = n;
        to[axis] = m;
        let ramp = Array3::from_shape_fn(from, |(z, y, x)| [z, y, x][axis] as f64);
        let found = resize(ramp.view(), to, order).unwrap();
        for (index, &value) in found.indexed_iter() {
            let at = ([index.0, index.1, index.2][axis] as f64 + 0.5) * n as f64 / m as f64 - 0.5;
            if at >= 13.0 && at <= n as f64 - 14.0 {
                prop_assert!((value - at).abs() < 1e-6, "{} for {}", value, at);
            }
        }
    }

    /// Resampling of slices, then of the axis, equals two resizes, on every axis and in any memory order.
    #[test]
    fn separate_axis_equals_two_resizes(
        from in shape(7), to in shape(9), seed: u64, axis in 0..3_usize, which in 0..3_usize, along in 0..3_usize,
    ) {
        let (order, order_z) = (ORDERS[which], ORDERS[along]);
        let volume = noise(from, seed).mapv(|v| v as f32);
        let found = resample_data(
            volume.view().insert_axis(Axis(0)),
            &Resampling { shape: to, separate_axis: Some(axis), order, order_z },
            &Cancel::new(),
        ).unwrap();
        let mut between = to;
        between[axis] = from[axis];
        let mut slices = Array3::zeros(between);
        for (slice, mut out) in volume.axis_iter(Axis(axis)).zip(slices.axis_iter_mut(Axis(axis))) {
            let shape = [1, out.dim().0, out.dim().1];
            out.assign(&resize(slice.insert_axis(Axis(0)), shape, order).unwrap().index_axis(Axis(0), 0));
        }
        // Nothing is clipped along the axis: a wide range outside the sampled part prevents it in the resize.
        let expected = if order_z == Order::Cubic && from[axis] > 1 && from[axis] != to[axis] {
            unclipped(&slices, to, axis)
        } else {
            resize(slices.view(), to, order_z).unwrap()
        };
        let difference = largest_difference(
            found.index_axis(Axis(0), 0).mapv(f64::from).view(),
            expected.mapv(f64::from).view(),
        );
        prop_assert!(difference < 1e-5, "{}", difference);
        // A transposed view gives the transposed result.
        let turned = resample_data(
            volume.view().reversed_axes().insert_axis(Axis(0)),
            &Resampling { shape: [to[2], to[1], to[0]], separate_axis: Some(2 - axis), order, order_z },
            &Cancel::new(),
        ).unwrap();
        let turned = turned.index_axis(Axis(0), 0).reversed_axes().mapv(f64::from);
        prop_assert!(largest_difference(turned.view(), expected.mapv(f64::from).view()) < 1e-5);
    }

    #[test]
    fn segmentation_equals_one_resize_per_label(from in shape(6), to in shape(8), seed: u64, which in 0..3_usize) {
        let order = ORDERS[which];
        let labels = noise(from, seed).mapv(|v| (v * 2.5 + 1.0).round() as i16);
        let found = resize_segmentation(labels.view(), to, order, None).unwrap();
        if order == Order::Nearest {
            let expected = resize(labels.mapv(f64::from).view(), to, order).unwrap();
            prop_assert_eq!(found.mapv(f64::from), expected);
        } else {
            let (expected, close) = elect(&labels, to, order);
            for ((f, e), close) in found.iter().zip(&expected).zip(&close) {
                prop_assert!(f == e || *close, "{} for {}", f, e);
            }
        }
    }

    /// Unlabelled voxels never become background, and every other label has a majority.
    #[test]
    fn unlabelled_stays_unlabelled(from in shape(6), to in shape(8), seed: u64, cubic: bool) {
        let order = if cubic { Order::Cubic } else { Order::Linear };
        let labels = noise(from, seed).mapv(|v| if v < 0.0 { -1 } else { 1 + (v * 3.0) as i16 });
        let found = resize_segmentation(labels.view(), to, order, Some(-1)).unwrap();
        prop_assert!(found.iter().all(|&label| label != 0));
        for label in 1..=3 {
            let weight = direct(&labels.mapv(|l| f64::from(u8::from(l == label))), to, order);
            for (&f, &w) in found.iter().zip(&weight) {
                prop_assert!(f != label || w >= 0.5 - 1e-9);
                // Cubic weights may exceed one half for two labels.
                prop_assert!(cubic || f == label || w <= 0.5 + 1e-9);
            }
        }
    }

    /// Streaming gives the same labels and numbers as the default, bit for bit.
    #[test]
    fn streamed_equals_default(
        from in shape(8), to in shape(12), seed: u64, axis in 0..4_usize, which in 0..3_usize, along in 0..3_usize,
        regions in 0..3_usize, pieces in prop::collection::vec(1..4_usize, 8),
    ) {
        let volumes: Vec<_> = (0..4).map(|c| noise(from, seed ^ c).mapv(|v| v.abs() as f32)).collect();
        let views: Vec<_> = volumes.iter().map(|v| v.view()).collect();
        let softmax: Array4<f32> = ndarray::stack(Axis(0), &views).unwrap();
        let to = Resampling {
            shape: to, separate_axis: (axis < 3).then_some(axis), order: ORDERS[which], order_z: ORDERS[along],
        };
        let classes = vec![1, 5, -1, 3];
        let decision = match regions {
            0 => Decision::Argmax,
            1 => Decision::regions(classes),
            _ => Decision::Regions { classes, threshold: 0.25 },
        };
        let never = Cancel::new();
        for mode in [ExportMode::Streamed, ExportMode::Default, ExportMode::Alt] {
            let whole = resample_softmax(softmax.view(), &to, mode, &never).unwrap();
            let expected = Array3::from_shape_fn(to.shape, |(z, y, x)| {
                let values: Vec<f32> = (0..4).map(|c| whole[(c, z, y, x)]).collect();
                match &decision {
                    Decision::Argmax => (0..4).rev().fold(3, |b, c| if values[c] >= values[b] { c } else { b }) as i16,
                    Decision::Regions { classes, threshold } => {
                        (0..4).rev().find(|&c| values[c] > *threshold).map_or(0, |c| classes[c])
                    }
                }
            });
            prop_assert_eq!(&resample_labels(softmax.view(), &to, mode, &decision, &never).unwrap(), &expected);
            if !LabelStream::supports(&to) {
                prop_assert!(LabelStream::new(4, from, &to, mode, decision.clone()).is_err());
                continue;
            }
            let mut stream = LabelStream::new(4, from, &to, mode, decision.clone()).unwrap();
            let observed = Mutex::new(Array4::from_elem(whole.raw_dim(), f32::NAN));
            let observe = |channel: usize, z: usize, ys: Range<usize>, values: &[f32]| {
                let mut observed = observed.lock().unwrap();
                let mut rows = observed.slice_mut(s![channel, z, ys, ..]);
                rows.iter_mut().zip(values).for_each(|(to, value)| *to = *value);
            };
            let mut first = 0;
            for planes in &pieces {
                let end = (first + planes).min(from[0]);
                if first == end {
                    break;
                }
                stream.push(softmax.slice(s![.., first..end, .., ..]), &observe, &never).unwrap();
                first = end;
            }
            prop_assert_eq!(&stream.finish().unwrap(), &expected);
            prop_assert_eq!(&observed.into_inner().unwrap(), &whole);
        }
    }
}

/// Cubic along one axis without clipping, by two distant planes of huge opposite values.
fn unclipped(slices: &Array3<f32>, to: [usize; 3], axis: usize) -> Array3<f32> {
    let (low, high) = (-1e3, 1e3);
    // Clipping uses the range of the whole volume. One additional column in another axis widens it.
    let other = if axis == 2 { 1 } else { 2 };
    let mut shape: [usize; 3] = slices.dim().into();
    shape[other] += 2;
    let mut wide = Array3::from_elem(shape, low);
    wide.index_axis_mut(Axis(other), 1).fill(high);
    wide.slice_axis_mut(Axis(other), (2..).into()).assign(slices);
    let mut target = to;
    target[other] += 2;
    let resized = resize(wide.view(), target, Order::Cubic).unwrap();
    resized.slice_axis(Axis(other), (2..).into()).to_owned()
}

#[test]
fn ties_and_undecided_voxels_become_unlabelled_or_background() {
    let seg = Array3::from_shape_vec([1, 1, 2], vec![-1, 4]).unwrap();
    // Three voxels from two: the middle one is a tie.
    let resized = |unlabelled| resize_segmentation(seg.view(), [1, 1, 3], Order::Linear, unlabelled).unwrap();
    assert_eq!(resized(None).as_slice().unwrap(), [-1, 4, 4]);
    assert_eq!(resized(Some(-1)).as_slice().unwrap(), [-1, -1, 4]);
    let seg = Array3::from_shape_vec([1, 2, 2], vec![-1, 4, 2, 3]).unwrap();
    let middle = |unlabelled| {
        resize_segmentation(seg.view(), [1, 1, 1], Order::Linear, unlabelled).unwrap()[(0, 0, 0)]
    };
    assert_eq!((middle(None), middle(Some(-1))), (0, -1));
}

/// Past the border scipy adds the weights of twice the edge voxel, 0.9 + 0.1. In some columns the sum is just
/// below one half, and the voxel becomes background (scipy 1.17.1, batchgenerators 0.25).
#[test]
fn ties_at_border_round_as_in_scipy() {
    let seg = Array3::from_shape_fn([300, 4, 512], |(_, y, _)| i16::from(y < 2));
    let found = resize_segmentation(seg.view(), [375, 3, 455], Order::Linear, None).unwrap();
    let background = |z: usize| (0..455).filter(|&x| found[(z, 1, x)] == 0).collect::<Vec<_>>();
    assert_eq!(background(374), [239, 409, 424, 431]);
    assert_eq!(background(0), [0; 0]);
}

#[test]
fn thread_count_does_not_change_result() {
    let volume = noise([17, 70, 131], 5).mapv(|v| v as f32);
    let labels = volume.mapv(|v| (v * 3.0).round() as i16);
    let all = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| {
                let seg = resize_segmentation(labels.view(), [23, 150, 99], Order::Linear, None).unwrap();
                (
                    ORDERS.map(|order| resize(volume.view(), [23, 150, 99], order).unwrap()),
                    seg,
                )
            })
    };
    let one = all(1);
    assert_eq!(one, all(2));
    assert_eq!(one, all(7));
}
