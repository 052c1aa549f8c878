use std::path::PathBuf;

use dataset::Plans;
use tch::{Device, Kind};
use testkit::assert_close;

use super::*;
use crate::network::{GenericUNet, Heads};
use crate::{tensor, Architecture};

/// All `.model` files of the recordings.
fn recorded() -> Vec<PathBuf> {
    let mut found = testkit::files_below(&testkit::folder("checkpoint"));
    found.retain(|path| path.extension().is_some_and(|e| e == "model"));
    assert!(!found.is_empty());
    found
}

#[test]
fn a_recorded_checkpoint_is_read_completely() {
    let tensors = testkit::npz(&testkit::folder("checkpoint").join("checkpoint_tensors.npz"));
    let mut compared = 0;
    for path in recorded() {
        let checkpoint = Checkpoint::read(&path).unwrap();
        assert!(checkpoint.epochs > 0 && checkpoint.curves.metric.len() as u64 == checkpoint.epochs);
        assert!(checkpoint.best.metric.is_some() && checkpoint.position.is_none());
        let optimizer = checkpoint.optimizer.as_ref().unwrap();
        assert_eq!(optimizer.momentum, 0.99);
        // The recorded tensors are from the final checkpoint, in both formats.
        if !path.ends_with("model_final_checkpoint.model")
            && !path.ends_with("compat/model_legacy_nonzip.model")
        {
            continue;
        }
        for (name, values) in &checkpoint.state {
            assert_close(
                &values.mapv(f64::from),
                &tensors[&format!("state_dict/{name}")],
                0.0,
                0.0,
                name,
            );
            compared += 1;
        }
        for (i, momentum) in optimizer.momenta.iter().enumerate() {
            let expected = tensors.get(&format!("momentum/{i}"));
            assert_eq!(momentum.is_some(), expected.is_some(), "momentum {i}");
            if let (Some(found), Some(expected)) = (momentum, expected) {
                assert_close(
                    &found.mapv(f64::from),
                    expected,
                    0.0,
                    0.0,
                    &format!("momentum {i}"),
                );
            }
        }
    }
    assert!(compared > 0);
}

#[test]
fn a_recorded_checkpoint_gives_the_recorded_outputs() {
    let arrays = testkit::npz(&testkit::folder("checkpoint").join("forward.npz"));
    let path = recorded()
        .into_iter()
        .find(|p| p.ends_with("model_final_checkpoint.model"))
        .unwrap();
    let info = Info::read(&path.with_extension("model.pkl")).unwrap();
    assert!(info.class.contains(&info.name), "{info:?}");
    let plans = Plans::from_value(&info.plans).unwrap();
    let stage = usize::try_from(info.init.as_items().unwrap()[5].as_i64().unwrap()).unwrap();
    let architecture = Architecture::from_plans(&plans, stage, false).unwrap();
    let state = Checkpoint::read(&path).unwrap().state;
    let network = GenericUNet::from_state(architecture, &state, Device::Cpu).unwrap();
    assert!(
        network.names().eq(state.iter().map(|(name, _)| name.as_str())),
        "order of the state"
    );
    let input = tensor::from_array(&arrays["input"].mapv(|v| v as f32).view()).unwrap();
    let outputs = network
        .forward(&input, &network.weights(Kind::Float).unwrap(), Heads::All)
        .unwrap();
    for (i, output) in outputs.iter().enumerate() {
        let found = tensor::to_array(output).unwrap().mapv(f64::from);
        assert_close(
            &found,
            &arrays[&format!("head_{i}")],
            5e-5,
            5e-5,
            &format!("head {i}"),
        );
    }
}

#[test]
fn a_written_checkpoint_is_read_back_equal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model_latest.model");
    let original = recorded()
        .into_iter()
        .find(|p| p.ends_with("model_final_checkpoint.model"))
        .unwrap();
    let mut checkpoint = Checkpoint::read(&original).unwrap();
    checkpoint.loss_scale = Some(LossScale {
        scale: 4096.0,
        growth_tracker: 17,
    });
    checkpoint.position = Some(Position {
        seed: u64::MAX,
        iteration: 7,
        losses: (-0.1, 3),
        norms: (2.5, 2),
        options: "{\"a\":1}".to_owned(),
    });
    checkpoint.write(&path).unwrap();
    assert_eq!(Checkpoint::read(&path).unwrap(), checkpoint);

    let info = Info::read(&original.with_extension("model.pkl")).unwrap();
    info.write(&path.with_extension("model.pkl")).unwrap();
    let again = Info::read(&path.with_extension("model.pkl")).unwrap();
    assert_eq!(
        (again.init, again.name, again.class, again.plans),
        (info.init, info.name, info.class, info.plans)
    );
}

#[test]
fn an_invalid_file_is_rejected_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.model");
    write_checkpoint(&path, &Dict::new().with("epoch", 1i64).into()).unwrap();
    let error = Checkpoint::read(&path).unwrap_err().to_string();
    assert!(
        error.contains("x.model") && error.contains("plot_stuff"),
        "{error}"
    );
    std::fs::write(&path, b"PK\x03\x04 truncated").unwrap();
    assert!(Checkpoint::read(&path).is_err());
}
