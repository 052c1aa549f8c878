//! Models of nnU-Net v2 with random weights: folders, checkpoints, cascades, models in memory, and what is refused.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::made::{checkpoint, checkpoint_of, read_json, write_json, Work, CONFIGURATION, SECOND};
use dataset::Fold;
use inference::{Image, LoadedModel};
use ndarray::Axis;
use pickle::torch::{Tensor, TensorType};
use pickle::{Dict, Value};
use run::Coded;
use serde_json::json;
use settings::{LoadModelOptions, MemorySize};
use volume::{nifti, npz};

/// Changes the weights of a checkpoint.
fn with_weights(mut root: Dict, change: impl Fn(&str, &Value) -> Vec<(String, Value)>) -> Dict {
    let weights = root.remove("network_weights").unwrap();
    let mut changed = Dict::ordered();
    for (name, value) in weights.as_dict().unwrap().iter() {
        for (name, value) in change(name.as_str().unwrap(), value) {
            changed.set(name, value);
        }
    }
    root.with("network_weights", changed)
}

#[test]
fn a_loaded_model_gives_what_predict_writes() {
    let mut work = Work::new(CONFIGURATION);
    work.write_model(CONFIGURATION, 1);
    work.options.save_softmax = true;
    let summary = work.predict().unwrap();
    assert_eq!((summary.written, summary.failures.len()), (2, 0));
    let labels = work.labels("a");
    assert!(
        labels.iter().any(|&l| l != labels[[0, 0, 0]]),
        "the labels are all alike"
    );
    let output = &work.options.output;
    assert!(output.join("plans.json").is_file() && output.join("dataset.json").is_file());
    assert_eq!(work.predict().unwrap().skipped, 2);
    // Another model's predictions are replaced.
    work.options.folds = Some(vec![Fold::Index(0)]);
    assert_eq!(work.predict().unwrap().written, 2);
    assert!(work.events.warnings().contains(&"WARN_OUTPUT_REPLACED"));

    let mut load = LoadModelOptions::new(work.options.model.clone());
    load.compute = work.options.compute.clone();
    load.folds = work.options.folds.clone();
    let context = work.context();
    let model = LoadedModel::load(&load, &context).unwrap();
    assert_eq!(
        (model.channels(), model.classes(), model.folds()),
        (1, 3, vec!["0".to_owned()])
    );
    let file = work.options.input.join("a_0000.nii.gz");
    let found = model
        .segment(Image::Files(vec![file.clone()]), true, &context)
        .unwrap();
    assert_eq!(found.labels, work.labels("a"));
    let softmax = found.softmax.unwrap();
    let saved = npz::read::<half::f16>(&work.options.output.join("a.npz"), v2::PROBABILITIES).unwrap();
    assert_eq!(softmax.shape(), saved.shape());
    for (one, other) in softmax.iter().zip(&saved) {
        assert_eq!(half::f16::from_f32(*one), *other);
    }
    let (volume, geometry) = nifti::read_image(&file).unwrap();
    let image = Image::Volumes(vec![volume.index_axis_move(Axis(0), 0)], geometry);
    assert_eq!(
        model.segment(image, false, &context).unwrap().labels,
        found.labels
    );
    let again = work.guard.path().join("again/x.nii.gz");
    model
        .segment_to(Image::Files(vec![file.clone()]), &again, true, &context)
        .unwrap();
    assert_eq!(nifti::read_labels(&again).unwrap().0, found.labels);
    assert!(again.with_file_name("x.npz").is_file() && again.with_file_name("x.pkl").is_file());
    let wrong = model.segment_to(
        Image::Files(vec![file]),
        &again.with_file_name("x.mha"),
        false,
        &context,
    );
    assert_eq!(wrong.unwrap_err().code(), "ERR_OPTIONS");
}

/// Contents of the output of a case.
fn outputs(folder: &Path, case: &str) -> Vec<Vec<u8>> {
    let read = |extension| fs::read(folder.join(format!("{case}.{extension}"))).ok();
    ["nii.gz", "npz", "pkl"].into_iter().filter_map(read).collect()
}

