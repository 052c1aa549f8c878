//! `evaluate_folder` compared with the recorded reference.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use evaluate::{
    evaluate, evaluate_folder, read_summary, Error, EvaluateOptions, MetricOptions, Region, Scores,
};
use ndarray::Array3;
use proptest::prelude::*;
use run::{Cancel, Coded, Context, Event};
use serde_json::Value;
use volume::{nifti, Geometry};

/// Returns the scenario folders of the topic.
fn scenarios() -> Vec<PathBuf> {
    let entries = fs::read_dir(testkit::folder("evaluation")).unwrap();
    let folders = entries
        .map(|e| e.unwrap().path())
        .filter(|path| path.join("expected.json").exists());
    let folders: Vec<PathBuf> = folders.collect();
    assert!(!folders.is_empty());
    folders
}

fn region(recorded: &Value) -> Region {
    let label = |v: &Value| i16::try_from(v.as_i64().unwrap()).unwrap();
    match recorded.as_array() {
        None => Region::Label(label(recorded)),
        Some(pair) => {
            let labels = pair[0]
                .as_array()
                .map_or_else(|| vec![label(&pair[0])], |l| l.iter().map(label).collect());
            Region::Named {
                name: pair[1].as_str().unwrap().to_owned(),
                labels,
            }
        }
    }
}

fn check(what: &str, found: &Scores, expected: &Value) {
    let found = serde_json::to_value(found).unwrap();
    let expected = expected.as_object().unwrap();
    assert_eq!(found.as_object().unwrap().len(), expected.len(), "{what}");
    for (metric, expected) in expected {
        let (found, expected) = (found[metric].as_f64(), expected.as_f64());
        let tolerance = if metric.starts_with("Hausdorff") {
            1e-6
        } else {
            1e-12
        };
        match (found, expected) {
            (Some(f), Some(e)) => assert!((f - e).abs() <= tolerance, "{what} {metric}: {f}, expected {e}"),
            (None, None) => {}
            other => panic!("{what} {metric}: {other:?}"),
        }
    }
}

#[test]
fn recorded_folders_give_recorded_scores() {
    let output = tempfile::tempdir().unwrap();
    for scenario in scenarios() {
        let expected = testkit::json(&scenario.join("expected.json"));
        let mut options = EvaluateOptions::new(scenario.join("gt"), scenario.join("pred"));
        let labels = expected["labels"].as_array().unwrap();
        options.labels = Some(labels.iter().map(region).collect());
        options.hausdorff = expected["kwargs"]["advanced"].as_bool().unwrap_or(false);
        // As the reference does.
        options.absent_labels = true;
        options.output = Some(output.path().join("summary.json"));
        let found = evaluate_folder(&options, &Context::silent(2)).unwrap();
        assert_eq!(found.failures, []);
        let recorded = expected["results"]["all"].as_array().unwrap();
        assert_eq!(found.results.all.len(), recorded.len());
        for (case, recorded) in found.results.all.iter().zip(recorded) {
            let name = |path: &str| Path::new(path).file_name().unwrap().to_owned();
            assert_eq!(name(&case.test), name(recorded["test"].as_str().unwrap()));
            for (region, scores) in &case.regions {
                check(&format!("{} {region}", case.test), scores, &recorded[region]);
            }
            assert_eq!(case.regions.len() + 2, recorded.as_object().unwrap().len());
        }
        let means = expected["results"]["mean"].as_object().unwrap();
        assert_eq!(found.results.mean.len(), means.len());
        for (region, scores) in &found.results.mean {
            check(
                &format!("{} mean {region}", scenario.display()),
                scores,
                &means[region],
            );
        }
        // Python's file, with bare NaN, has the computed results.
        let python = read_summary(&scenario.join("pred/summary.json")).unwrap();
        assert_same(&python.results.mean, &found.results.mean);
        // The written file reads back, with null as NaN.
        assert_same(&read_summary(&found.output).unwrap().results, &found.results);
        options.bare_nan = true;
        evaluate_folder(&options, &Context::silent(1)).unwrap();
        assert_same(&read_summary(&found.output).unwrap().results, &found.results);
        let strict: Result<Value, _> = serde_json::from_str(&fs::read_to_string(&found.output).unwrap());
        assert_eq!(
            strict.is_err(),
            expected["contains_bare_NaN_token"].as_bool().unwrap()
        );
    }
}

