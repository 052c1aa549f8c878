//! Compares the spatial transform with recordings of nnU-Net v1, batchgenerators and DIAG's fork.

use crate::support::{entry, image, labels, like, numbers};
use augment::{apply_spatial, Block, LabelRule, Sample, SpatialParams, SpatialRules};
use testkit::{agreement, assert_close, cases, Case};

/// Parameters of a recording. Angles and scale are numbers, lists or null, under one of two names.
fn parameters(case: &Case, planar: bool) -> SpatialParams {
    let p = &case.parameters;
    let angles = numbers(if p["angles"].is_null() {
        &p["angle"]
    } else {
        &p["angles"]
    });
    let scale = numbers(&p["scale"]);
    let whole = |values: &[f64], fill: f64, shift: usize| match values.len() {
        0 => None,
        1 => Some([if shift == 1 { fill } else { values[0] }, values[0], values[0]]),
        n => Some(std::array::from_fn(|a| {
            if a + n < 3 {
                fill
            } else {
                values[a + n - 3]
            }
        })),
    };
    let rotation = if planar {
        angles.first().map(|&a| [a, 0.0, 0.0])
    } else {
        whole(&angles, 0.0, 0)
    };
    SpatialParams {
        rotation,
        scale: whole(&scale, 1.0, usize::from(planar)),
        elastic: None,
    }
}

fn rules(case: &Case, patch: [usize; 3], planar: bool) -> SpatialRules {
    let order = case.parameters["order_seg"]
        .as_u64()
        .unwrap_or(if case.file.contains("weights") { 0 } else { 1 });
    let border = case.parameters["border_cval_seg"].as_i64().unwrap_or(-1) as i16;
    let (labels, outside) = if order == 0 {
        (LabelRule::Nearest, border)
    } else {
        (LabelRule::Linear, 0)
    };
    SpatialRules {
        patch,
        planar,
        labels,
        outside,
        padding: 0,
        between_voxels: true,
    }
}

#[test]
fn spatial_transforms() {
    for case in cases("augmentation", "spatial_") {
        let arrays = case.arrays();
        let (data, seg) = (&arrays["data"], &arrays["seg"]);
        let size = &data.shape()[2..];
        let patch_size: Vec<usize> = arrays["patch_size"].iter().map(|&n| n as usize).collect();
        let planar = patch_size.len() == 2;
        let mut patch = [if size.len() == 3 { size[0] } else { 1 }; 3];
        patch[3 - patch_size.len()..].copy_from_slice(&patch_size);
        let rules = rules(&case, patch, planar);
        let params = parameters(&case, planar);
        for b in 0..data.shape()[0] {
            let weightmap = arrays.get("weightmap").map(|w| image(&entry(w, b)));
            let sample = Sample::whole(image(&entry(data, b)), labels(&entry(seg, b)), weightmap.clone());
            let mut out = Sample::default();
            apply_spatial(&params, None, &rules, &sample, &mut out).expect("apply");
            let what = format!("{} sample {b}", case.file);
            let expected = entry(&arrays["out_data"], b);
            assert_close(&like(out.data.values(), &expected), &expected, 1e-4, 0.0, &what);
            let expected = entry(&arrays["out_seg"], b);
            let same = agreement(&like(out.seg.values(), &expected), &expected, &what);
            assert!(same >= 0.999, "{what}: segmentation agrees in {same}");
            if let (Some(before), Some(after)) = (weightmap, out.weightmap) {
                assert_weights_in_range(&before, &after, &what);
                if params.is_identity() {
                    let expected = entry(&arrays["out_weightmap"], b);
                    assert_close(&like(after.values(), &expected), &expected, 0.0, 0.0, &what);
                }
            }
        }
    }
}

/// Recorded weightmaps lost most of their values. Here they stay within the range of the input, or are 0
/// outside.
fn assert_weights_in_range(before: &Block<f32>, after: &Block<f32>, what: &str) {
    let low = before.values().iter().copied().fold(f32::INFINITY, f32::min);
    let high = before.values().iter().copied().fold(0.0, f32::max);
    for &w in after.values() {
        assert!(
            w == 0.0 || (low - 1e-5..=high + 1e-5).contains(&w),
            "{what}: weight {w} not in {low}..{high}"
        );
    }
}

/// The fork's sparse transform with the reference's rules: the centre is the drawn voxel, kept away from the
/// border.
#[test]
fn sparse_transforms() {
    for case in cases("sampler", "sparse_apply_") {
        let arrays = case.arrays();
        let whole = |name: &str| arrays[name].iter().map(|&v| v as usize).collect::<Vec<_>>();
        let (voxel, patch_size, dist) = (whole("voxel"), whole("patch_size"), whole("dist"));
        let (data, seg) = (entry(&arrays["data"], 0), entry(&arrays["seg"], 0));
        let axes = patch_size.len();
        let (mut patch, mut center) = ([1; 3], [0.0; 3]);
        for a in 0..axes {
            let n = data.shape()[1 + a];
            patch[a + 3 - axes] = patch_size[a];
            center[a + 3 - axes] = voxel[a].max(dist[a]).min(n - dist[a]) as f64;
        }
        let planar = axes == 2;
        let mut case = case;
        case.parameters["angles"] = case.parameters["angles_xyz_rad"].clone();
        let params = parameters(&case, planar);
        let sample = Sample::whole(image(&data), labels(&seg), None);
        let mut out = Sample::default();
        apply_spatial(
            &params,
            Some(center),
            &rules(&case, patch, planar),
            &sample,
            &mut out,
        )
        .expect("apply");
        let expected = entry(&arrays["out_data"], 0);
        assert_close(
            &like(out.data.values(), &expected),
            &expected,
            1e-4,
            0.0,
            &case.file,
        );
        let expected = entry(&arrays["out_seg"], 0);
        let same = agreement(&like(out.seg.values(), &expected), &expected, &case.file);
        assert!(same >= 0.999, "{}: segmentation agrees in {same}", case.file);
    }
}
