//! Compares intensity transforms, mirroring, masking and targets with recordings of batchgenerators and
//! nnU-Net v1. Each runs through a whole chain that draws nothing else.

use crate::support::{entry, image, image_sample, labels, like, numbers, options_for, run, strength};
use augment::intensity::noise;
use augment::{initial_patch_size, Params, Pipeline, PipelineOptions, Sample, Workspace};
use ndarray::Array1;
use testkit::{assert_close, cases, Case};

/// Runs one recorded call and compares the image.
fn image_case(case: &Case, prepare: impl Fn(&mut PipelineOptions, &mut Params, usize)) {
    let arrays = case.arrays();
    let (data, expected) = (&arrays["data"], &arrays["out_data"]);
    let mut options = options_for(data);
    let mut params = Params::default();
    prepare(&mut options, &mut params, data.shape()[0]);
    let out = run(&options, &params, &image_sample(data));
    assert_close(&like(&out.data, expected), expected, 1e-4, 0.0, &case.file);
}

#[test]
fn gamma() {
    for case in cases("augmentation", "gamma_") {
        let p = &case.parameters;
        let flag = |name: &str| p[name].as_bool().expect(name);
        image_case(&case, |options, params, channels| {
            options.strength = strength(options, |s| s.gamma_retain_stats = flag("retain_stats"));
            let exponents = vec![p["gamma"].as_f64().expect("gamma"); channels];
            if flag("invert_image") {
                params.gamma_inverted = exponents;
            } else {
                params.gamma = exponents;
            }
        });
    }
}

#[test]
fn contrast() {
    for case in cases("augmentation", "contrast_") {
        let factor = case.parameters["factor"].as_f64().expect("factor");
        image_case(&case, |_, params, channels| {
            params.contrast = vec![factor; channels]
        });
    }
}

#[test]
fn brightness() {
    for case in cases("augmentation", "brightness_mult_") {
        let factors: Vec<f64> = case.arrays()["factors"].iter().copied().collect();
        image_case(&case, |_, params, _| params.brightness.clone_from(&factors));
    }
}

#[test]
fn blur() {
    for case in cases("augmentation", "blur_") {
        let sigma = case.parameters["sigma"].as_f64();
        image_case(&case, |_, params, channels| params.blur = vec![sigma; channels]);
    }
}

#[test]
fn low_resolution() {
    for case in cases("augmentation", "lowres_") {
        let zoom = case.parameters["zoom"].as_f64();
        let ignored = numbers(&case.parameters["ignore_axes"]);
        assert!(
            ignored.is_empty() || ignored == [0.0],
            "{}: axes {ignored:?}",
            case.file
        );
        image_case(&case, |options, params, channels| {
            options.dummy_2d = !ignored.is_empty();
            params.low_resolution = vec![zoom; channels];
        });
    }
}

#[test]
fn noise_is_added_with_the_drawn_standard_deviation() {
    for case in cases("augmentation", "noise_add_fixed") {
        let arrays = case.arrays();
        let normal: Vec<f32> = arrays["noise"].iter().map(|&v| v as f32).collect();
        let mut data = image(&arrays["data"]);
        noise::add(data.values_mut(), &normal, 1.0);
        assert_close(
            &like(data.values(), &arrays["data"]),
            &arrays["out_data"],
            1e-6,
            0.0,
            &case.file,
        );
    }
    for case in cases("augmentation", "noise_stats") {
        let arrays = case.arrays();
        let n = arrays["n"].iter().next().copied().expect("n") as usize;
        for (requested, measured) in arrays["requested_variance"].iter().zip(&arrays["measured_std"]) {
            let params = noise::NoiseParams {
                sd: *requested,
                key: [7, 8],
            };
            let mut values = vec![0.0; n];
            noise::apply(&mut values, 0, &params);
            let sd = (values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / n as f64).sqrt();
            // Both were measured over n draws; the tolerance is five standard errors of their difference.
            let tolerance = 5.0 * requested / (n as f64).sqrt() + 1e-12;
            assert!(
                (sd - measured).abs() <= tolerance,
                "{requested}: {sd}, recorded {measured}"
            );
        }
    }
}

#[test]
fn mirroring() {
    for case in cases("augmentation", "mirror_") {
        let arrays = case.arrays();
        let (data, seg) = (&arrays["data"], &arrays["seg"]);
        let axes = data.ndim() - 1;
        let mut options = options_for(data);
        let mut params = Params::default();
        for axis in &arrays["flipped_spatial_axes"] {
            params.mirror[*axis as usize + 3 - axes] = true;
        }
        let weightmap = arrays.get("weightmap").map(image);
        options.weightmap = weightmap.is_some();
        // With the ignore label -1 the targets keep -1, as in the recording.
        options.ignore_label = Some(-1);
        let out = run(
            &options,
            &params,
            &Sample::whole(image(data), labels(seg), weightmap),
        );
        assert_close(&like(&out.data, data), &arrays["out_data"], 0.0, 0.0, &case.file);
        assert_close(
            &like(&out.targets[0], seg),
            &arrays["out_seg"],
            0.0,
            0.0,
            &case.file,
        );
        if let Some(expected) = arrays.get("out_weightmap") {
            assert_close(&like(&out.weights[0], expected), expected, 0.0, 0.0, &case.file);
        }
    }
}

