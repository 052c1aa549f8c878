//! Weightmaps compared with their formulas, voxel by voxel.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use ndarray::{Array3, Axis};
use proptest::prelude::*;
use weightmap::{border_weightmap, Mode, Parameters};

type At = (usize, usize, usize);

/// Small volumes of -1 to 3, in blocks, so that the erosion keeps some voxels.
fn volumes() -> impl Strategy<Value = Array3<i16>> {
    ([1usize..=9, 1usize..=9, 1usize..=9], any::<u64>(), -1i16..=0).prop_map(|(shape, seed, lowest)| {
        let mut state = seed | 1;
        let mut next = |n: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) % n
        };
        let mut volume = Array3::zeros(shape);
        for _ in 0..next(5) {
            let label = lowest + next((4 - lowest) as u64) as i16;
            let ranges = shape.map(|n| {
                let start = next(n as u64) as usize;
                start..(start + 1 + next(7) as usize).min(n)
            });
            let [z, y, x] = ranges;
            volume.slice_mut(ndarray::s![z, y, x]).fill(label);
        }
        volume
    })
}

fn squared(a: At, b: At, s: [f64; 3]) -> f64 {
    let along = |a: usize, b: usize, s: f64| (a.abs_diff(b) as f64 * s).powi(2);
    along(a.0, b.0, s[0]) + along(a.1, b.1, s[1]) + along(a.2, b.2, s[2])
}

fn neighbours(at: At, shape: At) -> Vec<Option<At>> {
    let mut all = Vec::new();
    let within = |at: [isize; 3]| {
        let limits = [shape.0, shape.1, shape.2];
        (0..3).all(|i| at[i] >= 0 && (at[i] as usize) < limits[i])
    };
    for (axis, n) in [shape.0, shape.1, shape.2].into_iter().enumerate() {
        for step in [-1, 1] {
            let mut to = [at.0 as isize, at.1 as isize, at.2 as isize];
            to[axis] += step;
            if n > 1 {
                all.push(within(to).then_some((to[0] as usize, to[1] as usize, to[2] as usize)));
            }
        }
    }
    all
}

/// Index of each voxel: -1 unlabelled, 0 background or not listed.
fn indices(volume: &Array3<i16>, classes: &[i64]) -> Array3<i16> {
    volume.mapv(|v| {
        if v == -1 || classes.contains(&i64::from(v)) {
            v
        } else {
            0
        }
    })
}

fn class_weight(index: &Array3<i16>, at: At) -> f64 {
    let labelled = index.iter().filter(|&&v| v != -1).count() as f64;
    let count = index.iter().filter(|&&v| v == index[at]).count() as f64;
    f64::from((1.0 - count / labelled) as f32)
}

fn expected_border(volume: &Array3<i16>, p: &Parameters) -> Array3<f64> {
    let index = indices(volume, &p.classes);
    let spacing = p.spacing.unwrap_or([1.0; 3]);
    let same = |a: At, b: At| index[a] == index[b] || index[b] == -1;
    let inside: Vec<At> = index
        .indexed_iter()
        .filter(|(_, &v)| v != -1 && p.classes.contains(&i64::from(v)))
        .map(|(at, _)| at)
        .filter(|&at| {
            neighbours(at, index.dim())
                .iter()
                .all(|to| to.is_some_and(|to| same(at, to)))
        })
        .collect();
    Array3::from_shape_fn(index.dim(), |at| {
        let d2 = inside
            .iter()
            .map(|&site| squared(site, at, spacing))
            .fold(f64::INFINITY, f64::min);
        let term = if d2 == 0.0 {
            0.0
        } else {
            p.w0 * (-d2 / (2.0 * p.sigma * p.sigma)).exp()
        };
        if index[at] == -1 {
            0.0
        } else {
            class_weight(&index, at) + term
        }
    })
}

/// Components of each class, connected by faces.
fn objects(index: &Array3<i16>, classes: &[i64]) -> Vec<Vec<At>> {
    let mut seen = Array3::from_elem(index.dim(), false);
    let mut objects = Vec::new();
    for (start, &v) in index.indexed_iter() {
        if seen[start] || v == -1 || !classes.contains(&i64::from(v)) {
            continue;
        }
        let (mut object, mut open) = (Vec::new(), vec![start]);
        seen[start] = true;
        while let Some(at) = open.pop() {
            object.push(at);
            for to in neighbours(at, index.dim()).into_iter().flatten() {
                if !seen[to] && index[to] == v {
                    seen[to] = true;
                    open.push(to);
                }
            }
        }
        objects.push(object);
    }
    objects
}

