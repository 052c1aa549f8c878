//! The transform compared with the minimum over all pairs of voxels.

use edt::{squared_distance, Error};
use ndarray::{Array2, Array3, ArrayD, ArrayView3, Axis, IxDyn};
use proptest::prelude::*;
use run::Cancel;

/// Minimum over all zero voxels, in float64.
fn brute_force(mask: ArrayView3<'_, u8>, spacing: [f64; 3]) -> Array3<f64> {
    let sites: Vec<_> = mask
        .indexed_iter()
        .filter(|(_, &v)| v == 0)
        .map(|(at, _)| at)
        .collect();
    let squared = |a: usize, b: usize, s: f64| (a.abs_diff(b) as f64 * s).powi(2);
    Array3::from_shape_fn(mask.dim(), |(z, y, x)| {
        let distance = |&(a, b, c): &(usize, usize, usize)| {
            squared(a, z, spacing[0]) + squared(b, y, spacing[1]) + squared(c, x, spacing[2])
        };
        sites.iter().map(distance).fold(f64::INFINITY, f64::min)
    })
}

fn assert_equal(found: &Array3<f32>, expected: &Array3<f64>, tolerance: f64) {
    assert_eq!(found.shape(), expected.shape());
    for (at, &found) in found.indexed_iter() {
        let (found, expected) = (f64::from(found), expected[at]);
        let equal = found == expected || (found - expected).abs() <= tolerance * expected;
        assert!(equal, "{at:?}: found {found}, expected {expected}");
    }
}

/// Longest axis of a mask. Miri is slow.
const LONGEST: usize = if cfg!(miri) { 4 } else { 20 };

/// Masks from empty to full, including all true, all false and a single voxel.
fn masks() -> impl Strategy<Value = Array3<u8>> {
    ([1..=LONGEST, 1..=LONGEST, 1..=LONGEST], 0u8..6, any::<u64>()).prop_map(|(shape, kind, seed)| {
        let voxels: usize = shape.iter().product();
        let mut state = seed | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state >> 11
        };
        let mut mask = match kind {
            0 => vec![0; voxels],
            1..=3 => vec![1; voxels],
            4 => (0..voxels).map(|_| u8::from(next() % 10 != 0)).collect(),
            _ => (0..voxels).map(|_| (next() % 3) as u8).collect(),
        };
        if kind == 2 {
            mask[(next() % voxels as u64) as usize] = 0;
        }
        if kind == 3 {
            // A slab of sites, far from the others.
            let plane = shape[1] * shape[2];
            mask[..plane].fill(0);
        }
        Array3::from_shape_vec(shape, mask).unwrap()
    })
}

fn spacings() -> impl Strategy<Value = [f64; 3]> {
    prop_oneof![
        Just([1.0, 1.0, 1.0]),
        (0.1f64..5.0).prop_map(|s| [s; 3]),
        [0.1f64..8.0, 0.1f64..8.0, 0.1f64..8.0],
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 400 }))]

    #[test]
    fn distances_equal_brute_force(mask in masks(), spacing in spacings()) {
        let before = mask.clone();
        let found = squared_distance(mask.view(), &spacing, None).unwrap();
        prop_assert_eq!(before, mask.clone());
        let tolerance = if spacing == [1.0; 3] { 0.0 } else { 2e-7 };
        assert_equal(&found, &brute_force(mask.view(), spacing), tolerance);
    }

    #[test]
    fn bound_keeps_smaller_distances(mask in masks(), spacing in spacings(), bound in 0.0f32..12.0) {
        let free = squared_distance(mask.view(), &spacing, None).unwrap();
        let bounded = squared_distance(mask.view(), &spacing, Some(bound)).unwrap();
        let bound2 = f64::from(bound) * f64::from(bound);
        let expected = free.mapv(|d| if f64::from(d) <= bound2 { d } else { f32::INFINITY });
        prop_assert_eq!(bounded, expected);
    }

    #[test]
    fn layout_type_and_rank_do_not_change_distances(mask in masks(), s in 0.5f64..2.0) {
        let spacing = [s, 1.0, 2.0];
        let expected = squared_distance(mask.view(), &spacing, None).unwrap();
        // The same values with reversed axes.
        let mut turned = Array3::zeros((mask.dim().2, mask.dim().1, mask.dim().0));
        turned.assign(&mask.view().reversed_axes());
        prop_assert_eq!(&squared_distance(turned.view().reversed_axes(), &spacing, None).unwrap(), &expected);
        let floats = mask.mapv(|v| f32::from(v) * -0.5);
        prop_assert_eq!(&squared_distance(floats.view(), &spacing, None).unwrap(), &expected);
        let bools = mask.mapv(|v| v != 0).into_dyn();
        let found = squared_distance(bools.view(), &spacing, None).unwrap();
        prop_assert_eq!(found, expected.into_dyn());
        // The transform of one slice equals the 2D transform.
        let slice = mask.index_axis(Axis(0), 0);
        let flat = squared_distance(slice, &spacing[1..], None).unwrap();
        let brute = brute_force(slice.insert_axis(Axis(0)), spacing);
        assert_equal(&flat.insert_axis(Axis(0)), &brute, 2e-7);
    }
}

