//! Pickles and checkpoints written by nnU-Net v1.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ndarray::{ArrayD, IxDyn};
use pickle::torch::{read_checkpoint, write_checkpoint, Tensor};
use pickle::{read, read_file, write, Limits, Protocol, Value};

fn walk(folder: &Path, wanted: &dyn Fn(&str) -> bool, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, wanted, found);
        } else if wanted(&path.to_string_lossy()) {
            found.push(path);
        }
    }
}

fn files(topic: &str, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&testkit::folder(topic), &wanted, &mut found);
    assert!(!found.is_empty(), "no such file in {topic}");
    found.sort();
    found
}

#[test]
fn recorded_pickles_round_trip() {
    for path in files("checkpoint", |n| n.ends_with(".pkl")) {
        let value = read_file(&path).unwrap();
        for protocol in [Protocol::V2, Protocol::V3, Protocol::V4] {
            let again = read(&write(&value, protocol).unwrap(), &Limits::default()).unwrap();
            assert_eq!(again, value, "{} through {protocol:?}", path.display());
        }
    }
}

#[test]
fn all_protocols_give_equal_values() {
    let plans = read_file(&files("checkpoint", |n| n.ends_with("/plans.pkl"))[0]).unwrap();
    for path in files("checkpoint", |n| n.contains("/compat/plans_")) {
        assert_eq!(read_file(&path).unwrap(), plans, "{}", path.display());
    }
}

fn dense(tensor: &Tensor) -> ArrayD<f64> {
    let values = tensor.to_f32().unwrap().into_iter().map(f64::from).collect();
    ArrayD::from_shape_vec(IxDyn(&tensor.shape), values).unwrap()
}

/// Returns the tensors of a checkpoint, by the names of the recording.
fn tensors(checkpoint: &Value) -> BTreeMap<String, ArrayD<f64>> {
    let mut found = BTreeMap::new();
    let state = checkpoint.get("state_dict").and_then(Value::as_dict).unwrap();
    for (key, value) in state.iter() {
        let Value::Tensor(tensor) = value else {
            panic!("{key:?} is not a tensor")
        };
        found.insert(format!("state_dict/{}", key.as_str().unwrap()), dense(tensor));
    }
    let optimizer = checkpoint
        .get("optimizer_state_dict")
        .and_then(|o| o.get("state"))
        .unwrap();
    for (key, value) in optimizer.as_dict().unwrap().iter() {
        if let Some(Value::Tensor(tensor)) = value.get("momentum_buffer") {
            found.insert(format!("momentum/{}", key.as_i64().unwrap()), dense(tensor));
        }
    }
    found
}

#[test]
fn tensors_equal_recording() {
    let recorded = testkit::npz(&testkit::folder("checkpoint").join("checkpoint_tensors.npz"));
    let is_final =
        |n: &str| n.ends_with("/model_final_checkpoint.model") || n.contains("/compat/model_legacy");
    let paths = files("checkpoint", is_final);
    assert!(paths.len() >= 2, "both formats are recorded");
    for path in paths {
        let found = tensors(&read_checkpoint(&path).unwrap());
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            recorded.keys().collect::<Vec<_>>(),
            "{}",
            path.display()
        );
        for (key, expected) in &recorded {
            testkit::assert_close(&found[key], expected, 0.0, 0.0, key);
        }
    }
}

#[test]
fn checkpoints_round_trip_with_plain_numbers() {
    let folder = tempfile::tempdir().unwrap();
    for path in files("checkpoint", |n| n.ends_with(".model")) {
        let value = read_checkpoint(&path).unwrap();
        let copy = folder.path().join("model_copy.model");
        write_checkpoint(&copy, &value).unwrap();
        let again = read_checkpoint(&copy).unwrap();
        assert_eq!(tensors(&again), tensors(&value), "{}", path.display());
        for key in ["epoch", "lr_scheduler_state_dict"] {
            assert_eq!(again.get(key), value.get(key));
        }
        let best = |v: &Value| v.get("best_stuff").and_then(Value::to_f64s).unwrap();
        assert_eq!(best(&again), best(&value));
        let items = again.get("best_stuff").and_then(Value::as_items).unwrap();
        assert!(
            items.iter().all(|v| !matches!(v, Value::Scalar(_))),
            "torch.load refuses numpy scalars"
        );
    }
}