#[test]
fn the_mask_and_the_removed_label_equal_the_reference() {
    for case in cases("augmentation", "mask_transform") {
        let arrays = case.arrays();
        for b in 0..arrays["data"].shape()[0] {
            let (data, seg) = (entry(&arrays["data"], b), entry(&arrays["seg"], b));
            let mut options = options_for(&data);
            options.use_mask_for_norm = arrays["use_mask"].iter().map(|&v| v != 0.0).collect();
            let sample = Sample::whole(image(&data), labels(&seg), None);
            let expected = entry(&arrays["out_data"], b);
            let out = run(&options, &Params::default(), &sample);
            assert_close(&like(&out.data, &data), &expected, 0.0, 0.0, &case.file);
            // The fork's rule with an ignore label sets the image to 0 where nothing is annotated. The
            // default does not.
            options.ignore_label = Some(-1);
            options.reference_rules = true;
            let out = run(&options, &Params::default(), &sample);
            assert_close(&like(&out.data, &data), &expected, 0.0, 0.0, &case.file);
            options.reference_rules = false;
            let out = run(&options, &Params::default(), &sample);
            assert_close(&like(&out.data, &data), &data, 0.0, 0.0, &case.file);
        }
    }
    for case in cases("augmentation", "remove_label") {
        let arrays = case.arrays();
        for b in 0..arrays["seg"].shape()[0] {
            let (seg, expected) = (entry(&arrays["seg"], b), entry(&arrays["out_seg"], b));
            let sample = Sample::whole(image(&seg), labels(&seg), None);
            let out = run(&options_for(&seg), &Params::default(), &sample);
            assert_close(&like(&out.targets[0], &seg), &expected, 0.0, 0.0, &case.file);
        }
    }
}

#[test]
fn deep_supervision_targets_equal_the_reference() {
    for case in cases("augmentation", "ds_seg_") {
        let arrays = case.arrays();
        let input = &arrays["input"];
        for b in 0..input.shape()[0] {
            let seg = entry(input, b);
            let mut options = options_for(&seg);
            options.ignore_label = Some(-1);
            options.deep_supervision_scales =
                arrays["scales"].rows().into_iter().map(|r| r.to_vec()).collect();
            let sample = Sample::whole(image(&seg), labels(&seg), None);
            for (kind, chain) in [
                ("training", Pipeline::training(&options)),
                ("validation", Pipeline::validation(&options)),
            ] {
                let chain = chain.expect("chain");
                let mut out = chain.destination();
                chain
                    .apply(
                        &Params::default(),
                        None,
                        &sample,
                        &mut Workspace::default(),
                        &mut out,
                    )
                    .expect("apply");
                for (s, target) in out.targets.iter().enumerate() {
                    let expected = entry(&arrays[&format!("out_{s}")], b);
                    let what = format!("{} {kind} scale {s}", case.file);
                    assert_close(&like(target, &expected), &expected, 0.0, 0.0, &what);
                }
            }
        }
    }
}

/// Only the recording of a constant map has weights that survive interpolation. For the others the test
/// checks the shapes, and that the map keeps its range and, within the effect of halving, its mean.
#[test]
fn deep_supervision_weights_keep_shape_range_and_mean() {
    for case in cases("augmentation", "ds_weightmap") {
        let arrays = case.arrays();
        let input = &arrays["input"];
        for b in 0..input.shape()[0] {
            let map = entry(input, b);
            let mut options = options_for(&map);
            options.weightmap = true;
            options.deep_supervision_scales =
                arrays["scales"].rows().into_iter().map(|r| r.to_vec()).collect();
            let sample = Sample {
                weightmap: Some(image(&map)),
                ..image_sample(&map)
            };
            let out = run(&options, &Params::default(), &sample);
            let (low, high) = (
                map.iter().copied().fold(f64::INFINITY, f64::min),
                map.iter().copied().fold(0.0, f64::max),
            );
            for (s, weights) in out.weights.iter().enumerate() {
                let expected = entry(&arrays[&format!("out_{s}")], b);
                let found = like(weights, &expected);
                assert!(
                    found.iter().all(|w| (low - 1e-6..=high + 1e-6).contains(w)),
                    "{} scale {s}",
                    case.file
                );
                if low == high {
                    assert_close(&found, &expected, 1e-6, 0.0, &case.file);
                }
            }
        }
    }
}

#[test]
fn loaded_patch_sizes() {
    for case in cases("augmentation", "get_patch_size_") {
        let arrays = case.arrays();
        let angles = arrays
            .get("angles")
            .or_else(|| arrays.get("angle"))
            .expect("angles");
        for (i, patch) in arrays["patch"].rows().into_iter().enumerate() {
            let patch: Vec<usize> = patch.iter().map(|&n| n as usize).collect();
            let mut turned = [0.0; 3];
            for (to, from) in turned.iter_mut().zip(entry(angles, i).iter()) {
                *to = *from;
            }
            let scale = entry(&arrays["scale_range"], i)
                .iter()
                .copied()
                .fold(f64::INFINITY, f64::min);
            let found: Array1<f64> = initial_patch_size(&patch, turned, scale)
                .into_iter()
                .map(|n| n as f64)
                .collect();
            let what = format!("{} row {i}", case.file);
            assert_close(&found.into_dyn(), &entry(&arrays["result"], i), 0.0, 0.0, &what);
        }
    }
}