/// Long axes reach float32 (when 16 bits overflow) and the lower envelope. Small shapes do not.
#[test]
fn long_axes_equal_exact_distances() {
    for shape in [
        [700, 3, 2],
        [2, 700, 3],
        [2, 3, 700],
        [1, 1, 3000],
        [1, 600, 600],
        [600, 1, 70],
    ] {
        for sites in [vec![0], vec![0, 1, 2, 3, 4, 5], (0..40).collect()] {
            for spacing in [[1.0; 3], [0.7, 1.3, 1.1]] {
                let mut mask = ArrayD::from_elem(IxDyn(&shape), 1u8);
                mask.iter_mut()
                    .enumerate()
                    .filter(|(i, _)| sites.contains(i))
                    .for_each(|(_, v)| *v = 0);
                let mask = mask.into_dimensionality().unwrap();
                let found = squared_distance(mask.view(), &spacing, None).unwrap();
                assert_equal(
                    &found,
                    &brute_force(mask.view(), spacing),
                    if spacing[0] == 1.0 { 0.0 } else { 4e-7 },
                );
            }
        }
    }
}

/// Half of the volume is sites. The other half needs long searches in every column, which the lower envelope
/// replaces.
#[test]
fn half_filled_volume_equals_exact_distances() {
    let n = 1600;
    for along in 0..2 {
        let mask = Array2::from_shape_fn((n, n), |at| {
            u8::from([at.0, at.1][along] >= 20 || (at.0 + at.1) % 2 == 1)
        });
        let found = squared_distance(mask.view(), &[1.0, 1.0 + 1e-3], None).unwrap();
        let sites: Vec<_> = mask
            .indexed_iter()
            .filter(|(_, &v)| v == 0)
            .map(|(at, _)| at)
            .collect();
        for (at, &found) in found.indexed_iter().step_by(9973) {
            let mut best = f64::INFINITY;
            for site in &sites {
                let (dy, dx) = (
                    site.0.abs_diff(at.0) as f64,
                    site.1.abs_diff(at.1) as f64 * (1.0 + 1e-3),
                );
                best = best.min(dy * dy + dx * dx);
            }
            assert!(
                (f64::from(found) - best).abs() <= 4e-7 * best,
                "{at:?}: found {found}, expected {best}"
            );
        }
    }
}

