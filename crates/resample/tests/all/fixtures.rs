//! Recorded values of the reference. Each folder's `params.json` lists the files and their parameters.
#![expect(clippy::unwrap_used, reason = "test support")]

use std::collections::BTreeMap;

use ndarray::{Array3, Array4, ArrayD, Axis, Ix3, Ix4};
use resample::export::{export_segmentation, export_softmax, segmentation_of};
use resample::export::{ExportOptions, Placement, SpacingAxes};
use resample::*;
use run::Cancel;
use serde_json::Value;
use testkit::{assert_close, folder, json, npz};

const TOPIC: &str = "resampling";

type Arrays = BTreeMap<String, ArrayD<f64>>;

/// Returns the recordings of one folder: name, parameters, arrays.
fn recordings(name: &str) -> Vec<(String, Value, Arrays)> {
    let folder = folder(TOPIC).join(name);
    let params = json(&folder.join("params.json"));
    let found: Vec<_> = params
        .as_object()
        .unwrap()
        .iter()
        .map(|(case, parameters)| {
            (
                case.clone(),
                parameters.clone(),
                npz(&folder.join(format!("{case}.npz"))),
            )
        })
        .collect();
    assert!(!found.is_empty(), "no recording in {}", folder.display());
    found
}

fn numbers<const N: usize>(value: &Value) -> [f64; N] {
    let values: Vec<f64> = value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect();
    values.try_into().unwrap()
}

fn sizes(value: &Value) -> [usize; 3] {
    numbers::<3>(value).map(|v| v as usize)
}

fn order(value: &Value, default: Order) -> Order {
    value
        .as_i64()
        .map_or(default, |order| Order::try_from(order).unwrap())
}

fn separate_z(value: &Value) -> SeparateZ {
    match value.as_bool() {
        None => SeparateZ::Auto,
        Some(true) => SeparateZ::Always,
        Some(false) => SeparateZ::Never,
    }
}

fn image(array: &ArrayD<f64>) -> Array4<f32> {
    array.mapv(|v| v as f32).into_dimensionality::<Ix4>().unwrap()
}

/// Labels of 3D arrays, of 2D arrays as one plane, and of the first channel of 4D arrays.
fn labels(array: &ArrayD<f64>) -> Array3<i16> {
    let array = match array.ndim() {
        2 => array.clone().insert_axis(Axis(0)),
        4 => array.index_axis(Axis(0), 0).to_owned(),
        _ => array.clone(),
    };
    array.mapv(|v| v as i16).into_dimensionality::<Ix3>().unwrap()
}

/// 1e-5 of the largest value for orders 0 and 1, 1e-3 of the standard deviation for order 3.
fn tolerance(expected: &ArrayD<f64>, order: Order) -> f64 {
    match order {
        Order::Cubic => (1e-3 * expected.std(0.0)).max(1e-6),
        _ => 1e-5 * expected.iter().fold(1.0, |largest: f64, v| largest.max(v.abs())),
    }
}

fn check_image(found: &Array4<f32>, expected: &ArrayD<f64>, order: Order, what: &str) {
    let found = found.mapv(f64::from).into_dyn();
    assert_close(&found, expected, tolerance(expected, order), 0.0, what);
}

/// All labels must agree, because they are decided with the reference's arithmetic.
fn check_labels(found: &Array3<i16>, expected: &ArrayD<f64>, what: &str) {
    let found = found.mapv(f64::from).into_dyn();
    let expected = labels(expected).mapv(f64::from).into_dyn();
    assert_close(&found, &expected, 0.0, 0.0, what);
}

/// Labels of a softmax may differ where two classes are equal up to rounding.
fn check_agreement(found: &Array3<i16>, expected: &ArrayD<f64>, what: &str) {
    let agreement = testkit::agreement(&found.mapv(f64::from).into_dyn(), expected, what);
    assert!(agreement >= 0.999, "{what}: only {agreement} equal");
}

#[test]
fn resize_equals_skimage() {
    let arrays = npz(&folder(TOPIC).join("skimage_resize.npz"));
    let mut tested = 0;
    for (name, expected) in arrays.iter().filter(|(name, _)| name.starts_with("resize")) {
        // resize3d_o1_to_11_6_17: dimension, order, shape.
        let mut words = name.trim_start_matches("resize").split('_');
        let input = format!("x{}", &words.next().unwrap()[..1]);
        let order = Order::try_from(words.next().unwrap()[1..].parse::<i64>().unwrap()).unwrap();
        let shape: Vec<usize> = words.skip(1).map(|w| w.parse().unwrap()).collect();
        let input = &arrays[&input];
        let found = match shape[..] {
            [y, x] => {
                let image = input.view().insert_axis(Axis(0)).into_dimensionality().unwrap();
                let resized = resize(image, [1, y, x], order).unwrap();
                resized.index_axis_move(Axis(0), 0).into_dyn()
            }
            [z, y, x] => {
                let volume = input.view().into_dimensionality().unwrap();
                resize(volume, [z, y, x], order).unwrap().into_dyn()
            }
            _ => panic!("{name}: shape {shape:?}"),
        };
        // float64 throughout. scipy truncates the edge after 12 voxels, with an error of at most 1e-7 of an
        // edge value.
        assert_close(&found, expected, 1e-9 * expected.std(0.0).max(1.0), 0.0, name);
        tested += 1;
    }
    assert!(tested > 0);
}

