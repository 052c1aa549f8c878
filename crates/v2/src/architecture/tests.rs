use run::Coded;
use serde_json::json;

use super::*;

fn plain(axes: usize) -> Json {
    let three = vec![3; axes];
    json!({
        "architecture": {
            "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
            "arch_kwargs": {
                "n_stages": 3,
                "features_per_stage": [4, 6, 8],
                "conv_op": format!("torch.nn.modules.conv.Conv{axes}d"),
                "kernel_sizes": [three, three, three],
                "strides": [vec![1; axes], vec![2; axes], vec![2; axes]],
                "n_conv_per_stage": [2, 3, 2],
                "n_conv_per_stage_decoder": [2, 1],
                "conv_bias": true,
                "norm_op": format!("torch.nn.modules.instancenorm.InstanceNorm{axes}d"),
                "norm_op_kwargs": {"eps": 1e-5, "affine": true},
                "dropout_op": null,
                "dropout_op_kwargs": null,
                "nonlin": "torch.nn.LeakyReLU",
                "nonlin_kwargs": {"inplace": true}
            },
            "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"]
        }
    })
}

fn read(json: &Json, patch: &[usize]) -> Result<Architecture> {
    let map = json.as_object().cloned().unwrap_or_default();
    Architecture::read(Path::new("m/plans.json"), "3d_fullres", &map, patch)
}

fn with(change: impl FnOnce(&mut Map<String, Json>)) -> Json {
    let mut json = plain(3);
    change(json["architecture"]["arch_kwargs"].as_object_mut().unwrap());
    json
}

#[test]
fn a_plain_network_is_read() {
    for axes in [2, 3] {
        let found = read(&plain(axes), &vec![16; axes]).unwrap();
        assert_eq!(found.dimensions(), axes);
        assert_eq!(found.class_name(), "PlainConvUNet");
        let blocks: Vec<_> = found.stages.iter().map(|s| (s.features, s.blocks)).collect();
        assert_eq!(blocks, [(4, 2), (6, 3), (8, 2)]);
        assert_eq!(found.decoder, [2, 1]);
        assert_eq!(found.activation, Activation::LeakyRelu { slope: 0.01 });
        let norm = found.norm.unwrap();
        assert_eq!((norm.statistics, norm.affine), (Statistics::Instance, true));
        assert_eq!(
            found.encoder,
            Encoder::Plain {
                activation_first: false
            }
        );
    }
}

#[test]
fn one_number_stands_for_every_stage_and_dropout_is_left_out() {
    let json = with(|kwargs| {
        for (key, value) in [
            ("features_per_stage", json!(5)),
            ("kernel_sizes", json!(3)),
            ("strides", json!([1, 2, [2, 2, 2]])),
            ("n_conv_per_stage", json!(2)),
            ("n_conv_per_stage_decoder", json!(1)),
            ("dropout_op", json!("torch.nn.modules.dropout.Dropout3d")),
            ("dropout_op_kwargs", json!({"p": 0.3})),
            ("norm_op", json!("torch.nn.modules.batchnorm.BatchNorm3d")),
            ("norm_op_kwargs", Json::Null),
            ("nonlin", json!("torch.nn.modules.activation.ReLU")),
            ("nonlin_first", json!(true)),
            ("deep_supervision", json!(true)),
        ] {
            kwargs.insert(key.to_owned(), value);
        }
    });
    let found = read(&json, &[8, 8, 8]).unwrap();
    assert!(found
        .stages
        .iter()
        .all(|s| s.features == 5 && s.kernel == [3, 3, 3] && s.blocks == 2));
    assert_eq!(found.stages[1].stride, [2, 2, 2]);
    assert_eq!(found.decoder, [1, 1]);
    assert_eq!(found.norm.unwrap().statistics, Statistics::Running);
    assert_eq!(found.activation, Activation::LeakyRelu { slope: 0.0 });
    assert_eq!(
        found.encoder,
        Encoder::Plain {
            activation_first: true
        }
    );
}

#[test]
fn a_residual_encoder_is_read() {
    let mut json = with(|kwargs| {
        kwargs.remove("n_conv_per_stage");
        kwargs.insert("n_blocks_per_stage".into(), json!([1, 3, 4]));
    });
    json["architecture"]["network_class_name"] =
        json!("dynamic_network_architectures.architectures.residual_unet.ResidualEncoderUNet");
    let found = read(&json, &[8, 8, 8]).unwrap();
    assert_eq!(
        found.encoder,
        Encoder::Residual {
            stem: 4,
            bottlenecks: None
        }
    );
    let kwargs = &mut json["architecture"]["arch_kwargs"];
    kwargs["block"] = json!("dynamic_network_architectures.building_blocks.residual.BottleneckD");
    kwargs["bottleneck_channels"] = json!([2, 3, 4]);
    kwargs["stem_channels"] = json!(7);
    let found = read(&json, &[8, 8, 8]).unwrap();
    let bottlenecks = Some(vec![2, 3, 4]);
    assert_eq!(found.encoder, Encoder::Residual { stem: 7, bottlenecks });
}

