//! The previous stage's segmentation as input of the network.

use augment::cascade::{CascadeOptions, CascadeParams, Operation};
use augment::{Block, Params, PipelineOptions, Sample};

use crate::support::run;

#[test]
fn the_previous_stage_becomes_one_hot_channels_mirrored_with_the_image() {
    let mut options = PipelineOptions::new(&[2, 3, 4], 1);
    options.cascade = Some(CascadeOptions::new(vec![1, 2]));
    let mut data = Block::new([1, 2, 3, 4]);
    data.values_mut()
        .iter_mut()
        .enumerate()
        .for_each(|(i, v)| *v = (i % 3) as f32);
    let mut seg = Block::new([2, 2, 3, 4]);
    // The previous stage equals what the image shows.
    seg.values_mut()[24..]
        .iter_mut()
        .enumerate()
        .for_each(|(i, v)| *v = (i % 3) as i16);
    let sample = Sample::whole(data, seg, None);
    for mirror in [[false; 3], [true, false, true], [false, true, false]] {
        let out = run(
            &options,
            &Params {
                mirror,
                ..Params::default()
            },
            &sample,
        );
        assert_eq!(out.data.len(), 3 * 24);
        let (image, channels) = out.data.split_at(24);
        for i in 0..24 {
            assert_eq!(channels[i] == 1.0, image[i] == 1.0);
            assert_eq!(channels[24 + i] == 1.0, image[i] == 2.0);
            assert_eq!(out.targets[0][i], 0.0);
        }
    }
}

#[test]
fn degraded_labels_stay_exclusive() {
    let mut options = PipelineOptions::new(&[8, 8, 8], 1);
    options.cascade = Some(CascadeOptions::new(vec![1, 2]));
    let mut seg = Block::new([2, 8, 8, 8]);
    seg.values_mut()[512..]
        .iter_mut()
        .enumerate()
        .for_each(|(i, v)| *v = [0, 1, 2, 0][i % 8 / 2]);
    let sample = Sample::whole(Block::new([1, 8, 8, 8]), seg, None);
    let with = |operation| Params {
        cascade: CascadeParams {
            morphology: vec![(2, operation, 1.2)],
            removal: Vec::new(),
        },
        ..Params::default()
    };
    let count = |params: &Params| -> [f32; 2] {
        let out = run(&options, params, &sample);
        for i in 512..1024 {
            assert!(out.data[i] + out.data[i + 512] <= 1.0);
        }
        [out.data[512..1024].iter().sum(), out.data[1024..].iter().sum()]
    };
    let plain = count(&Params::default());
    assert_eq!(plain, [128.0, 128.0]);
    // Dilated by one voxel on either side, the second label takes one column from the first.
    assert_eq!(count(&with(Operation::Dilate)), [64.0, 256.0]);
    assert_eq!(count(&with(Operation::Erode)), [128.0, 0.0]);
    assert_eq!(count(&with(Operation::Open)), [128.0, 0.0]);
}
