//! The patterns on random labels.

use std::collections::BTreeSet;

use ndarray::{Array3, Axis, Zip};
use proptest::prelude::*;

use super::case::annotate;
use super::*;

fn options(
    pattern: Pattern,
    share: Option<f64>,
    slices: Option<u32>,
    axes: &[SliceAxis],
) -> SimulateSparseOptions {
    SimulateSparseOptions {
        pattern,
        share,
        slices,
        axes: axes.to_vec(),
        seed: 5,
        ..SimulateSparseOptions::new(String::new(), String::new())
    }
}

/// Boxes of classes over a background; a few voxels are unlabelled.
fn labels() -> impl Strategy<Value = Array3<i16>> {
    let shape = (3usize..9, 4usize..14, 4usize..14);
    let boxes = proptest::collection::vec(
        (0.0f64..0.8, 0.0f64..0.8, 0.0f64..0.8, 0.1f64..0.7, 1i16..5),
        0..6,
    );
    (shape, boxes, any::<bool>()).prop_map(|((d, h, w), boxes, unlabelled)| {
        let mut labels = Array3::zeros((d, h, w));
        for (z, y, x, size, value) in boxes {
            let inside = |at: usize, from: f64, length: usize| {
                (from..from + size).contains(&(at as f64 / length as f64))
            };
            for ((k, j, i), voxel) in labels.indexed_iter_mut() {
                if inside(k, z, d) && inside(j, y, h) && inside(i, x, w) {
                    *voxel = value;
                }
            }
        }
        if unlabelled {
            labels[[d - 1, h - 1, w - 1]] = -1;
        }
        labels
    })
}

fn patterns() -> impl Strategy<Value = SimulateSparseOptions> {
    let axes = proptest::sample::subsequence(vec![SliceAxis::Z, SliceAxis::Y, SliceAxis::X], 1..=3);
    let share = prop_oneof![Just(1.0), 0.001f64..1.0];
    (axes, share, 1u32..6, 0usize..4).prop_map(|(axes, share, slices, kind)| match kind {
        0 => options(Pattern::Slices, None, Some(slices), &axes),
        1 => options(Pattern::Slices, Some(share), None, &axes),
        2 => options(Pattern::Scribbles, Some(share), None, &axes),
        _ => options(Pattern::Voxels, Some(share), None, &axes),
    })
}

fn classes(labels: &Array3<i16>, mask: &Array3<bool>) -> BTreeSet<i16> {
    let kept = labels
        .iter()
        .zip(mask)
        .filter(|(&value, &kept)| kept && value != -1);
    kept.map(|(&value, _)| value).collect()
}