#[test]
fn results_do_not_depend_on_the_memory() {
    for regions in [false, true] {
        let mut work = Work::new(CONFIGURATION);
        work.write_model(CONFIGURATION, 1);
        if regions {
            let file = work.options.model.join("dataset.json");
            let mut dataset = read_json(&file);
            dataset["labels"] = json!({"background": 0, "whole": [1, 2], "a": 1, "b": 2});
            dataset["regions_class_order"] = json!([1, 2, 300]);
            write_json(&file, &dataset);
        }
        work.options.overwrite = true;
        for save_softmax in [false, true] {
            work.options.save_softmax = save_softmax;
            let mut expected = None;
            for memory in [None, Some(MemorySize(1))] {
                work.options.memory = memory;
                work.events = Arc::default();
                assert_eq!(work.predict().unwrap().written, 2);
                let strategies: Vec<_> = work.events.strategies().iter().map(|found| found.0).collect();
                assert_eq!(strategies, [if memory.is_some() { "slabs" } else { "whole" }; 2]);
                let found = ["a", "b"].map(|case| outputs(&work.options.output, case));
                assert_eq!(found[0].len(), if save_softmax { 3 } else { 1 });
                let expected = expected.get_or_insert_with(|| found.clone());
                assert!(
                    *expected == found,
                    "regions {regions}, probabilities {save_softmax}"
                );
            }
        }
        // In memory, too.
        let load = |memory| {
            let options = LoadModelOptions {
                compute: work.options.compute.clone(),
                memory,
                ..LoadModelOptions::new(work.options.model.clone())
            };
            let model = LoadedModel::load(&options, &work.context()).unwrap();
            let file = work.options.input.join("a_0000.nii.gz");
            let image = Image::Files(vec![file]);
            model.segment(image, false, &work.context()).unwrap().labels
        };
        assert_eq!(load(None), work.labels("a"));
        assert_eq!(load(Some(MemorySize(1))), work.labels("a"));
    }
}

#[test]
fn folds_mirroring_and_the_step_change_a_prediction_and_prefixes_do_not() {
    let mut work = Work::new(CONFIGURATION);
    work.options.overwrite = true;
    work.predict().unwrap();
    let first = work.labels("a");
    // As a compiled model that was trained in parallel saves it, with the second names of every module.
    work.write_checkpoint(CONFIGURATION, 0, |root| {
        with_weights(root, |name, value| {
            let mut names = vec![format!("module._orig_mod.{name}")];
            if let Some(rest) = name.strip_prefix("encoder.") {
                names.push(format!("module._orig_mod.decoder.encoder.{rest}"));
            }
            names.push(format!("module._orig_mod.{name}").replace(".conv.", ".all_modules.0."));
            names.into_iter().map(|name| (name, value.clone())).collect()
        })
    });
    work.predict().unwrap();
    assert_eq!(work.labels("a"), first);
    let mut others = Vec::new();
    work.options.mirroring = false;
    work.predict().unwrap();
    others.push(work.labels("a"));
    work.options.mirroring = true;
    work.options.step_size = 1.0;
    work.predict().unwrap();
    others.push(work.labels("a"));
    work.write_model(CONFIGURATION, 1);
    work.options.step_size = 0.5;
    work.predict().unwrap();
    others.push(work.labels("a"));
    assert!(others.iter().all(|other| *other != first));
    // A fold without the checkpoint is left out.
    fs::create_dir(work.options.model.join("fold_2")).unwrap();
    work.predict().unwrap();
    assert!(work.events.warnings().contains(&"WARN_UNFINISHED_FOLDS"));
}

#[test]
fn the_previous_stage_of_a_cascade_is_predicted_first() {
    let mut work = Work::new(SECOND);
    let error = work.predict().unwrap_err();
    assert_eq!(error.code(), "ERR_NOT_FOUND");
    assert!(error.to_string().contains("--lowres-model"), "{error}");
    work.write_model(CONFIGURATION, 0);
    let summary = work.predict().unwrap();
    assert_eq!((summary.written, summary.failures.len()), (2, 0));
    let labels = work.labels("a");
    let lowres = work.options.output.join("3d_lowres_predictions");
    assert!(lowres.join("a.nii.gz").is_file());
    assert_eq!(work.predict().unwrap().skipped, 2);

    let load = LoadModelOptions {
        compute: work.options.compute.clone(),
        ..LoadModelOptions::new(work.options.model.clone())
    };
    let model = LoadedModel::load(&load, &work.context()).unwrap();
    let file = work.options.input.join("a_0000.nii.gz");
    let found = model
        .segment(Image::Files(vec![file]), false, &work.context())
        .unwrap();
    assert_eq!(found.labels, labels);

    // Segmentations of the previous stage by other means.
    let given = work.guard.path().join("given");
    fs::create_dir(&given).unwrap();
    fs::copy(lowres.join("a.nii.gz"), given.join("a.nii.gz")).unwrap();
    work.options.lowres_segmentations = Some(given);
    work.options.overwrite = true;
    let summary = work.predict().unwrap();
    assert_eq!(summary.written, 1);
    assert_eq!(summary.failures[0].case, "b");
    assert_eq!(work.labels("a"), labels);
}