fn expected_instances(volume: &Array3<i16>, p: &Parameters) -> Array3<f64> {
    let index = indices(volume, &p.classes);
    let spacing = p.spacing.unwrap_or([1.0; 3]);
    let objects = objects(&index, &p.classes);
    Array3::from_shape_fn(index.dim(), |at| {
        let to = |object: &Vec<At>| {
            object
                .iter()
                .map(|&o| squared(o, at, spacing))
                .fold(f64::INFINITY, f64::min)
        };
        let mut distances: Vec<f64> = objects.iter().map(|object| to(object).sqrt()).collect();
        distances.sort_by(f64::total_cmp);
        let sum = distances.get(..2).map_or(f64::INFINITY, |d| d[0] + d[1]);
        let term = p.w0 * (-sum * sum / (2.0 * p.sigma * p.sigma)).exp();
        if index[at] == -1 {
            0.0
        } else {
            class_weight(&index, at) + term
        }
    })
}

fn assert_equal(found: &Array3<f64>, expected: &Array3<f64>, what: &str) {
    testkit::assert_close(
        &found.clone().into_dyn(),
        &expected.clone().into_dyn(),
        1e-12,
        1e-6,
        what,
    );
}

fn parameters() -> impl Strategy<Value = Parameters> {
    let classes = prop_oneof![
        Just(vec![1, 2, 3]),
        Just(vec![2]),
        Just(vec![0, 1, 2]),
        Just(vec![3, 1])
    ];
    let spacing = proptest::option::of([0.3f64..4.0, 0.3f64..4.0, 0.3f64..4.0]);
    (classes, 0.5f64..6.0, 0.0f64..20.0, spacing).prop_map(|(classes, sigma, w0, spacing)| Parameters {
        classes,
        sigma,
        w0,
        spacing,
        ..Default::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn border_maps_equal_formula(volume in volumes(), p in parameters()) {
        let before = volume.clone();
        let expected = expected_border(&volume, &p);
        let single: Array3<f32> = border_weightmap(volume.view(), &p).unwrap();
        assert_equal(&single.mapv(f64::from), &expected, "float32");
        let double: Array3<f64> = border_weightmap(volume.view(), &p).unwrap();
        assert_equal(&double, &expected, "float64");
        let half: Array3<half::f16> = border_weightmap(volume.view(), &p).unwrap();
        let half = half.mapv(f64::from).into_dyn();
        testkit::assert_close(&half, &expected.into_dyn(), 1e-7, 1e-3, "float16");
        prop_assert_eq!(before, volume);
    }

    #[test]
    fn instance_maps_equal_formula(volume in volumes(), p in parameters()) {
        let p = Parameters { mode: Mode::Instances, ..p };
        let found: Array3<f64> = border_weightmap(volume.view(), &p).unwrap();
        assert_equal(&found, &expected_instances(&volume, &p), "instances");
    }

    /// Distances of each slice alone, class weights of the whole volume.
    #[test]
    fn two_dimensional_maps_equal_formula(volume in volumes(), p in parameters()) {
        let p = Parameters { mode: Mode::TwoD, ..p };
        let found: Array3<f64> = border_weightmap(volume.view(), &p).unwrap();
        let whole = indices(&volume, &p.classes);
        for (z, slice) in volume.outer_iter().enumerate() {
            let slice = slice.insert_axis(Axis(0)).to_owned();
            let alone = indices(&slice, &p.classes);
            let mut expected = expected_border(&slice, &p);
            for (at, weight) in expected.indexed_iter_mut() {
                if alone[at] != -1 {
                    *weight += class_weight(&whole, (z, at.1, at.2)) - class_weight(&alone, at);
                }
            }
            let found = found.index_axis(Axis(0), z).insert_axis(Axis(0)).to_owned();
            testkit::assert_close(&found.into_dyn(), &expected.into_dyn(), 1e-9, 1e-6, "slice");
        }
    }
}