/// Panics unless both are equal: numbers to 1e-6, NaN equals NaN.
fn assert_same(found: &impl serde::Serialize, expected: &impl serde::Serialize) {
    fn same(found: &Value, expected: &Value) -> bool {
        match (found, expected) {
            (Value::Object(a), Value::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
            }
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }
            (Value::Number(a), Value::Number(b)) => {
                let difference = a.as_f64().unwrap() - b.as_f64().unwrap();
                difference.abs() <= 1e-6
            }
            (a, b) => a == b,
        }
    }
    let [found, expected] = [serde_json::to_value(found), serde_json::to_value(expected)].map(Result::unwrap);
    assert!(same(&found, &expected), "found {found}, expected {expected}");
}

struct Folders {
    _guard: tempfile::TempDir,
    options: EvaluateOptions,
}

/// Two folders of 2 x 2 x 2 label maps.
fn folders(references: &[(&str, i16)], predictions: &[(&str, i16)]) -> Folders {
    let guard = tempfile::tempdir().unwrap();
    let (reference, prediction) = (guard.path().join("gt"), guard.path().join("pred"));
    for (folder, cases) in [(&reference, references), (&prediction, predictions)] {
        fs::create_dir(folder).unwrap();
        for (case, label) in cases {
            let labels = Array3::from_elem((2, 2, 2), *label);
            nifti::write_labels(&folder.join(case), labels.view(), &Geometry::default()).unwrap();
        }
    }
    Folders {
        options: EvaluateOptions::new(reference.clone(), prediction.clone()),
        _guard: guard,
    }
}

#[test]
fn failed_case_is_reported_and_others_are_evaluated() {
    let folders = folders(
        &[
            ("a.nii.gz", 1),
            ("b.nii.gz", 1),
            ("c.nii.gz", 1),
            ("d.nii", 1),
            ("f.nii.gz", 1),
        ],
        &[
            ("a.nii.gz", 1),
            ("c.nii.gz", 1),
            ("d.nii.gz", 1),
            ("e.nii.gz", 1),
            ("f.nii.gz", 1),
        ],
    );
    let options = &folders.options;
    let moved = Geometry {
        origin: [0.0, 0.5, 0.0],
        ..Geometry::default()
    };
    let labels = Array3::from_elem((2, 2, 2), 1);
    nifti::write_labels(&options.prediction_dir.join("c.nii.gz"), labels.view(), &moved).unwrap();
    let labels = Array3::from_elem((2, 3, 2), 1);
    nifti::write_labels(
        &options.prediction_dir.join("f.nii.gz"),
        labels.view(),
        &Geometry::default(),
    )
    .unwrap();
    let found = evaluate_folder(options, &Context::silent(2)).unwrap();
    let failures: Vec<(&str, &str)> = found
        .failures
        .iter()
        .map(|f| (f.case.as_str(), f.code.as_str()))
        .collect();
    let expected = [
        ("b", "ERR_MISSING_PREDICTION"),
        ("c", "ERR_GEOMETRY_MISMATCH"),
        ("e", "ERR_MISSING_REFERENCE"),
        ("f", "ERR_SHAPE_MISMATCH"),
    ];
    assert_eq!(failures, expected);
    assert!(
        found.failures[1].message.contains("0.5"),
        "{}",
        found.failures[1].message
    );
    assert_eq!(found.failures[1].details["deviation"]["origin"], 0.5);
    // A .nii and a .nii.gz with one name are the same case.
    assert_eq!(found.results.all.len(), 2);
    assert_eq!(found.results.mean["1"].dice, 1.0);
    let mut tolerant = options.clone();
    (tolerant.tolerance, tolerant.predicted_only) = (0.6, true);
    assert_eq!(
        evaluate_folder(&tolerant, &Context::silent(1))
            .unwrap()
            .failures
            .len(),
        2
    );
}