#[test]
fn what_cannot_be_predicted_is_refused_before_a_case_is_read() {
    let refused = |change: &dyn Fn(&mut Work), code: &str, named: &[&str]| {
        let mut work = Work::new(CONFIGURATION);
        // An image that cannot be read fails its case only, so the error is of the model.
        fs::write(work.options.input.join("a_0000.nii.gz"), "rubbish").unwrap();
        change(&mut work);
        let error = work.predict().unwrap_err();
        let text = error.to_string();
        assert_eq!(error.code(), code, "{text}");
        assert!(named.iter().all(|name| text.contains(name)), "{text}");
        assert!(!work.options.output.exists(), "{text}");
    };
    let change_weights = |work: &mut Work, change: &dyn Fn(&Tensor) -> Tensor| {
        work.write_checkpoint(CONFIGURATION, 0, |root| {
            with_weights(root, |name, value| {
                let Value::Tensor(tensor) = value else {
                    return Vec::new();
                };
                vec![(name.to_owned(), Value::Tensor(change(tensor)))]
            })
        });
    };
    refused(
        &|work| work.options.folds = Some(vec![Fold::Index(3)]),
        "ERR_NOT_FOUND",
        &["fold_3", "fold_0"],
    );
    refused(
        &|work| work.options.checkpoint = "best".to_owned(),
        "ERR_NOT_FOUND",
        &["checkpoint_best.pth"],
    );
    refused(
        &|work| work.options.checkpoint = "model_x".to_owned(),
        "ERR_OPTIONS",
        &["model_x", "best"],
    );
    refused(
        &|work| work.options.export = Some(resample::ExportMode::Alt),
        "ERR_OPTIONS",
        &["export"],
    );
    refused(
        &|work| work.options.lowres_segmentations = Some(work.options.input.clone()),
        "ERR_OPTIONS",
        &["second stage"],
    );
    refused(
        &|work| fs::write(work.options.model.join("plans.pkl"), "x").unwrap(),
        "ERR_MODEL_FOLDER",
        &["plans.pkl", "plans.json"],
    );
    // Files of v1 in place of plans.json, and beside it.
    for file in ["plans.pkl", "fold_0/model_final_checkpoint.model"] {
        refused(
            &|work| {
                fs::write(work.options.model.join(file), "x").unwrap();
                fs::remove_file(work.options.model.join("plans.json")).unwrap();
            },
            "ERR_MODEL_FOLDER",
            &[file, "checkpoint_final.pth of nnU-Net v2"],
        );
    }
    refused(
        &|work| fs::write(work.options.model.join("fold_0/model_best.model"), "x").unwrap(),
        "ERR_MODEL_FOLDER",
        &["model_best.model", "plans.json"],
    );
    let plans_with = |work: &Work, change: &dyn Fn(&mut serde_json::Value)| {
        let file = work.options.model.join("plans.json");
        let mut plans = read_json(&file);
        change(&mut plans);
        write_json(&file, &plans);
    };
    // Plans of other versions.
    refused(
        &|work| plans_with(work, &|plans| plans["plans_per_stage"] = json!({})),
        "ERR_DATASET_RECORD",
        &["plans.json", "nnU-Net v1"],
    );
    refused(
        &|work| plans_with(work, &|plans| plans["configurations"] = json!(null)),
        "ERR_DATASET_RECORD",
        &["plans.json", "configurations"],
    );
    refused(
        &|work| {
            let renamed = work
                .options
                .model
                .with_file_name("nnUNetTrainer__nnUNetPlans__3d_lowres");
            fs::rename(&work.options.model, &renamed).unwrap();
            work.options.model = renamed;
        },
        "ERR_DATASET_RECORD",
        &["3d_lowres", CONFIGURATION],
    );
    // Channels of the description, of the images, and of the checkpoint.
    refused(
        &|work| {
            let file = work.options.model.join("dataset.json");
            let mut dataset = read_json(&file);
            dataset["channel_names"] = json!({"0": "MR", "1": "CT"});
            write_json(&file, &dataset);
        },
        "ERR_MODEL_FOLDER",
        &["2 channel_names", "1 normalization_schemes"],
    );
    refused(
        &|work| {
            for case in ["a", "b"] {
                let file = work.options.input.join(format!("{case}_0000.nii.gz"));
                fs::copy(&file, work.options.input.join(format!("{case}_0001.nii.gz"))).unwrap();
            }
        },
        "ERR_CASE_MODALITIES",
        &["a with 2", "expected 1"],
    );
    refused(
        &|work| work.write_checkpoint(CONFIGURATION, 0, |_| checkpoint_of(SECOND, CONFIGURATION)),
        "ERR_CHECKPOINT",
        &["checkpoint_final.pth", "shape"],
    );
    refused(
        &|work| fs::remove_file(work.options.model.join("plans.json")).unwrap(),
        "ERR_NOT_FOUND",
        &["plans.json"],
    );
    refused(
        &|work| fs::remove_file(work.options.model.join("dataset.json")).unwrap(),
        "ERR_NOT_FOUND",
        &["dataset.json"],
    );
    // Networks that are not known, by every entry that names one.
    for (entry, value) in [
        (
            json!({"architecture": {"network_class_name": "mine.UNet", "arch_kwargs": {}}}),
            "mine.UNet",
        ),
        (
            json!({"architecture": {"network_class_name": "dynamic_network_architectures.architectures.resnet.ResNetD"}}),
            "network_class_name",
        ),
        (json!({"UNet_class_name": "ResidualUNet"}), "ResidualUNet"),
        (json!({}), "UNet_class_name"),
    ] {
        refused(
            &|work| {
                plans_with(work, &|plans| {
                    let configuration = plans["configurations"][CONFIGURATION].as_object_mut().unwrap();
                    configuration.remove("architecture");
                    configuration.extend(entry.as_object().unwrap().clone());
                });
            },
            "ERR_ARCHITECTURE",
            &["plans.json", value],
        );
    }
    // One more label than the checkpoint has.
    refused(
        &|work| {
            let file = work.options.model.join("dataset.json");
            let mut dataset = read_json(&file);
            dataset["labels"]["c"] = json!(3);
            write_json(&file, &dataset);
        },
        "ERR_CHECKPOINT",
        &["checkpoint_final.pth", "decoder.seg_layers.0.weight"],
    );
    refused(
        &|work| work.write_checkpoint(CONFIGURATION, 0, |_| checkpoint(SECOND, 0)),
        "ERR_MODEL",
        &[SECOND, CONFIGURATION],
    );
    refused(
        &|work| {
            let half = |tensor: &Tensor| {
                let bytes = vec![0; 2 * tensor.shape.iter().product::<usize>()];
                Tensor::new(TensorType::F16, tensor.shape.clone(), bytes).unwrap()
            };
            change_weights(work, &half);
        },
        "ERR_CHECKPOINT",
        &["float16", "float32"],
    );
    refused(
        &|work| {
            let quantised = |tensor: &Tensor| {
                let bytes = vec![0; tensor.shape.iter().product::<usize>()];
                Tensor::new(TensorType::I8, tensor.shape.clone(), bytes).unwrap()
            };
            change_weights(work, &quantised);
        },
        "ERR_CHECKPOINT",
        &["int8", "float32"],
    );
    refused(
        &|work| {
            let nan = |tensor: &Tensor| {
                let values = vec![f32::NAN; tensor.shape.iter().product()];
                Tensor::from_f32(tensor.shape.clone(), &values).unwrap()
            };
            change_weights(work, &nan);
        },
        "ERR_CHECKPOINT",
        &["not finite"],
    );
    refused(
        &|work| {
            let root = work.options.input.join("b_0000");
            fs::rename(root.with_extension("nii.gz"), root.with_extension("nii")).unwrap();
        },
        "ERR_NO_CASES",
        &["b_0000.nii", ".nii.gz"],
    );
}
