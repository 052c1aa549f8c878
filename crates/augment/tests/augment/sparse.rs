//! Sparse annotation: unlabelled voxels stay unlabelled and keep their image.

use augment::{
    apply_spatial, Block, LabelRule, Params, Pipeline, PipelineOptions, Sample, SpatialParams, SpatialRules,
    Workspace,
};
use proptest::prelude::*;
use random::{Purpose, Rng};

use crate::support::run;

const FULL: [usize; 3] = [14, 16, 18];
const PATCH: [usize; 3] = [12, 12, 14];

fn rules(labels: LabelRule, planar: bool) -> SpatialRules {
    let patch = if planar {
        [FULL[0], PATCH[1], PATCH[2]]
    } else {
        PATCH
    };
    let outside = if labels == LabelRule::Linear { 0 } else { -1 };
    SpatialRules {
        patch,
        planar,
        labels,
        outside,
        padding: outside,
        between_voxels: false,
    }
}

/// The nearest voxel of each output, `None` outside, from coordinates written to an image and read back
/// linearly, like voxel weights.
fn nearest(params: &SpatialParams, rules: &SpatialRules) -> Vec<Option<usize>> {
    let read = |axis: usize| -> Vec<f32> {
        let mut map = Block::new([1, FULL[0], FULL[1], FULL[2]]);
        for (i, v) in map.values_mut().iter_mut().enumerate() {
            *v = 1.0 + [i / (FULL[1] * FULL[2]), i / FULL[2] % FULL[1], i % FULL[2]][axis] as f32;
        }
        let shape = [1, FULL[0], FULL[1], FULL[2]];
        let sample = Sample::whole(Block::new(shape), Block::new(shape), Some(map));
        let mut out = Sample::default();
        apply_spatial(params, None, rules, &sample, &mut out).expect("apply");
        out.weightmap.expect("map").values().to_vec()
    };
    let at = [read(0), read(1), read(2)];
    (0..at[0].len())
        .map(|i| {
            (at[0][i] > 0.0).then(|| {
                let voxel: [usize; 3] = std::array::from_fn(|a| (at[a][i] - 1.0).round() as usize);
                (voxel[0] * FULL[1] + voxel[1]) * FULL[2] + voxel[2]
            })
        })
        .collect()
}

fn transformed(seg: &[i16], params: &SpatialParams, rules: &SpatialRules) -> Vec<i16> {
    let shape = [1, FULL[0], FULL[1], FULL[2]];
    let mut block = Block::new(shape);
    block.values_mut().copy_from_slice(seg);
    let mut out = Sample::default();
    apply_spatial(
        params,
        None,
        rules,
        &Sample::whole(Block::new(shape), block, None),
        &mut out,
    )
    .expect("apply");
    out.seg.values().to_vec()
}

fn params() -> impl Strategy<Value = SpatialParams> {
    let rotation = prop::option::of(prop::array::uniform3(-0.6_f64..0.6));
    (rotation, prop::option::of(0.7_f64..1.5)).prop_map(|(rotation, scale)| SpatialParams {
        rotation,
        scale: scale.map(|s| [s; 3]),
        elastic: None,
    })
}

