use pickle::torch::write_checkpoint;
use run::Coded;

use super::*;

fn tensor(values: &[f32]) -> Value {
    Value::Tensor(Tensor::from_f32(vec![values.len()], values).unwrap())
}

fn root(weights: Dict) -> Dict {
    Dict::new()
        .with("network_weights", weights)
        .with("trainer_name", "nnUNetTrainer")
        .with("current_epoch", 1000i64)
        .with("_best_ema", Value::numpy_f64(0.8))
        .with(
            "logging",
            Dict::new().with("ema_fg_dice", Value::List(vec![Value::numpy_f32(0.5)])),
        )
        .with(
            "init_args",
            Dict::new().with("configuration", "2d").with("fold", 0i64),
        )
        .with("inference_allowed_mirroring_axes", Value::tuple([1i64, 0]))
}

fn read(root: Dict) -> Result<CheckpointFile, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint_final.pth");
    write_checkpoint(&path, &root.into()).unwrap();
    CheckpointFile::read(&path)
}

#[test]
fn every_parameter_has_one_name_without_prefixes() {
    let value = tensor(&[1.0, 2.0]);
    let weights = Dict::ordered()
        .with(
            "module._orig_mod.encoder.stages.0.0.convs.0.conv.weight",
            value.clone(),
        )
        .with(
            "_orig_mod.decoder.encoder.stages.0.0.convs.0.conv.weight",
            value.clone(),
        )
        .with("encoder.stages.0.0.convs.0.all_modules.0.weight", value.clone())
        .with("encoder.stages.0.0.convs.0.all_modules.2.bias", tensor(&[3.0]))
        .with("module.encoder.stages.0.0.convs.0.norm.bias", tensor(&[3.0]))
        .with(
            "encoder.stages.0.0.convs.0.norm.num_batches_tracked",
            tensor(&[7.0]),
        );
    let found = read(root(weights)).unwrap();
    let names: Vec<_> = found.state.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "encoder.stages.0.0.convs.0.conv.weight",
            "encoder.stages.0.0.convs.0.norm.bias"
        ]
    );
    assert_eq!(found.trainer, "nnUNetTrainer");
    assert_eq!(found.configuration.as_deref(), Some("2d"));
    assert_eq!(found.mirror_axes, [0, 1]);
    assert_eq!(found.epochs, Some(1000));
}

#[test]
fn a_checkpoint_without_mirroring_has_no_axes() {
    let weights = || Dict::new().with("a.weight", tensor(&[1.0]));
    let none = root(weights()).with("inference_allowed_mirroring_axes", Value::None);
    assert!(read(none).unwrap().mirror_axes.is_empty());
    let wrong = root(weights()).with("inference_allowed_mirroring_axes", Value::list([3i64]));
    assert!(read(wrong).unwrap_err().to_string().contains("axes from 0 to 2"));
}

#[test]
fn weights_that_cannot_be_used_are_refused_by_name() {
    let half = Tensor::new(TensorType::F16, vec![2], vec![0; 4]).unwrap();
    let brain = Tensor::new(TensorType::BF16, vec![2], vec![0; 4]).unwrap();
    for (value, problem) in [
        (Value::Tensor(half), "float16"),
        (Value::Tensor(brain), "bfloat16"),
        (tensor(&[f32::NAN, 1.0]), "1 values that are not finite"),
        (tensor(&[f32::INFINITY]), "not finite"),
        (Value::Int(3), "int"),
    ] {
        let error = read(root(Dict::new().with("conv.weight", value))).unwrap_err();
        assert_eq!(error.code(), "ERR_CHECKPOINT");
        let text = error.to_string();
        assert!(text.contains("conv.weight") && text.contains(problem), "{text}");
    }
    let different = Dict::new()
        .with("encoder.a.weight", tensor(&[1.0]))
        .with("decoder.encoder.a.weight", tensor(&[2.0]));
    let text = read(root(different)).unwrap_err().to_string();
    assert!(
        text.contains("encoder.a.weight and decoder.encoder.a.weight"),
        "{text}"
    );
}

#[test]
fn another_checkpoint_is_refused() {
    let v1 = Dict::new().with("state_dict", Dict::new()).with("epoch", 3i64);
    let text = read(v1).unwrap_err().to_string();
    assert!(
        text.contains("network_weights") && text.contains("nnU-Net v1"),
        "{text}"
    );
}