#[test]
fn the_tolerance_is_a_fraction_of_the_voxel() {
    let folders = folders(&[("a.nii.gz", 1)], &[("a.nii.gz", 1)]);
    let options = &folders.options;
    let place = |spacing: f64, shift: f64| Geometry {
        spacing: [spacing; 3],
        origin: [shift * spacing, 0.0, 0.0],
        ..Geometry::default()
    };
    let labels = Array3::from_elem((2, 2, 2), 1);
    let deviates = |reference: Geometry, prediction: Geometry| {
        for (folder, place) in [
            (&options.reference_dir, reference),
            (&options.prediction_dir, prediction),
        ] {
            nifti::write_labels(&folder.join("a.nii.gz"), labels.view(), &place).unwrap();
        }
        evaluate_folder(options, &Context::silent(1)).is_err()
    };
    // Voxels of 0.4 µm and of 4 m.
    for scale in [4e-4, 1.0, 4e3] {
        assert!(!deviates(place(scale, 0.0), place(scale, 5e-4)), "{scale}");
        assert!(deviates(place(scale, 0.0), place(scale, 2e-3)), "{scale}");
        assert!(deviates(place(scale, 0.0), place(scale * 1.5, 0.0)), "{scale}");
    }
}

#[test]
fn records_of_windows_editors_are_read_and_other_encodings_are_named() {
    let folders = folders(&[("a.nii.gz", 1)], &[("a.nii.gz", 1)]);
    let found = evaluate_folder(&folders.options, &Context::silent(1)).unwrap();
    let text = fs::read_to_string(&found.output).unwrap();
    fs::write(&found.output, format!("\u{feff}{}", text.replace('\n', "\r\n"))).unwrap();
    assert_same(&read_summary(&found.output).unwrap().results, &found.results);
    fs::write(&found.output, [0xff, 0xfe, b'{', 0]).unwrap();
    let error = read_summary(&found.output).unwrap_err();
    assert_eq!(error.code(), "ERR_SUMMARY_FILE");
    assert!(error.to_string().contains("UTF-16"), "{error}");
}

#[test]
fn an_evaluation_without_results_is_an_error_and_writes_nothing() {
    let code = |options: &EvaluateOptions| {
        let error = evaluate_folder(options, &Context::silent(1)).unwrap_err();
        assert!(!options.prediction_dir.join("summary.json").exists());
        (error.code().to_owned(), error.to_string(), error.details())
    };
    let mut two = folders(
        &[("a.nii.gz", 1), ("b.nii.gz", 2)],
        &[("a.nii.gz", 1), ("b.nii.gz", 1)],
    );
    two.options.labels = Some(vec![
        Region::Label(1),
        Region::Label(7),
        Region::Union(vec![8, 9]),
    ]);
    let (found, message, _) = code(&two.options);
    assert_eq!(found, "ERR_LABELS_ABSENT");
    assert!(
        message.contains("7, (8, 9)") && message.contains("1, 2"),
        "{message}"
    );
    two.options.absent_labels = true;
    let accepted = evaluate_folder(&two.options, &Context::silent(1)).unwrap();
    assert!(accepted.results.mean["7"].dice.is_nan());

    let missing = folders(&[("a.nii.gz", 1), ("b.nii.gz", 1)], &[]);
    let (found, _, details) = code(&missing.options);
    assert_eq!(found, "ERR_CASES_FAILED");
    assert_eq!(details["failures"][1]["code"], "ERR_MISSING_PREDICTION");

    let disjoint = folders(&[("a.nii.gz", 255)], &[("a.nii.gz", 1)]);
    let (found, message, _) = code(&disjoint.options);
    assert_eq!(found, "ERR_LABELS_UNKNOWN");
    assert!(message.contains("255"), "{message}");
}

#[test]
fn labels_that_the_model_of_the_predictions_lacks_are_an_error() {
    let mut case = folders(
        &[("a.nii.gz", 1), ("b.nii.gz", 3)],
        &[("a.nii.gz", 1), ("b.nii.gz", 2)],
    );
    let is_plans = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("plans");
    let files = testkit::files_below(&testkit::folder("checkpoint"));
    let mut classes = dataset::Plans::read(files.iter().find(|path| is_plans(path)).unwrap()).unwrap();
    classes.all_classes = vec![1, 2];
    classes
        .write(&case.options.prediction_dir.join("plans.pkl"))
        .unwrap();
    let outcome = |options: &EvaluateOptions| {
        evaluate_folder(options, &Context::silent(1)).map_err(|error| error.details()["labels"].clone())
    };
    assert_eq!(outcome(&case.options).unwrap_err(), serde_json::json!([3]));
    case.options.labels = Some(vec![Region::Label(1), Region::Label(3)]);
    assert_eq!(outcome(&case.options).unwrap_err(), serde_json::json!([3]));
    // Label 3 of the references is a part of the region, whose other part the model knows.
    case.options.labels = Some(vec![Region::Union(vec![2, 3])]);
    assert!(outcome(&case.options).is_ok());
    // Unlabelled voxels need the option.
    let sparse = folders(&[("a.nii.gz", -1)], &[("a.nii.gz", 1)]);
    classes
        .write(&sparse.options.prediction_dir.join("plans.pkl"))
        .unwrap();
    assert_eq!(outcome(&sparse.options).unwrap_err(), serde_json::json!([-1]));
}