/// Smooth blobs of labels -1, 0, 1, 2.
fn segmentation(seed: u64, lowest: i16) -> Vec<i16> {
    let mut rng = Rng::keyed(seed, Purpose::TrainingCase, 0, 0, 0);
    let waves: [f64; 6] = std::array::from_fn(|_| rng.uniform(0.2, 0.8));
    (0..FULL.iter().product::<usize>())
        .map(|i| {
            let at = [i / (FULL[1] * FULL[2]), i / FULL[2] % FULL[1], i % FULL[2]];
            let v: f64 = (0..3)
                .map(|a| (at[a] as f64 * waves[a] + 9.0 * waves[a + 3]).sin())
                .sum();
            ((v + 1.5).floor() as i16).clamp(lowest, 2)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn annotation_never_grows(seed: u64, params in params(), planar: bool) {
        let rules = rules(LabelRule::Annotated { ignore: -1 }, planar);
        let seg = segmentation(seed, -1);
        let out = transformed(&seg, &params, &rules);
        for (found, from) in out.iter().zip(nearest(&params, &rules)) {
            match from {
                None => prop_assert_eq!(*found, -1, "outside"),
                Some(from) if seg[from] == -1 => prop_assert_eq!(*found, -1, "unlabelled"),
                Some(_) => {}
            }
        }
    }

    #[test]
    fn full_annotation_equals_dense_training(seed: u64, params in params(), planar: bool) {
        let seg = segmentation(seed, 0);
        let sparse = rules(LabelRule::Annotated { ignore: -1 }, planar);
        let dense = transformed(&seg, &params, &rules(LabelRule::Linear, planar));
        let found = transformed(&seg, &params, &sparse);
        for ((found, dense), from) in found.iter().zip(dense).zip(nearest(&params, &sparse)) {
            prop_assert_eq!(*found, if from.is_some() { dense } else { -1 });
        }
    }

    #[test]
    fn keeps_annotation_agrees_with_apply(seed: u64, params in params(), slice in 0usize..14) {
        let mut options = PipelineOptions::new(&PATCH, 1);
        options.ignore_label = Some(-1);
        let shape = [1, FULL[0], FULL[1], FULL[2]];
        let mut seg = Block::new(shape);
        seg.values_mut().fill(-1);
        // A few labelled voxels in one slice.
        let mut rng = Rng::keyed(seed, Purpose::TrainingCase, 0, 0, 0);
        for _ in 0..4 {
            let at = slice * FULL[1] * FULL[2] + rng.below((FULL[1] * FULL[2]) as u64) as usize;
            seg.values_mut()[at] = 1;
        }
        let sample = Sample::whole(Block::new(shape), seg, None);
        let chain = Pipeline::training(&options).expect("chain");
        let said = chain.keeps_annotation(&params, None, &sample, &mut Workspace::default()).expect("apply");
        let all = Params { spatial: params, ..Params::default() };
        let out = run(&options, &all, &sample);
        prop_assert_eq!(said, out.targets[0].iter().any(|&v| v != -1.0));
    }
}

/// A channel normalised inside its mask is reset to 0 outside it, whatever a channel without mask (CT)
/// contains there.
#[test]
fn only_masked_channels_are_set_to_zero() {
    let shape = [2, FULL[0], FULL[1], FULL[2]];
    let voxels: usize = FULL.iter().product();
    let mut data = Block::new(shape);
    for (i, v) in data.values_mut().iter_mut().enumerate() {
        let outside = i < voxels && i % FULL[2] < 3;
        *v = if outside { 0.0 } else { 1.0 + (i % 7) as f32 };
    }
    let sample = Sample::whole(data, Block::new([1, FULL[0], FULL[1], FULL[2]]), None);
    let mut options = PipelineOptions::new(&PATCH, 2);
    options.ignore_label = Some(-1);
    options.use_mask_for_norm = vec![true, false];
    let noisy = |contrast: Vec<f64>| Params {
        contrast,
        ..Params::default()
    };
    let plain = run(&options, &noisy(Vec::new()), &sample);
    let stretched = run(&options, &noisy(vec![1.2, 1.2]), &sample);
    let patch: usize = PATCH.iter().product();
    let mut outside = 0;
    for (i, (before, after)) in plain.data.iter().zip(&stretched.data).enumerate() {
        let zero = i < patch && *before == 0.0;
        assert_eq!(*after == 0.0, zero, "voxel {i}");
        outside += usize::from(zero);
    }
    assert!(outside > 100);
}

/// Half the volume is annotated. With the reference's rules unlabelled voxels become background with image 0.
/// With this package's rules the image is the same as without any labels.
#[test]
fn unlabelled_voxels_keep_their_image() {
    let shape = [1, FULL[0], FULL[1], FULL[2]];
    let mut data = Block::new(shape);
    for (i, v) in data.values_mut().iter_mut().enumerate() {
        // Some voxels are exactly 0: outside the nonzero mask.
        *v = if i % FULL[2] < 3 {
            0.0
        } else {
            1.0 + (i % 7) as f32
        };
    }
    let mut seg = Block::new(shape);
    for (i, v) in seg.values_mut().iter_mut().enumerate() {
        *v = if i / (FULL[1] * FULL[2]) < 7 { -1 } else { 0 };
    }
    let mut options = PipelineOptions::new(&PATCH, 1);
    options.ignore_label = Some(-1);
    options.use_mask_for_norm = vec![true];
    let sample = Sample::whole(data, seg, None);
    let contrast = |contrast: Vec<f64>| Params {
        contrast,
        ..Params::default()
    };
    let plain = run(&options, &contrast(Vec::new()), &sample);
    let stretched = run(&options, &contrast(vec![1.2]), &sample);
    let (mut visible, mut empty) = (0, 0);
    for ((before, after), label) in plain.data.iter().zip(&stretched.data).zip(&plain.targets[0]) {
        if *before == 0.0 {
            assert_eq!(*after, 0.0, "outside the mask the image is reset to 0");
            empty += 1;
        } else {
            assert_ne!(*after, 0.0);
            visible += usize::from(*label == -1.0);
        }
    }
    assert!(visible > 100 && empty > 100);
    options.reference_rules = true;
    let blank = run(&options, &contrast(Vec::new()), &sample);
    let erased = blank
        .data
        .iter()
        .zip(&blank.targets[0])
        .filter(|(v, l)| **l == -1.0 && **v == 0.0)
        .count();
    assert_eq!(erased, blank.targets[0].iter().filter(|l| **l == -1.0).count());
}

#[test]
fn another_ignore_label_keeps_minus_one_for_the_mask() {
    let shape = [1, 1, 4, 4];
    let mut data = Block::new(shape);
    data.values_mut().fill(2.0);
    let mut seg = Block::new(shape);
    seg.values_mut()[..4].copy_from_slice(&[-1, 9, 0, 1]);
    let mut options = PipelineOptions::new(&[4, 4], 1);
    options.ignore_label = Some(9);
    options.use_mask_for_norm = vec![true];
    let out = run(&options, &Params::default(), &Sample::whole(data, seg, None));
    assert_eq!(out.targets[0][..4], [0.0, 9.0, 0.0, 1.0]);
    assert_eq!(out.data[..4], [0.0, 2.0, 2.0, 2.0]);
}

#[test]
fn an_undrawn_transform_crops_without_interpolation_at_any_centre() {
    let shape = [1, FULL[0], FULL[1], FULL[2]];
    let mut data = Block::new(shape);
    data.values_mut()
        .iter_mut()
        .enumerate()
        .for_each(|(i, v)| *v = i as f32);
    let sample = Sample::whole(data, Block::new(shape), None);
    for (center, start) in [
        ([7.0, 8.0, 9.0], [1, 2, 2]),
        ([6.5, 7.5, 8.5], [1, 2, 2]),
        ([2.5, 7.5, 8.5], [-3, 2, 2]),
    ] {
        let mut out = Sample::default();
        let rules = rules(LabelRule::Annotated { ignore: -1 }, false);
        apply_spatial(&SpatialParams::default(), Some(center), &rules, &sample, &mut out).expect("apply");
        for (i, &v) in out.data.values().iter().enumerate() {
            let at = [i / (PATCH[1] * PATCH[2]), i / PATCH[2] % PATCH[1], i % PATCH[2]];
            let from: [isize; 3] = std::array::from_fn(|a| at[a] as isize + start[a]);
            if from[0] < 0 {
                assert_eq!((v, out.seg.values()[i]), (0.0, -1));
            } else {
                let from = (from[0] as usize * FULL[1] + from[1] as usize) * FULL[2] + from[2] as usize;
                assert_eq!((v, out.seg.values()[i]), (from as f32, 0));
            }
        }
    }
}