proptest! {
    #[test]
    fn every_class_is_annotated_and_draws_repeat(labels in labels(), options in patterns()) {
        let (mask, slices) = annotate(&options, "case_1", labels.view());
        let all = Array3::from_elem(labels.dim(), true);
        prop_assert_eq!(classes(&labels, &mask), classes(&labels, &all));
        prop_assert_eq!(annotate(&options, "case_1", labels.view()), (mask, slices));
    }

    #[test]
    fn voxels_and_scribbles_take_the_share_of_each_class(
        labels in labels(), share in 0.001f64..=1.0, scribbles in any::<bool>(),
    ) {
        let pattern = if scribbles { Pattern::Scribbles } else { Pattern::Voxels };
        let options = options(pattern, Some(share), None, &[SliceAxis::Z]);
        let (mask, _) = annotate(&options, "case", labels.view());
        for value in classes(&labels, &Array3::from_elem(labels.dim(), true)) {
            let count = |mask: &Array3<bool>| {
                labels.iter().zip(mask).filter(|(&v, &kept)| v == value && kept).count() as f64
            };
            let voxels = count(&Array3::from_elem(labels.dim(), true));
            prop_assert_eq!(count(&mask), (voxels * share).round().max(1.0));
        }
        prop_assert!(labels.iter().zip(&mask).all(|(&v, &kept)| v != -1 || !kept));
    }

    #[test]
    fn slices_are_whole_and_as_many_as_asked_for(labels in labels(), count in 1u32..6, axis in 0usize..3) {
        let axes = [SliceAxis::Z, SliceAxis::Y, SliceAxis::X];
        let options = options(Pattern::Slices, None, Some(count), &axes[axis..=axis]);
        let (mask, slices) = annotate(&options, "case", labels.view());
        let whole: Vec<usize> = mask
            .axis_iter(Axis(axis))
            .enumerate()
            .filter(|(_, slice)| slice.iter().all(|&kept| kept))
            .map(|(i, _)| i)
            .collect();
        prop_assert_eq!(&slices, &vec![whole.clone()]);
        let area = labels.len() / labels.len_of(Axis(axis));
        prop_assert_eq!(mask.iter().filter(|&&kept| kept).count(), whole.len() * area);
        let length = labels.len_of(Axis(axis));
        let classes = classes(&labels, &Array3::from_elem(labels.dim(), true)).len();
        let wanted = (count as usize).min(length);
        prop_assert!((wanted..=wanted + classes - 1).contains(&whole.len()), "{whole:?} of {length}");
    }

    #[test]
    fn scribbles_are_connected_lines_inside_one_region(share in 0.01f64..0.04, seed in any::<u64>()) {
        // One slice with a disk: each class has one scribble at most this long.
        let labels = Array3::from_shape_fn((1, 40, 40), |(_, y, x)| {
            i16::from((y as f64 - 20.0).hypot(x as f64 - 20.0) < 12.0)
        });
        let mut options = options(Pattern::Scribbles, Some(share), None, &[SliceAxis::Z]);
        options.seed = seed;
        let (mask, _) = annotate(&options, "case", labels.view());
        for value in [0, 1] {
            let own = |y: usize, x: usize| {
                labels.get((0, y, x)) == Some(&value) && mask.get((0, y, x)) == Some(&true)
            };
            let pixels: Vec<(usize, usize)> =
                (0..1600).map(|i| (i / 40, i % 40)).filter(|&(y, x)| own(y, x)).collect();
            // A walk may end in a corner of its own line and another begin; a line covers most pixels.
            let alone = pixels.iter().filter(|&&(y, x)| {
                let around = (y.saturating_sub(1)..=y + 1)
                    .flat_map(|j| (x.saturating_sub(1)..=x + 1).map(move |i| (j, i)));
                around.filter(|&(j, i)| own(j, i)).count() == 1
            });
            prop_assert!(alone.count() * 4 <= pixels.len() || pixels.len() == 1, "{pixels:?}");
        }
    }
}

#[test]
fn seed_and_case_decide() {
    let labels = Array3::from_shape_fn((6, 20, 20), |(z, y, x)| i16::from((4..12).contains(&y) && x > z));
    for (pattern, share) in [
        (Pattern::Slices, 0.4),
        (Pattern::Scribbles, 0.02),
        (Pattern::Voxels, 0.02),
    ] {
        let mut options = options(pattern, Some(share), None, &[SliceAxis::Y]);
        let (first, _) = annotate(&options, "a", labels.view());
        assert_ne!(annotate(&options, "b", labels.view()).0, first, "{pattern:?}");
        options.seed += 1;
        assert_ne!(annotate(&options, "a", labels.view()).0, first, "{pattern:?}");
    }
}

#[test]
fn slices_of_three_axes_hold_the_share_together() {
    let labels = Array3::<i16>::zeros((50, 60, 70));
    for share in [0.05, 0.2, 0.6] {
        let options = options(
            Pattern::Slices,
            Some(share),
            None,
            &[SliceAxis::Z, SliceAxis::Y, SliceAxis::X],
        );
        let (mask, slices) = annotate(&options, "a", labels.view());
        let mut count = 0;
        Zip::from(&mask).for_each(|&kept| count += usize::from(kept));
        let found = count as f64 / labels.len() as f64;
        assert!((found - share).abs() < 0.03, "{share} {found} {slices:?}");
    }
}
