//! Compares patches around annotated voxels with the recordings of DIAG's sparse trainer (topic `sampler`).

use augment::spatial::LabelRule;
use augment::{apply_spatial, Block, Sample, SpatialParams, SpatialRules};
use ndarray::ArrayD;
use sampling::fork_centre;

/// The array (1, c, [z,] y, x) as (c, z, y, x) with z = 1 in 2D.
fn block<T: Copy + Default>(array: &ArrayD<f64>, convert: impl Fn(f64) -> T) -> Block<T> {
    let axes = array.ndim() - 2;
    let mut shape = [array.shape()[1], 1, 1, 1];
    shape[4 - axes..].copy_from_slice(&array.shape()[2..]);
    let mut block = Block::new(shape);
    block
        .values_mut()
        .iter_mut()
        .zip(array)
        .for_each(|(to, from)| *to = convert(*from));
    block
}

/// The last axes of (z, y, x); the others are 1.
fn whole<T: Copy>(values: &[T], fill: T) -> [T; 3] {
    let mut whole = [fill; 3];
    whole[3 - values.len()..].copy_from_slice(values);
    whole
}

#[test]
fn patches_about_drawn_voxels() {
    for case in testkit::cases("sampler", "sparse_apply_") {
        let arrays = case.arrays();
        let sizes = |name: &str| arrays[name].iter().map(|v| *v as usize).collect::<Vec<_>>();
        let (voxel, patch) = (sizes("voxel"), sizes("patch_size"));
        let sample = Sample::whole(
            block(&arrays["data"], |v| v as f32),
            block(&arrays["seg"], |v| v as i16),
            None,
        );
        let loaded = &arrays["data"].shape()[2..];
        let centre: Vec<f64> = (0..patch.len())
            .map(|d| fork_centre(voxel[d], loaded[d], patch[d]) as f64)
            .collect();
        let planar = patch.len() == 2;
        let angles: Vec<f64> = arrays["angles"].iter().copied().collect();
        let mut rotation = [0.0; 3];
        rotation[..angles.len()].copy_from_slice(&angles);
        let scale = arrays["scale"]
            .first()
            .map(|s| if planar { [1.0, *s, *s] } else { [*s; 3] });
        let params = SpatialParams {
            rotation: (!angles.is_empty()).then_some(rotation),
            scale,
            elastic: None,
        };
        let nearest = case.parameters["order_seg"] == 0;
        let rules = SpatialRules {
            patch: whole(&patch, 1),
            planar,
            labels: if nearest {
                LabelRule::Nearest
            } else {
                LabelRule::Linear
            },
            // The fork loses its -1 outside the loaded patch between the label masks.
            outside: if nearest {
                case.parameters["border_cval_seg"].as_i64().unwrap() as i16
            } else {
                0
            },
            padding: 0,
            between_voxels: true,
        };
        let mut out = Sample::default();
        apply_spatial(&params, Some(whole(&centre, 0.0)), &rules, &sample, &mut out).unwrap();
        let flat = |values: Vec<f64>| ArrayD::from_shape_vec(vec![values.len()], values).unwrap();
        let found = flat(out.data.values().iter().map(|v| f64::from(*v)).collect());
        let expected = flat(arrays["out_data"].iter().copied().collect());
        testkit::assert_close(&found, &expected, 1e-4, 0.0, &case.file);
        let found = flat(out.seg.values().iter().map(|v| f64::from(*v)).collect());
        let expected = flat(arrays["out_seg"].iter().copied().collect());
        let agreement = testkit::agreement(&found, &expected, &case.file);
        assert!(
            agreement >= 0.999,
            "{}: {agreement} of the segmentation",
            case.file
        );
    }
}
