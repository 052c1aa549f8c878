//! Planning compared with recorded plans of nnU-Net v1's planners.

use std::collections::BTreeMap;
use std::path::PathBuf;

use preprocess::fingerprint::Fingerprint;
use preprocess::plan::overrides::Overrides;
use preprocess::plan::pooling::{by_spacing, late, pooling, Pooling, Rule};
use preprocess::plan::stage::{stage_2d, stage_3d, Query, Stage};
use preprocess::plan::vram::{self, Network};
use preprocess::plan::{plan_2d, plan_3d, Planned, Rules};
use serde_json::{json, Value};

fn recorded() -> Vec<(PathBuf, Value)> {
    let folder = testkit::folder("planner");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    let found: Vec<_> = files
        .into_iter()
        .map(|p| (p.clone(), testkit::json(&p)))
        .collect();
    assert!(!found.is_empty(), "no recording in {}", folder.display());
    found
}

fn fingerprints() -> Vec<(PathBuf, Value)> {
    let found: Vec<_> = recorded()
        .into_iter()
        .filter(|(_, v)| v["fingerprint"].is_object())
        .collect();
    assert!(!found.is_empty(), "no fingerprint recorded");
    found
}

fn list<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{value}: {e}"))
}

fn fingerprint(recording: &Value) -> Fingerprint {
    let f = &recording["fingerprint"];
    let reductions: BTreeMap<String, f64> = list(&f["size_reductions"]);
    let names: BTreeMap<String, String> = list(&f["modalities"]);
    let count = recording["num_cases"].as_u64().unwrap();
    Fingerprint {
        crop: preprocess::Crop::Nonzero,
        cases: (0..count).map(|i| format!("case_{i:03}")).collect(),
        sizes: list(&f["all_sizes"]),
        spacings: list(&f["all_spacings"]),
        classes: list(&f["all_classes"]),
        modalities: names.into_iter().map(|(k, v)| (k.parse().unwrap(), v)).collect(),
        intensities: None,
        size_reductions: reductions.into_values().collect(),
    }
}

fn assert_near(found: &[f64], expected: &Value, what: &str) {
    let expected: Vec<f64> = list(expected);
    assert_eq!(found.len(), expected.len(), "{what}");
    for (f, e) in found.iter().zip(&expected) {
        assert!(
            (f - e).abs() <= 1e-9 * e.abs(),
            "{what}: found {found:?}, expected {expected:?}"
        );
    }
}

fn assert_stage(stage: &Stage, expected: &Value, what: &str) {
    let found = json!({
        "batch_size": stage.batch_size,
        "num_pool_per_axis": stage.pooling.per_axis,
        "patch_size": stage.pooling.patch,
        "median_patient_size_in_voxels": stage.median_shape,
        "do_dummy_2D_data_aug": stage.dummy_2d,
        "pool_op_kernel_sizes": stage.pooling.kernels,
        "conv_kernel_sizes": stage.pooling.convolutions,
    });
    for (key, value) in found.as_object().unwrap() {
        assert_eq!(value, &expected[key], "{what}: {key}");
    }
    assert_near(&stage.spacing, &expected["current_spacing"], what);
    assert_near(&stage.original_spacing, &expected["original_spacing"], what);
}

fn assert_planned(found: &Planned, expected: &Value, what: &str) {
    let plans = &expected["plans"];
    assert_near(&found.target_spacing, &expected["target_spacing"], what);
    assert_eq!(
        json!(found.transpose_forward),
        plans["transpose_forward"],
        "{what}"
    );
    assert_eq!(
        json!(found.transpose_backward),
        plans["transpose_backward"],
        "{what}"
    );
    assert_eq!(
        json!(found.normalization_schemes),
        plans["normalization_schemes"],
        "{what}"
    );
    assert_eq!(
        json!(found.use_mask_for_norm),
        plans["use_mask_for_norm"],
        "{what}"
    );
    let stages = plans["plans_per_stage"].as_object().unwrap();
    assert_eq!(found.stages.len(), stages.len(), "{what}: stages");
    for (i, stage) in found.stages.iter().enumerate() {
        assert_stage(stage, &stages[&i.to_string()], &format!("{what} stage {i}"));
    }
}

#[test]
fn plans_equal_recording() {
    // Includes the reference's treatment of a modality "ct".
    let rules = Rules {
        mask_lowercase_ct: true,
        ..Rules::default()
    };
    let none = Overrides::default();
    for (path, recording) in fingerprints() {
        let input = fingerprint(&recording);
        let both = [
            ("3d", plan_3d(&input, &rules, &none, &none)),
            ("2d", plan_2d(&input, &rules, &none)),
        ];
        for (kind, found) in both {
            let what = format!("{} {kind}", path.display());
            let expected = &recording[kind];
            match (found, expected.get("error")) {
                (Ok(found), None) => assert_planned(&found, expected, &what),
                (Err(_), Some(_)) => {}
                (Ok(_), Some(error)) => panic!("{what}: the reference raised {error}"),
                (Err(error), None) => panic!("{what}: {error}"),
            }
        }
    }
}