#[test]
fn resampled_patients_equal_recording() {
    for (name, p, arrays) in recordings("resample_patient") {
        let shape = sizes(&p["shape"]);
        let (original, target) = (numbers(&p["original_spacing"]), numbers(&p["target_spacing"]));
        let rule = separate_z(&p["force_separate_z"]);
        let base = Resampling::between(shape, original, target, rule, Order::Cubic).unwrap();
        assert_eq!(base.shape, sizes(&p["out_shape"]), "{name}: shape");
        let data = image(&arrays["data"]);
        let seg = labels(&arrays["seg"]);
        for (order, order_z, suffix) in [
            (Order::Cubic, Order::Nearest, "data_order3"),
            (Order::Linear, Order::Linear, "data_order1_orderz1"),
        ] {
            let Some(expected) = arrays.get(&format!("out_{suffix}")) else {
                continue;
            };
            let found = resample_data(
                data.view(),
                &Resampling {
                    order,
                    order_z,
                    ..base
                },
                &Cancel::new(),
            )
            .unwrap();
            check_image(&found, expected, order, &format!("{name} {suffix}"));
        }
        for (order, order_z, suffix) in [
            (Order::Linear, Order::Nearest, "seg_order1"),
            (Order::Nearest, Order::Nearest, "seg_order0"),
            (Order::Linear, Order::Linear, "seg_order1_orderz1"),
        ] {
            let Some(expected) = arrays.get(&format!("out_{suffix}")) else {
                continue;
            };
            let to = Resampling {
                order,
                order_z,
                ..base
            };
            let found = resample_segmentation(seg.view(), &to, None, &Cancel::new()).unwrap();
            check_labels(&found, expected, &format!("{name} {suffix}"));
        }
    }
}

#[test]
fn resize_segmentation_equals_batchgenerators() {
    for (name, p, arrays) in recordings("resize_segmentation") {
        let shape = match p["new_shape"].as_array().unwrap().len() {
            2 => {
                let [y, x] = numbers::<2>(&p["new_shape"]).map(|v| v as usize);
                [1, y, x]
            }
            _ => sizes(&p["new_shape"]),
        };
        let seg = labels(&arrays["seg"]);
        for (suffix, expected) in arrays
            .iter()
            .filter_map(|(n, a)| Some((n.strip_prefix("out_order")?, a)))
        {
            let order = Order::try_from(suffix.parse::<i64>().unwrap()).unwrap();
            let found = resize_segmentation(seg.view(), shape, order, None).unwrap();
            check_labels(&found, expected, &format!("{name} order {suffix}"));
        }
    }
}

#[test]
fn softmax_equals_recording_in_default_and_alternative_mode() {
    for (name, p, arrays) in recordings("softmax_default_vs_alt") {
        let to = Resampling {
            shape: sizes(&p["new_shape"]),
            separate_axis: match p["do_separate_z"].as_bool().unwrap() {
                true => Some(p["axis"][0].as_u64().unwrap() as usize),
                false => None,
            },
            order: order(&p["order"], Order::Linear),
            order_z: order(&p["order_z"], Order::Nearest),
        };
        let softmax = image(&arrays["softmax"]);
        for (mode, suffix) in [
            (ExportMode::Default, "default"),
            (ExportMode::Streamed, "default"),
            (ExportMode::Alt, "alt"),
        ] {
            let what = format!("{name} {mode:?}");
            let expected = &arrays[&format!("out_{suffix}")];
            let found = resample_softmax(softmax.view(), &to, mode, &Cancel::new()).unwrap();
            check_image(&found, expected, to.order, &what);
            let argmax = decide(image(expected).view(), &Decision::Argmax, &Cancel::new()).unwrap();
            let found =
                resample_labels(softmax.view(), &to, mode, &Decision::Argmax, &Cancel::new()).unwrap();
            check_agreement(&found, &argmax.mapv(f64::from).into_dyn(), &what);
        }
    }
}