#[test]
fn empty_folder_and_cancellation_are_errors() {
    let empty = folders(&[], &[]);
    assert!(matches!(
        evaluate_folder(&empty.options, &Context::silent(1)),
        Err(Error::NoCases { .. })
    ));
    let one = folders(&[("a.nii.gz", 1)], &[("a.nii.gz", 1)]);
    let context = Context::silent(1);
    context.cancel().cancel();
    assert!(matches!(
        evaluate_folder(&one.options, &context),
        Err(Error::Cancelled(_))
    ));
    assert!(!one.options.prediction_dir.join("summary.json").exists());
}

/// Scores by their definitions, voxel by voxel.
fn oracle(reference: &[i16], prediction: &[i16], label: i16, ignore: Option<i16>) -> (f64, f64, f64, f64) {
    let pairs = || {
        reference
            .iter()
            .zip(prediction)
            .filter(|(r, _)| Some(**r) != ignore)
    };
    let count = |r: bool, p: bool| {
        pairs()
            .filter(|(a, b)| ((**a == label) == r) && ((**b == label) == p))
            .count() as f64
    };
    let (tp, fp, fn_, tn) = (
        count(true, true),
        count(false, true),
        count(true, false),
        count(false, false),
    );
    let ratio = |a: f64, b: f64| if b == 0.0 { f64::NAN } else { a / b };
    (
        ratio(2.0 * tp, 2.0 * tp + fp + fn_),
        ratio(tp, tp + fp),
        ratio(tp, tp + fn_),
        ratio(tp + tn, tp + tn + fp + fn_),
    )
}

proptest! {
    #[test]
    fn scores_equal_definitions(
        pairs in prop::collection::vec((-1_i16..3, -1_i16..3), 12),
        ignore in prop::option::of(-1_i16..2),
    ) {
        let (reference, prediction): (Vec<i16>, Vec<i16>) = pairs.into_iter().unzip();
        let array = |values: &[i16]| Array3::from_shape_vec((2, 2, 3), values.to_vec()).unwrap();
        let options = MetricOptions { ignore_label: ignore, ..MetricOptions::default() };
        let found = evaluate(array(&reference).view(), array(&prediction).view(), [1.0; 3], &options, &Cancel::new()).unwrap();
        let kept = reference.iter().zip(&prediction).filter(|(r, _)| Some(**r) != ignore);
        let mut labels: Vec<i16> = kept.flat_map(|(r, p)| [*r, *p]).collect();
        labels.sort_unstable();
        labels.dedup();
        prop_assert_eq!(found.len(), labels.len());
        for label in labels {
            let scores = &found[&label.to_string()];
            let (dice, precision, recall, accuracy) = oracle(&reference, &prediction, label, ignore);
            for (f, e) in [
                (scores.dice, dice),
                (scores.precision, precision),
                (scores.recall, recall),
                (scores.accuracy, accuracy),
            ] {
                prop_assert!(f == e || (f.is_nan() && e.is_nan()), "{} {}", f, e);
            }
        }
    }

    #[test]
    fn hausdorff_distance_equals_brute_force(
        one in prop::collection::vec(any::<bool>(), 4 * 5 * 6),
        two in prop::collection::vec(any::<bool>(), 4 * 5 * 6),
        known in prop::option::of(prop::collection::vec(prop::bool::weighted(0.7), 4 * 5 * 6)),
        spacing in [0.5_f64..3.0, 0.5_f64..3.0, 0.5_f64..3.0],
    ) {
        let mask = |values: Vec<bool>| Array3::from_shape_vec((4, 5, 6), values).unwrap();
        let known = known.map(mask);
        let is_known = |z: usize, y: usize, x: usize| {
            known.as_ref().is_none_or(|known| *known.get((z, y, x)).unwrap_or(&true))
        };
        let [one, two] = [one, two].map(|values| {
            let mut mask = mask(values);
            mask.indexed_iter_mut().for_each(|((z, y, x), inside)| *inside &= is_known(z, y, x));
            mask
        });
        let surface = |mask: &Array3<bool>| -> Vec<[usize; 3]> {
            let inside =
                |z: usize, y: usize, x: usize| *mask.get((z, y, x)).unwrap_or(&false) || !is_known(z, y, x);
            let voxels = mask.indexed_iter().filter(|(_, inside)| **inside).map(|((z, y, x), _)| [z, y, x]);
            voxels
                .filter(|[z, y, x]| {
                    let (z, y, x) = (*z, *y, *x);
                    !(inside(z.wrapping_sub(1), y, x) && inside(z + 1, y, x)
                        && inside(z, y.wrapping_sub(1), x) && inside(z, y + 1, x)
                        && inside(z, y, x.wrapping_sub(1)) && inside(z, y, x + 1))
                })
                .collect()
        };
        let (a, b) = (surface(&one), surface(&two));
        let nearest = |from: &[usize; 3], to: &[[usize; 3]]| {
            let squared = |t: &[usize; 3]| -> f64 {
                (0..3).map(|i| (spacing[i] * from[i].abs_diff(t[i]) as f64).powi(2)).sum()
            };
            to.iter().map(squared).fold(f64::INFINITY, f64::min).sqrt()
        };
        let mut all: Vec<f64> = a.iter().map(|v| nearest(v, &b)).chain(b.iter().map(|v| nearest(v, &a))).collect();
        all.sort_by(f64::total_cmp);
        let found = evaluate::hausdorff_95(
            one.view(),
            two.view(),
            known.as_ref().map(|known| known.view()),
            spacing,
            &Cancel::new(),
        ).unwrap();
        if a.is_empty() || b.is_empty() {
            prop_assert!(found.is_nan());
        } else {
            let position = 0.95 * (all.len() - 1) as f64;
            let (low, high) = (all[position as usize], all[(position.ceil()) as usize]);
            let expected = low + (high - low) * position.fract();
            prop_assert!((found - expected).abs() <= 1e-6 * expected.max(1.0), "{} {}", found, expected);
        }
    }
}