#[test]
fn plans_before_version_2_4_are_read() {
    let old = json!({
        "UNet_class_name": "PlainConvUNet",
        "UNet_base_num_features": 32,
        "unet_max_num_features": 100,
        "n_conv_per_stage_encoder": [2, 2, 2],
        "n_conv_per_stage_decoder": [2, 2],
        "num_pool_per_axis": [1, 2, 2],
        "pool_op_kernel_sizes": [[1, 1, 1], [1, 2, 2], [2, 2, 2]],
        "conv_kernel_sizes": [[1, 3, 3], [3, 3, 3], [3, 3, 3]],
    });
    let found = read(&old, &[8, 16, 16]).unwrap();
    let features: Vec<_> = found.stages.iter().map(|s| s.features).collect();
    assert_eq!(features, [32, 64, 100]);
    assert_eq!(found.stages[0].kernel, [1, 3, 3]);
    assert_eq!(found.stages[1].stride, [1, 2, 2]);
    assert!(found.bias && found.norm.unwrap().affine);
    let mut unknown = old;
    unknown["UNet_class_name"] = json!("MyUNet");
    let error = read(&unknown, &[8, 16, 16]).unwrap_err().to_string();
    assert!(
        error.contains("UNet_class_name is \"MyUNet\"") && error.contains("PlainConvUNet or"),
        "{error}"
    );
}

#[test]
fn what_is_not_known_is_refused_by_name() {
    let mut other = plain(3);
    other["architecture"]["network_class_name"] =
        json!("dynamic_network_architectures.architectures.primus.Primus");
    let error = read(&other, &[8; 3]).unwrap_err();
    assert_eq!(error.code(), "ERR_ARCHITECTURE");
    assert!(error.to_string().contains("primus.Primus"), "{error}");
    other["architecture"]["network_class_name"] = json!("mine.PlainConvUNet");
    assert!(read(&other, &[8; 3]).is_err());

    for (key, value, named) in [
        ("norm_op", json!("torch.nn.GroupNorm"), "GroupNorm"),
        ("norm_op", json!("torch.nn.InstanceNorm2d"), "InstanceNorm2d"),
        ("norm_op_kwargs", json!({"groups": 3}), "groups"),
        ("nonlin", json!("torch.nn.PReLU"), "PReLU"),
        ("nonlin_kwargs", json!({"slope": 3}), "slope"),
        ("conv_op", json!("torch.nn.Conv2d"), "Conv2d"),
        ("kernel_sizes", json!(2), "odd"),
        ("kernel_sizes", json!([[3, 3, 3]]), "3 lists of 3"),
        ("strides", json!(2), "first stage"),
        ("strides", json!([1, 0, 2]), "strides"),
        ("n_stages", json!(1), "n_stages"),
        ("n_stages", json!(1_000_000), "n_stages"),
        ("features_per_stage", json!([4, 6]), "features_per_stage"),
        ("features_per_stage", json!([4, 6, -8]), "features_per_stage"),
        (
            "n_conv_per_stage_decoder",
            Json::Null,
            "n_conv_per_stage_decoder is missing",
        ),
        ("squeeze_excitation", json!(true), "squeeze_excitation"),
    ] {
        let error = read(&with(|kwargs| drop(kwargs.insert(key.into(), value))), &[8; 3]).unwrap_err();
        assert!(error.to_string().contains(named), "{key}: {error}");
    }
    // Statistics of the batch would make a prediction depend on the other tiles.
    let batch = with(|kwargs| {
        kwargs.insert("norm_op".into(), json!("torch.nn.BatchNorm3d"));
        kwargs.insert("norm_op_kwargs".into(), json!({"track_running_stats": false}));
    });
    assert!(read(&batch, &[8; 3])
        .unwrap_err()
        .to_string()
        .contains("track_running_stats"));
    let error = read(&plain(3), &[8, 8, 10]).unwrap_err().to_string();
    assert!(
        error.contains("patch_size") && error.contains("multiple of 4"),
        "{error}"
    );
}