fn export_case(p: &Value) -> (Placement, ExportOptions) {
    let facts = &p["properties"];
    let bbox = facts["crop_bbox"].as_array().map(|axes| {
        let axes: Vec<[usize; 2]> = axes
            .iter()
            .map(|axis| numbers::<2>(axis).map(|v| v as usize))
            .collect();
        axes.try_into().unwrap()
    });
    let placement = Placement {
        original_size: sizes(&facts["original_size_of_raw_data"]),
        size_after_cropping: sizes(&facts["size_after_cropping"]),
        crop_bbox: bbox,
        original_spacing: numbers(&facts["original_spacing"]),
        spacing_after_resampling: numbers(&facts["spacing_after_resampling"]),
        transpose_forward: [0, 1, 2],
    };
    let kwargs = &p["kwargs"];
    let options = ExportOptions {
        order: order(&kwargs["order"], Order::Linear),
        order_z: order(&kwargs["interpolation_order_z"], Order::Nearest),
        separate_z: separate_z(&kwargs["force_separate_z"]),
        regions: kwargs["region_class_order"]
            .as_array()
            .map(|classes| classes.iter().map(|c| c.as_i64().unwrap() as i16).collect()),
        ..ExportOptions::default()
    };
    (placement, options)
}

#[test]
fn exported_segmentations_equal_recording() {
    for (name, p, arrays) in recordings("export") {
        let (placement, mut options) = export_case(&p);
        // Labels alone are what nnU-Net's modes `fast` and `fastest` export.
        let Some(softmax) = arrays.get("softmax").map(image) else {
            continue;
        };
        for (mode, suffix) in [
            (ExportMode::Default, "default"),
            (ExportMode::Streamed, "default"),
            (ExportMode::Alt, "alt"),
        ] {
            let what = format!("{name} {mode:?}");
            options.mode = mode;
            let expected = &arrays[&format!("seg_{suffix}")];
            let found = export_segmentation(softmax.view(), &placement, &options, &Cancel::new()).unwrap();
            check_agreement(&found, expected, &what);
            let resampled = export_softmax(softmax.view(), &placement, &options, &Cancel::new()).unwrap();
            // Half a unit in the last place of float16 below 1, in addition to the tolerance of the
            // resampling.
            let stored = &arrays[&format!("npz_softmax_f16_{suffix}")];
            let slack = 2.5e-4 + tolerance(stored, options.order);
            assert_close(&resampled.mapv(f64::from).into_dyn(), stored, slack, 0.0, &what);
            let again =
                segmentation_of(resampled.view(), &placement, &options.decision(), &Cancel::new()).unwrap();
            assert_eq!(again, found, "{what}");
        }
    }
}

/// A prediction in transposed order gives the recorded result, transposed.
#[test]
fn export_of_transposed_prediction_equals_transposed_recording() {
    for (name, p, arrays) in recordings("export") {
        let (placement, options) = export_case(&p);
        let Some(softmax) = arrays.get("softmax").map(image) else {
            continue;
        };
        for forward in [[1, 0, 2], [2, 0, 1], [1, 2, 0], [2, 1, 0]] {
            let network = softmax
                .view()
                .permuted_axes([0, forward[0] + 1, forward[1] + 1, forward[2] + 1]);
            let placement = Placement {
                transpose_forward: forward,
                spacing_after_resampling: forward.map(|axis| placement.spacing_after_resampling[axis]),
                ..placement.clone()
            };
            let found = export_segmentation(network, &placement, &options, &Cancel::new()).unwrap();
            check_agreement(&found, &arrays["seg_default"], &format!("{name} {forward:?}"));
        }
    }
}

/// Only the target spacing is anisotropic, and the transpose moves its axis. nnU-Net v1 then uses the wrong
/// low-resolution axis.
#[test]
fn transposed_case_uses_its_own_low_resolution_axis() {
    let placement = Placement {
        original_size: [9, 10, 12],
        size_after_cropping: [9, 10, 12],
        crop_bbox: None,
        original_spacing: [1.0, 1.0, 1.0],
        // Network axis 0 is original axis 2.
        spacing_after_resampling: [4.0, 1.0, 1.0],
        transpose_forward: [2, 0, 1],
    };
    let options = ExportOptions::default();
    assert_eq!(placement.resampling(&options).unwrap().separate_axis, Some(0));
    let mistaken = ExportOptions {
        spacing_axes: SpacingAxes::Original,
        ..ExportOptions::default()
    };
    // Original axis 0, which is network axis 1.
    assert_eq!(placement.resampling(&mistaken).unwrap().separate_axis, Some(1));
    let identity = Placement {
        transpose_forward: [0, 1, 2],
        ..placement
    };
    assert_eq!(
        identity.resampling(&mistaken).unwrap(),
        identity.resampling(&ExportOptions::default()).unwrap()
    );
}