#[test]
fn annotated_slices_give_the_distance_between_outlines() {
    let square = |margin: usize| {
        Array3::from_shape_fn((13, 20, 20), |(_, y, x)| {
            i16::from([y, x].iter().all(|at| (margin..20 - margin).contains(at)))
        })
    };
    let (dense, prediction) = (square(3), square(6));
    let scores = |reference: &Array3<i16>, prediction: &Array3<i16>, ignore_label| {
        let options = MetricOptions {
            regions: vec![Region::Label(1)],
            ignore_label,
            hausdorff: true,
        };
        let spacing = [5.0, 1.0, 1.0];
        let found = evaluate(
            reference.view(),
            prediction.view(),
            spacing,
            &options,
            &Cancel::new(),
        )
        .unwrap();
        found["1"].hausdorff_distance_95.unwrap()
    };
    let sliced = |every: usize| {
        let mut sparse = dense.clone();
        sparse
            .indexed_iter_mut()
            .filter(|((z, ..), _)| z % every != 1)
            .for_each(|(_, label)| *label = -1);
        sparse
    };
    // Outlines are 3 mm apart, and 3 times the root of two at the corners. If unlabelled neighbours made a surface, the
    // whole of each slice were one, and most distances 0.
    for every in [2, 4] {
        let found = scores(&sliced(every), &prediction, Some(-1));
        assert!((3.0..=18.0_f64.sqrt()).contains(&found), "{found}");
        assert_eq!(scores(&sliced(every), &dense, Some(-1)), 0.0);
    }
    // Voxels without a labelled neighbour have no known surface.
    let mut scattered = dense.clone();
    let chosen =
        |z: usize, y: usize, x: usize| (z + y + x).is_multiple_of(2) && z > 0 && z < 12 && y > 3 && y < 16;
    scattered
        .indexed_iter_mut()
        .filter(|((z, y, x), _)| !chosen(*z, *y, *x))
        .for_each(|(_, label)| *label = -1);
    scattered[[6, 0, 0]] = 0;
    assert!(scores(&scattered, &prediction, Some(-1)).is_nan());
}

