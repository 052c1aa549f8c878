//! Compares sliding-window prediction with recorded runs of `SegmentationNetwork.predict_3D`.

use std::sync::Arc;

use engine::network::{GenericUNet, State};
use engine::Architecture;
use inference::{Predictor, WindowOptions};
use ndarray::{Array4, Ix4};
use run::Context;
use serde_json::Value;
use tch::{Device, Kind};

fn sizes<T: TryFrom<u64>>(value: &Value) -> Vec<T> {
    let number = |v: &Value| v.as_u64().and_then(|n| T::try_from(n).ok());
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| number(v).unwrap())
        .collect()
}

fn lists(value: &Value) -> Vec<Vec<i64>> {
    value.as_array().unwrap().iter().map(sizes).collect()
}

/// The patch size of a recorded run.
fn patch_of(run: &str, parameters: &Value) -> Vec<usize> {
    sizes(&parameters["runs"][run]["args"]["patch_size"])
}

/// The name of a recorded run of a 3D network, and its patch size.
fn run_3d(parameters: &Value) -> (&str, Vec<usize>) {
    let runs = parameters["runs"].as_object().unwrap().keys();
    runs.map(|name| (name.as_str(), patch_of(name, parameters)))
        .find(|(_, patch)| patch.len() == 3)
        .unwrap()
}

/// The network of a recorded run, 2D or 3D like its patch. The fold is the end of the run's name, or else the
/// first one.
fn network(run: &str, parameters: &Value) -> GenericUNet {
    changed_network(run, parameters, |_| ())
}

/// [`network`] with changed weights.
fn changed_network(run: &str, parameters: &Value, change: impl FnOnce(&mut State)) -> GenericUNet {
    let name = if patch_of(run, parameters).len() == 2 {
        "net2d"
    } else {
        "net3d"
    };
    let args = &parameters["network_args"][name];
    let fold = run.rsplit_once("_fold").map_or("0", |(_, fold)| fold);
    let folder = testkit::folder("inference");
    let of_fold = folder.join(format!("weights_{name}_fold{fold}.npz"));
    let file = match of_fold.is_file() {
        true => of_fold,
        false => folder.join(format!("weights_{name}.npz")),
    };
    let architecture = Architecture {
        input_channels: args["input_channels"].as_i64().unwrap(),
        classes: args["num_classes"].as_i64().unwrap(),
        base_features: args["base_num_features"].as_i64().unwrap(),
        conv_per_stage: serde_json::from_value(
            parameters["network_args"]["common"]["num_conv_per_stage"].clone(),
        )
        .unwrap(),
        pools: lists(&args["pool_op_kernel_sizes"]),
        kernels: lists(&args["conv_kernel_sizes"]),
    };
    let mut state = testkit::npz(&file)
        .into_iter()
        .map(|(key, values)| (key, values.mapv(|v| v as f32)))
        .collect();
    change(&mut state);
    GenericUNet::from_state(architecture, &state, Device::Cpu).unwrap()
}

fn predict(run: &str, parameters: &Value, image: &Array4<f32>) -> Array4<f32> {
    let args = &parameters["runs"][run]["args"];
    let mirror_axes = match args["do_mirroring"].as_bool().unwrap() {
        true => sizes(&args["mirror_axes"]),
        false => Vec::new(),
    };
    let options = WindowOptions {
        step_size: args["step_size"].as_f64().unwrap(),
        mirror_axes,
        gaussian: args["use_gaussian"].as_bool().unwrap(),
    };
    let network = network(run, parameters);
    let predictor = Predictor::new(&network, Kind::Float, &patch_of(run, parameters), options).unwrap();
    let mut tiles = 0;
    let context = Context::silent(1);
    let softmax = predictor
        .softmax(image.view(), &context, &mut || tiles += 1)
        .unwrap();
    assert_eq!(tiles, predictor.tiles(&image.shape()[1..]), "{run}");
    softmax
}

#[test]
fn softmax_equals_the_recorded_runs() {
    let folder = testkit::folder("inference");
    let parameters = testkit::json(&folder.join("params.json"));
    let runs = parameters["runs"].as_object().unwrap();
    // nnU-Net's mode without tiles is not supported: a volume that fits into memory whole fits a tile of its
    // size.
    let tiled = runs
        .iter()
        .filter(|(_, run)| run["args"]["use_sliding_window"].as_bool() == Some(true));
    let mut count = 0;
    for (name, run) in tiled {
        let arrays = testkit::npz(&folder.join("predict").join(format!("{name}.npz")));
        let image = arrays["x"]
            .mapv(|v| v as f32)
            .into_dimensionality::<Ix4>()
            .unwrap();
        let softmax = predict(name, &parameters, &image);
        // float32 convolutions in another order; the recorded networks are untrained and have near ties.
        let found = softmax.mapv(f64::from).into_dyn();
        testkit::assert_close(&found, &arrays["softmax"], 1e-4, 0.0, name);
        if run["args"]["regions_class_order"].is_null() {
            let labels =
                resample::decide(softmax.view(), &resample::Decision::Argmax, &run::Cancel::new()).unwrap();
            let share = testkit::agreement(&labels.mapv(f64::from).into_dyn(), &arrays["seg"], name);
            assert!(share >= 0.999, "{name}: {share}");
        }
        count += 1;
    }
    assert!(count > 0);
}

