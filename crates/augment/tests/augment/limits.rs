//! Invalid options and samples are rejected with details.

use augment::{Augmented, Block, Error, Params, Pipeline, PipelineOptions, Sample, Workspace};
use run::Coded;

use crate::support::strength;

fn option_of(error: &Error) -> &str {
    match error {
        Error::Option(error) => &error.problems[0].option,
        other => panic!("{other}"),
    }
}

#[test]
fn options_are_checked() {
    let good = PipelineOptions::new(&[8, 8, 8], 2);
    let refused = |change: &dyn Fn(&mut PipelineOptions)| {
        let mut options = good.clone();
        change(&mut options);
        let error = Pipeline::training(&options).expect_err("refused");
        assert_eq!(error.code(), "ERR_OPTIONS");
        assert!(error.details()["problems"][0]["problem"].is_string());
        option_of(&error).to_owned()
    };
    assert_eq!(refused(&|o| o.patch_size = vec![8]), "patchSize");
    assert_eq!(refused(&|o| o.patch_size = vec![8, 0]), "patchSize");
    assert_eq!(refused(&|o| o.channels = 0), "channels");
    assert_eq!(refused(&|o| o.use_mask_for_norm = vec![true]), "useMaskForNorm");
    assert_eq!(
        refused(&|o| o.deep_supervision_scales = vec![vec![0.5, 0.5]]),
        "deepSupervisionScales"
    );
    assert_eq!(
        refused(&|o| o.strength = strength(o, |s| s.gamma.probability = 1.5)),
        "gamma.probability"
    );
    assert_eq!(
        refused(&|o| o.strength = strength(o, |s| s.spatial.scale = [1.4, 0.7])),
        "spatial.scale"
    );
    assert_eq!(
        refused(&|o| o.strength = strength(o, |s| s.spatial.scale = [0.0, 0.7])),
        "spatial.scale"
    );
    assert_eq!(
        refused(&|o| o.strength = strength(o, |s| s.blur.sigma = [f64::NAN, 1.0])),
        "blur.sigma"
    );
    assert_eq!(
        refused(&|o| o.strength = strength(o, |s| s.low_resolution.zoom = [0.5, 1.5])),
        "lowResolution.zoom"
    );
    assert_eq!(
        refused(&|o| o.strength = strength(o, |s| s.mirror_axes = vec![3])),
        "mirrorAxes"
    );
    assert_eq!(
        refused(&|o| o.strength = strength(o, |s| s.segmentation_order = Some(3))),
        "segmentationOrder"
    );
}

#[test]
fn samples_are_checked() {
    let options = PipelineOptions::new(&[4, 4, 4], 1);
    let chain = Pipeline::training(&options).expect("chain");
    let apply = |sample: &Sample, out: &mut Augmented| {
        chain
            .apply(&Params::default(), None, sample, &mut Workspace::default(), out)
            .map_err(|e| (e.code(), e.to_string()))
    };
    let good = Sample::whole(Block::new([1, 6, 6, 6]), Block::new([1, 6, 6, 6]), None);
    assert_eq!(apply(&good, &mut chain.destination()), Ok(()));
    let other = Block::new([1, 6, 6, 5]);
    for sample in [
        Sample {
            seg: other,
            ..good.clone()
        },
        Sample {
            data: Block::new([2, 6, 6, 6]),
            ..good.clone()
        },
        Sample {
            weightmap: Some(Block::new([1, 6, 6, 6])),
            ..good.clone()
        },
        Sample {
            full: [5, 6, 6],
            ..good.clone()
        },
        Sample {
            data: Block::new([1, 0, 6, 6]),
            seg: Block::new([1, 0, 6, 6]),
            ..good.clone()
        },
    ] {
        assert_eq!(
            apply(&sample, &mut chain.destination()).expect_err("refused").0,
            "ERR_AUGMENT_SHAPE"
        );
    }
    let (code, message) = apply(&good, &mut Augmented::default()).expect_err("refused");
    assert_eq!(code, "ERR_AUGMENT_LENGTH");
    assert!(message.contains("64"), "{message}");
    let mut dummy = options;
    dummy.dummy_2d = true;
    let chain = Pipeline::training(&dummy).expect("chain");
    let error = chain.apply(
        &Params::default(),
        None,
        &good,
        &mut Workspace::default(),
        &mut chain.destination(),
    );
    assert!(error.expect_err("refused").to_string().contains("slices"));
}

/// Patches larger than the loaded one, single-slice volumes, one-voxel patches: no panic, zeros and padding
/// outside.
#[test]
fn odd_sizes() {
    for (patch, loaded) in [
        ([1, 1, 1], [1, 1, 1]),
        ([5, 1, 7], [2, 9, 1]),
        ([3, 4, 5], [1, 1, 1]),
        ([1, 9, 2], [4, 4, 4]),
    ] {
        let mut options = PipelineOptions::new(&patch, 1);
        options.strength = strength(&options, |s| {
            s.spatial.rotation_probability = 0.7;
            s.spatial.scale_probability = 0.7;
            s.noise.probability = 0.0;
            for p in [
                &mut s.blur.probability,
                &mut s.low_resolution.probability,
                &mut s.gamma.probability,
            ] {
                *p = 0.7;
            }
        });
        let chain = Pipeline::training(&options).expect("chain");
        let mut data = Block::new([1, loaded[0], loaded[1], loaded[2]]);
        data.values_mut().fill(3.0);
        let mut seg = Block::new(data.shape());
        seg.values_mut().fill(1);
        let sample = Sample::whole(data, seg, None);
        let mut out = chain.destination();
        for i in 0..60 {
            let mut params = Params::default();
            chain.draw(
                &mut random::Rng::keyed(i, random::Purpose::TrainingTransform, 0, 0, 0),
                &mut params,
            );
            chain
                .apply(&params, None, &sample, &mut Workspace::default(), &mut out)
                .expect("apply");
            assert!(
                out.data.iter().all(|v| v.is_finite()),
                "{patch:?} of {loaded:?}: {params:?}"
            );
            assert!(out.targets[0].iter().all(|v| *v == 0.0 || *v == 1.0));
        }
    }
}