/// Two balls, one of them shifted by a voxel.
fn balls(size: usize) -> [Array3<i16>; 2] {
    [0, 1].map(|shift| {
        Array3::from_shape_fn([size; 3], |(z, y, x)| {
            let square = |a: usize| (a as f64 - size as f64 / 2.0).powi(2);
            i16::from(square(z + shift) + square(y) + square(x) < (size * size) as f64 / 9.0)
        })
    })
}

#[test]
fn cancelled_hausdorff_distance_stops_within_a_few_slices() {
    let [reference, prediction] = balls(40);
    let options = MetricOptions {
        hausdorff: true,
        ..MetricOptions::default()
    };
    let parts = testkit::ends_when_cancelled(|cancel| {
        evaluate(
            reference.view(),
            prediction.view(),
            [1.0, 0.7, 0.7],
            &options,
            cancel,
        )
    });
    // For each label: the slices of two masks, two surfaces and two distance transforms.
    assert!(parts >= 2 * 6 * 20, "{parts}");
}

#[test]
fn evaluation_reports_start_and_failures_and_writes_nothing_if_cancelled() {
    let base = tempfile::tempdir().unwrap();
    let folders = ["labels", "predicted"].map(|name| base.path().join(name));
    for (folder, ball) in folders.iter().zip(balls(16)) {
        fs::create_dir(folder).unwrap();
        for case in ["a", "b", "c"] {
            let path = folder.join(format!("{case}.nii.gz"));
            nifti::write_labels(&path, ball.view(), &Geometry::default()).unwrap();
        }
    }
    fs::write(folders[1].join("b.nii.gz"), "no image").unwrap();
    let mut options = EvaluateOptions::new(&*folders[0], &*folders[1]);
    options.hausdorff = true;
    let events = Arc::new(testkit::Recorder::default());
    let with = |cancel| Context::new(events.clone(), cancel, 2);

    // In the second half of the work.
    let whole = Cancel::after(u64::MAX);
    evaluate_folder(&options, &with(whole.clone())).unwrap();
    let summary = folders[1].join("summary.json");
    fs::remove_file(&summary).unwrap();
    let late = Cancel::after(whole.checks().unwrap() / 2);
    assert_eq!(
        evaluate_folder(&options, &with(late)).unwrap_err().code(),
        "ERR_CANCELLED"
    );
    assert!(!summary.exists());

    let found = evaluate_folder(&options, &with(Cancel::new())).unwrap();
    assert_eq!((found.results.all.len(), found.failures.len()), (2, 1));
    let events = events.events();
    let started = events.iter().find_map(|event| match event {
        Event::Started {
            verb: "evaluate",
            settings,
        } => Some(settings["cases"].clone()),
        _ => None,
    });
    assert_eq!(started, Some(3.into()));
    let warned = |event: &Event| matches!(event, Event::Warning { code: "WARN_CASE_FAILED", case, .. } if case.as_deref() == Some("b"));
    assert!(events.iter().any(warned));
}

#[test]
fn predicted_labels_that_no_reference_has_are_warned_of() {
    let set = folders(
        &[("a.nii.gz", 1), ("b.nii.gz", 1)],
        &[("a.nii.gz", 1), ("b.nii.gz", 255)],
    );
    let warned = |options: &EvaluateOptions| {
        let sink = Arc::new(testkit::Recorder::default());
        evaluate_folder(options, &Context::new(sink.clone(), Cancel::new(), 1)).unwrap();
        sink.warnings()
    };
    let mut options = set.options.clone();
    options.labels = Some(vec![Region::Label(1)]);
    assert_eq!(warned(&options), ["WARN_UNLISTED_LABELS"]);
    options.labels = Some(vec![Region::Label(1), Region::Label(255)]);
    assert_eq!(warned(&options), Vec::<&str>::new());
}

#[test]
fn a_volume_in_two_files_fails_its_case() {
    let both = [("a.nii.gz", 1), ("b.nii.gz", 1)];
    for part in ["reference", "prediction"] {
        let set = folders(&both, &both);
        let options = set.options.clone();
        let folder = match part {
            "reference" => &options.reference_dir,
            _ => &options.prediction_dir,
        };
        fs::copy(folder.join("a.nii.gz"), folder.join("a.nii")).unwrap();
        let summary = evaluate_folder(&options, &Context::silent(1)).unwrap();
        let found: Vec<_> = summary
            .failures
            .iter()
            .map(|f| (f.case.as_str(), f.code.as_str()))
            .collect();
        assert_eq!(found, [("a", "ERR_TWO_FILES")], "{part}");
    }
}