/// Scales the input of every output convolution down, and its weights up to the end of the range of float32, which is
/// above that of bfloat16. The products are in its range.
fn exceed_bfloat16(state: &mut State) {
    const LARGE: f32 = 3.4e38;
    for (name, values) in state {
        if name.starts_with("seg_outputs") {
            let largest = values
                .iter()
                .fold(0.0, |largest: f32, value| largest.max(value.abs()));
            values.mapv_inplace(|value| value / largest * LARGE);
        } else if name.contains("conv_blocks_localization") && name.contains("instnorm") {
            values.mapv_inplace(|value| value * 1e-37);
        }
    }
}

#[test]
fn a_softmax_beyond_the_range_of_half_precision_is_predicted_again_in_float32() {
    let parameters = testkit::json(&testkit::folder("inference").join("params.json"));
    let (run, patch) = run_3d(&parameters);
    let network = changed_network(run, &parameters, exceed_bfloat16);
    let channels = parameters["network_args"]["net3d"]["input_channels"]
        .as_u64()
        .unwrap();
    let image = Array4::from_shape_fn(
        (channels as usize, patch[0], patch[1], patch[2]),
        |(c, z, y, x)| ((c + z * 3 + y * 5 + x * 7) % 11) as f32 / 5.0 - 1.0,
    );
    let softmax = |kind| {
        let predictor = Predictor::new(&network, kind, &patch, WindowOptions::default()).unwrap();
        let events = Arc::new(testkit::Recorder::default());
        let context = Context::new(events.clone(), run::Cancel::new(), 1);
        let mut tiles = 0;
        let found = predictor
            .softmax_of(Some("a"), image.view(), &context, &mut || tiles += 1)
            .unwrap();
        assert_eq!(tiles, 1);
        (found, events.warnings())
    };
    let (expected, warnings) = softmax(Kind::Float);
    assert!(warnings.is_empty());
    // The classes differ.
    assert!(expected
        .iter()
        .any(|value| (value - expected[[0, 0, 0, 0]]).abs() > 0.1));
    let (found, warnings) = softmax(Kind::BFloat16);
    assert_eq!(warnings, ["WARN_PRECISION_OVERFLOW"]);
    assert_eq!(found, expected);
}

#[test]
fn nonsense_is_refused() {
    let parameters = testkit::json(&testkit::folder("inference").join("params.json"));
    let (run, patch) = run_3d(&parameters);
    let network = network(run, &parameters);
    for step_size in [0.0, -1.0, 1.5, f64::NAN] {
        let options = WindowOptions {
            step_size,
            ..WindowOptions::default()
        };
        assert!(Predictor::new(&network, Kind::Float, &patch, options).is_err());
    }
    let options = WindowOptions {
        mirror_axes: vec![3],
        ..WindowOptions::default()
    };
    assert!(Predictor::new(&network, Kind::Float, &patch, options).is_err());
    assert!(Predictor::new(&network, Kind::Float, &patch, WindowOptions::default()).is_ok());
}

#[test]
fn cancellation_stops_between_batches_of_tiles() {
    let parameters = testkit::json(&testkit::folder("inference").join("params.json"));
    let (run, patch) = run_3d(&parameters);
    let channels = parameters["network_args"]["net3d"]["input_channels"]
        .as_u64()
        .unwrap();
    let network = network(run, &parameters);
    let options = WindowOptions {
        mirror_axes: Vec::new(),
        ..WindowOptions::default()
    };
    let predictor = Predictor::new(&network, Kind::Float, &patch, options).unwrap();
    let context = Context::silent(1);
    // More than one row of tiles, which are separate batches.
    let image = Array4::<f32>::zeros((channels as usize, 2 * patch[0], 2 * patch[1], 2 * patch[2]));
    let cancel = context.cancel().clone();
    let mut tiles = 0;
    let result = predictor.softmax(image.view(), &context, &mut || {
        tiles += 1;
        cancel.cancel();
    });
    assert!(matches!(result, Err(inference::Error::Cancelled(_))));
    assert!(
        tiles > 0 && tiles < predictor.tiles(&image.shape()[1..]),
        "{tiles}"
    );
}