#[test]
fn mask_normalisation_of_ct_requires_option() {
    let mut input = fingerprint(&fingerprints()[0].1);
    input.size_reductions.fill(0.5);
    input.modalities = ["ct", "CT", "PET-CT", "MRI"]
        .map(str::to_owned)
        .into_iter()
        .enumerate()
        .collect();
    let none = Overrides::default();
    let masks = |mask_lowercase_ct| {
        let rules = Rules {
            mask_lowercase_ct,
            ..Rules::default()
        };
        plan_2d(&input, &rules, &none)
            .unwrap()
            .use_mask_for_norm
            .into_values()
            .collect::<Vec<_>>()
    };
    assert_eq!(masks(true), [true, false, false, true]);
    assert_eq!(masks(false), [false, false, false, true]);
}

#[test]
fn stages_and_memory_estimates_equal_recording() {
    for (path, recording) in fingerprints() {
        for kind in ["3d", "2d"] {
            let Some(calls) = recording[kind]["get_properties_for_stage_calls_first_and_last"].as_array()
            else {
                continue;
            };
            for call in calls {
                let what = format!("{} {kind} call {}", path.display(), call["call_index"]);
                let args = &call["args"];
                let query = Query {
                    spacing: list(&args["current_spacing"]),
                    original_spacing: list(&args["original_spacing"]),
                    median_shape: list(&args["original_shape"]),
                    cases: list(&args["num_cases"]),
                    modalities: list(&args["num_modalities"]),
                    classes: list(&args["num_classes"]),
                };
                let (stage, max_features) = match kind {
                    "3d" => (stage_3d(&query, Rule::BySpacing).unwrap(), 320),
                    _ => (stage_2d(&query).unwrap(), 512),
                };
                assert_stage(&stage, &call["returned"], &what);
                assert_eq!(json!(stage.vram_reference), recording[kind]["ref_vram"], "{what}");

                let trace = call["vram_trace"].as_array().unwrap();
                assert_eq!(
                    json!(stage.vram),
                    trace.last().unwrap()["here"],
                    "{what}: last estimate"
                );
                for step in trace {
                    let patch: Vec<usize> = list(&step["patch_size"]);
                    let spacing = &query.spacing[3 - patch.len()..];
                    let pooling = pooling(Rule::BySpacing, spacing, &patch, 4, 999).unwrap();
                    assert_eq!(
                        json!(pooling.per_axis),
                        step["num_pool_per_axis"],
                        "{what}: {step}"
                    );
                    let network = Network {
                        base_features: list(&step["base_num_features"]),
                        max_features,
                        modalities: query.modalities,
                        classes: query.classes,
                        convolutions_per_stage: 2,
                        deep_supervision: false,
                    };
                    let found = vram::estimate(&network, &patch, &pooling.kernels);
                    assert_eq!(json!(found), step["here"], "{what}: {step}");
                }
            }
        }
    }
}

#[test]
fn vram_estimates_equal_recording() {
    for call in testkit::json(&testkit::folder("planner").join("vram_function.json"))
        .as_array()
        .unwrap()
    {
        let network = Network {
            base_features: list(&call["base_num_features"]),
            max_features: list(&call["max_num_features"]),
            modalities: list(&call["num_modalities"]),
            classes: list(&call["num_classes"]),
            convolutions_per_stage: list(&call["conv_per_stage"]),
            deep_supervision: list(&call["deep_supervision"]),
        };
        let (patch, kernels): (Vec<usize>, Vec<Vec<usize>>) =
            (list(&call["patch_size"]), list(&call["pool_op_kernel_sizes"]));
        assert_eq!(
            json!(vram::estimate(&network, &patch, &kernels)),
            call["result"],
            "{call}"
        );
    }
}

#[test]
fn poolings_equal_recording() {
    let calls = testkit::json(&testkit::folder("planner").join("pool_and_conv_props.json"));
    for call in calls.as_array().unwrap() {
        let (spacing, patch): (Vec<f64>, Vec<usize>) = (list(&call["spacing"]), list(&call["patch_size"]));
        let (minimum, most) = (list(&call["min_feature_map_size"]), list(&call["max_numpool"]));
        let check = |found: Pooling, expected: &Value| {
            let found = json!({
                "num_pool_per_axis": found.per_axis,
                "pool_op_kernel_sizes": found.kernels,
                "conv_kernel_sizes": found.convolutions,
                "patch_size": found.patch,
                "must_be_divisible_by": found.divisors,
            });
            assert_eq!(&found, expected, "{call}");
        };
        check(
            by_spacing(&spacing, &patch, minimum, most),
            &call["get_pool_and_conv_props"],
        );
        let expected = &call["get_pool_and_conv_props_poolLateV2"];
        match late(&spacing, &patch, minimum, most) {
            Ok(found) => check(found, expected),
            Err(error) => assert!(expected.get("num_pool_per_axis").is_none(), "{call}: {error}"),
        }
    }
}