#[test]
fn thread_count_does_not_change_distances() {
    let mask = Array3::from_shape_fn((40, 50, 70), |(z, y, x)| {
        u8::from((z * 7 + y * 13 + x * 31) % 997 != 0)
    });
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| squared_distance(mask.view(), &[1.5, 1.0, 1.0], None).unwrap())
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn invalid_arguments_are_rejected() {
    let mask = Array2::<u8>::zeros((3, 4));
    let call = |spacing: &[f64], bound| squared_distance(mask.view(), spacing, bound).map(|_| ());
    assert_eq!(
        call(&[1.0], None),
        Err(Error::SpacingCount {
            found: 1,
            expected: 2
        })
    );
    assert_eq!(
        call(&[1.0, 0.0], None),
        Err(Error::Spacing { axis: 1, found: 0.0 })
    );
    assert!(matches!(
        call(&[1.0, f64::NAN], None),
        Err(Error::Spacing { axis: 1, .. })
    ));
    // Their squares are infinite, or 0, in float32.
    for found in [1e200, 1e20, 1e-30] {
        assert_eq!(
            squared_distance(mask.view(), &[1.0, found], None),
            Err(Error::Spacing { axis: 1, found })
        );
    }
    for spacing in [1e12, 1e-12] {
        let line = ndarray::array![1u8, 1, 0];
        let found = squared_distance(line.view(), &[spacing], None).unwrap();
        assert!(
            (f64::from(found[0]) / (4.0 * spacing * spacing) - 1.0).abs() < 1e-6,
            "{spacing}"
        );
    }
    assert_eq!(call(&[1.0, 1.0], Some(-1.0)), Err(Error::Bound { found: -1.0 }));
    let deep = ArrayD::<u8>::zeros(IxDyn(&[2, 2, 2, 2]));
    assert_eq!(
        squared_distance(deep.view(), &[1.0; 4], None),
        Err(Error::Rank { found: 4 })
    );
    assert_eq!(
        squared_distance(Array2::<u8>::zeros((0, 4)).view(), &[1.0; 2], None)
            .unwrap()
            .len(),
        0
    );
    let mut short = Array2::zeros((3, 3));
    let result = edt::squared_distance_into(mask.view(), &[1.0; 2], None, short.view_mut(), &Cancel::new());
    assert_eq!(
        result,
        Err(Error::Shape {
            found: vec![3, 3],
            expected: vec![3, 4]
        })
    );
    let mut turned = Array2::zeros((4, 3));
    let turned = turned.view_mut().reversed_axes();
    let result = edt::squared_distance_into(mask.view(), &[1.0; 2], None, turned, &Cancel::new());
    assert_eq!(result, Err(Error::Layout { shape: vec![3, 4] }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 300 }))]

    #[test]
    fn two_nearest_objects_equal_brute_force(
        shape in [1usize..=14, 1usize..=14, 1usize..=20],
        sites in prop::collection::vec((any::<u32>(), 1u32..5), 0..40),
        spacing in spacings(),
        bound in prop::option::of(0.0f32..10.0),
    ) {
        let mut objects = Array3::<u32>::zeros(shape);
        let voxels = objects.len();
        for (at, object) in sites {
            objects.as_slice_mut().unwrap()[at as usize % voxels] = object;
        }
        let expected: Vec<Array3<f64>> = (1..5)
            .map(|object| brute_force(objects.mapv(|o| u8::from(o != object)).view(), spacing))
            .collect();
        let (nearest, second) = edt::two_nearest_objects(objects, spacing, bound, &Cancel::new()).unwrap();
        for at in ndarray::indices(shape) {
            let mut distances: Vec<f64> = expected.iter().map(|d| d[at]).collect();
            distances.sort_by(f64::total_cmp);
            for (found, expected) in [(nearest[at], distances[0]), (second[at], distances[1])] {
                let exceeds = bound.is_some_and(|b| expected > f64::from(b * b) * (1.0 + 1e-6));
                let expected = if exceeds { f64::INFINITY } else { expected };
                let cut = bound.is_some_and(|b| expected >= f64::from(b * b) * (1.0 - 1e-6)) && found == f32::INFINITY;
                let found = f64::from(found);
                prop_assert!(cut || found == expected || (found - expected).abs() <= 4e-7 * expected, "{found} {expected}");
            }
        }
    }
}

#[test]
fn cancelled_transform_stops_within_a_few_slices_or_columns() {
    let mask = Array3::from_shape_fn((30, 40, 50), |(z, y, x)| u8::from((z, y, x) != (3, 4, 5)));
    // Whole spacings use the 16-bit sweeps, others the float32 sweeps.
    for spacing in [[1.0; 3], [1.0, 2.5, 0.7]] {
        let parts = testkit::ends_when_cancelled(|cancel| {
            let mut out = Array3::zeros(mask.dim());
            edt::squared_distance_into(mask.view(), &spacing, None, out.view_mut(), cancel)
        });
        // 30 slices, and 40 * 50 columns in blocks of 64.
        assert!(parts >= 30 + 32, "{parts}");
    }
    let objects = mask.mapv(|inside| u32::from(inside == 0));
    let parts = testkit::ends_when_cancelled(|cancel| {
        edt::two_nearest_objects(objects.clone(), [1.0; 3], None, cancel)
    });
    assert!(parts >= 30 + 125, "{parts}");
}
