//! Metrics that nnU-Net v1 does not have, and the comparison of two folders.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use evaluate::measure::{count_lesions, surface_scores, LesionConnectivity, LesionRule, MetricGroup};
use evaluate::{compare_folders, evaluate_folder, CompareOptions, Error, EvaluateOptions, Region};
use ndarray::Array3;
use run::{Cancel, Coded, Context};
use serde_json::Value;
use volume::{nifti, Geometry};

/// Random voxels, as the script that made the recorded values has them.
fn mask(seed: u64, shape: [usize; 3], share: u64) -> Array3<bool> {
    let mut state = seed;
    Array3::from_shape_simple_fn(shape, || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % 100 < share
    })
}

struct Recorded {
    seed: u64,
    shape: [usize; 3],
    share: u64,
    spacing: [f64; 3],
    tolerance: f64,
    /// HD95, mean distance, surface Dice.
    surfaces: [f64; 3],
    /// Lesions of the reference, detected, of the prediction, correct, by 6 and by 26 neighbours.
    lesions: [[u64; 4]; 2],
}

#[rustfmt::skip]
const RECORDED: [Recorded; 5] = [
    // surface-distance 0.1 and connected-components-3d 4.1.1, by `peer_surfaces` and `peer_lesions` of
    // bench/evaluate/compare.py. Tolerances are multiples of the spacing: 3 * 0.8 is more than 2.4 in float64.
    Recorded { seed: 1, shape: [5, 6, 7], share: 20, spacing: [1.0, 1.0, 1.0], tolerance: 1.0,
        surfaces: [1.0, 0.3273675011054948, 0.9789338041210922], lesions: [[27, 7, 18, 6], [7, 5, 4, 2]] },
    Recorded { seed: 2, shape: [4, 9, 5], share: 50, spacing: [3.0, 0.8, 0.8], tolerance: 2.4,
        surfaces: [0.0, 0.02757072780960159, 1.0], lesions: [[6, 3, 4, 3], [1, 1, 1, 1]] },
    Recorded { seed: 3, shape: [8, 8, 8], share: 5, spacing: [0.7, 0.7, 0.7], tolerance: 1.4,
        surfaces: [1.5652475842498528, 0.6924240467699967, 0.9220068994819094], lesions: [[23, 1, 21, 1], [15, 1, 16, 1]] },
    Recorded { seed: 4, shape: [1, 12, 10], share: 30, spacing: [5.0, 0.3, 1.25], tolerance: 0.9,
        surfaces: [0.6, 0.07628065047923094, 0.9920203589218128], lesions: [[18, 13, 20, 9], [9, 7, 4, 3]] },
    Recorded { seed: 5, shape: [6, 6, 6], share: 90, spacing: [2.1, 1.3, 0.7], tolerance: 0.0,
        surfaces: [0.7, 0.06464022403912954, 0.9260433358971454], lesions: [[1, 1, 1, 1], [1, 1, 1, 1]] },
];

#[test]
fn surfaces_and_lesions_are_those_of_the_public_packages() {
    for recorded in &RECORDED {
        let [one, two] = [0, 100].map(|more| mask(recorded.seed + more, recorded.shape, recorded.share));
        let (spacing, tolerance) = (recorded.spacing, recorded.tolerance);
        let found = surface_scores(one.view(), two.view(), None, spacing, tolerance, &Cancel::new()).unwrap();
        let found = [found.hausdorff_95, found.mean_distance, found.surface_dice];
        for (found, expected) in found.iter().zip(recorded.surfaces) {
            assert!(
                (found - expected).abs() < 1e-6,
                "{}: {found}, expected {expected}",
                recorded.seed
            );
        }
        for (connectivity, expected) in [LesionConnectivity::Face, LesionConnectivity::Full]
            .into_iter()
            .zip(recorded.lesions)
        {
            let rule = LesionRule {
                connectivity,
                overlap: 0.0,
                sizes: &[2.0],
            };
            let groups = count_lesions(one.view(), two.view(), 1.0, rule).unwrap();
            let sum =
                |count: fn(&evaluate::measure::LesionCounts) -> u64| groups.iter().map(count).sum::<u64>();
            let found = [
                sum(|g| g.reference),
                sum(|g| g.detected),
                sum(|g| g.predicted),
                sum(|g| g.correct),
            ];
            assert_eq!(found, expected, "{}", recorded.seed);
        }
    }
}

#[test]
fn tolerances_that_are_distances_count_as_in_float64() {
    // scipy's distance of three voxels is 3 * 0.8 = 2.4000000000000004 mm, and of two it is 1.6 mm.
    let line = |start: usize| Array3::from_shape_fn((1, 1, 9), |(_, _, x)| (start..start + 2).contains(&x));
    let dice = |start, tolerance| {
        let (one, two) = (line(0), line(start));
        let spacing = [1.0, 1.0, 0.8];
        surface_scores(one.view(), two.view(), None, spacing, tolerance, &Cancel::new())
            .unwrap()
            .surface_dice
    };
    assert_eq!(dice(2, 1.6), 1.0);
    assert!(dice(3, 2.4) < 1.0);
    assert_eq!(dice(3, 2.41), 1.0);
}

#[test]
fn missing_objects_have_no_distance_and_no_surface_dice() {
    let (empty, some) = (mask(1, [4, 4, 4], 0), mask(1, [4, 4, 4], 50));
    let scores = |one: &Array3<bool>, two: &Array3<bool>| {
        surface_scores(one.view(), two.view(), None, [1.0; 3], 1.0, &Cancel::new()).unwrap()
    };
    assert!(scores(&empty, &empty).surface_dice.is_nan());
    for found in [scores(&empty, &some), scores(&some, &empty)] {
        assert!(found.hausdorff_95.is_nan() && found.mean_distance.is_nan());
        assert_eq!(found.surface_dice, 0.0);
    }
    assert_eq!(scores(&some, &some).surface_dice, 1.0);
}

#[test]
fn labelled_slices_are_compared_by_their_outlines() {
    // A bar along z, and one moved by two voxels along x. Only the slices 2 and 5 are labelled.
    let bar = |start: usize| {
        Array3::from_shape_fn((8, 12, 12), |(_, y, x)| {
            (3..9).contains(&y) && (start..start + 5).contains(&x)
        })
    };
    let known = Array3::from_shape_fn((8, 12, 12), |(z, _, _)| z == 2 || z == 5);
    let seen = |mask: &Array3<bool>| mask & &known;
    let (one, two) = (bar(2), bar(4));
    let spacing = [3.0, 1.0, 1.0];
    let scores = |one: &Array3<bool>, two: &Array3<bool>, known: Option<&Array3<bool>>, tolerance| {
        let known = known.map(|known| known.view());
        surface_scores(one.view(), two.view(), known, spacing, tolerance, &Cancel::new()).unwrap()
    };
    // Without their ends, the bars have the same distances in every slice.
    let slice = |mask: &Array3<bool>| mask.slice(ndarray::s![..1, .., ..]).to_owned();
    let outline = {
        // One slice that continues on both sides.
        let thick = |mask: &Array3<bool>| {
            ndarray::concatenate![ndarray::Axis(0), slice(mask), slice(mask), slice(mask)]
        };
        let middle = Array3::from_shape_fn((3, 12, 12), |(z, _, _)| z == 1);
        scores(
            &(&thick(&one) & &middle),
            &(&thick(&two) & &middle),
            Some(&middle),
            1.0,
        )
    };
    let found = scores(&seen(&one), &seen(&two), Some(&known), 1.0);
    assert!((found.hausdorff_95 - 2.0).abs() < 1e-6, "{found:?}");
    assert!((found.mean_distance - outline.mean_distance).abs() < 1e-6);
    assert!((found.surface_dice - outline.surface_dice).abs() < 1e-12);
    // If unlabelled voxels were outside, the caps of each slice would be surfaces close to each other.
    assert!(scores(&seen(&one), &seen(&two), None, 1.0).mean_distance < found.mean_distance);
}

#[test]
fn lesions_are_grouped_by_size_and_matched_by_overlap() {
    // Reference: 4 voxels, half of them predicted; 1 voxel, missed. Prediction: also a wrong one of 2 voxels.
    let row = |text: &str| {
        Array3::from_shape_vec((1, 1, text.len()), text.bytes().map(|b| b == b'#').collect()).unwrap()
    };
    let (reference, prediction) = (row("####..#....."), row("##.......##."));
    let counts = |overlap| {
        let rule = LesionRule {
            connectivity: LesionConnectivity::Full,
            overlap,
            sizes: &[10.0, 20.0],
        };
        count_lesions(reference.view(), prediction.view(), 5.0, rule).unwrap()
    };
    let numbers: Vec<_> = counts(0.0)
        .iter()
        .map(|g| (g.from, g.below, g.reference, g.detected, g.predicted, g.correct))
        .collect();
    assert_eq!(
        numbers,
        [
            (0.0, Some(10.0), 1, 0, 0, 0),
            (10.0, Some(20.0), 0, 0, 2, 1),
            (20.0, None, 1, 1, 0, 0)
        ]
    );
    // Exactly half is not more than half. The predicted lesion lies in the reference whole.
    assert_eq!(counts(0.5).iter().map(|g| g.detected).sum::<u64>(), 0);
    assert_eq!(counts(0.5).iter().map(|g| g.correct).sum::<u64>(), 1);
    let [small, middle, large] = counts(0.0).try_into().unwrap();
    assert_eq!((small.sensitivity, small.f1), (0.0, 0.0));
    assert!(small.precision.is_nan() && middle.sensitivity.is_nan() && large.f1.is_nan());
}

/// A folder of label maps of shape (2, 4, 6) with voxels of 2 x 1 x 1 mm.
fn write(folder: &Path, cases: &[(&str, Label)]) {
    fs::create_dir_all(folder).unwrap();
    for (case, label) in cases {
        let labels = Array3::from_shape_fn((2, 4, 6), |(z, y, x)| label(z, y, x));
        let geometry = Geometry {
            spacing: [2.0, 1.0, 1.0],
            ..Geometry::default()
        };
        nifti::write_labels(&folder.join(format!("{case}.nii.gz")), labels.view(), &geometry).unwrap();
    }
}

type Label = fn(usize, usize, usize) -> i16;

const LEFT: Label = |_, _, x| i16::from(x < 3);
const MORE: Label = |_, _, x| i16::from(x < 4);
const LESS: Label = |_, y, x| i16::from(x < 3 && y < 2);
const NONE: Label = |_, _, _| 0;

#[test]
fn further_metrics_leave_summary_json_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    let [reference, prediction] = ["reference", "prediction"].map(|name| root.path().join(name));
    write(&reference, &[("a", LEFT), ("b", LEFT), ("c", NONE), ("d", LEFT)]);
    write(&prediction, &[("a", MORE), ("b", LESS), ("c", NONE), ("d", NONE)]);
    let mut options = EvaluateOptions::new(&*reference, &*prediction);
    options.labels = Some(vec![Region::Label(1)]);
    let text = || {
        let text = fs::read_to_string(prediction.join("summary.json")).unwrap();
        text.lines()
            .filter(|line| !line.contains("timestamp"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let plain = evaluate_folder(&options, &Context::silent(2)).unwrap();
    assert_eq!(plain.report, None);
    let before = text();
    options.measures.metrics = vec![MetricGroup::Surface, MetricGroup::Volume, MetricGroup::Lesions];
    let found = evaluate_folder(&options, &Context::silent(2)).unwrap();
    assert_eq!(text(), before);
    let report = found.report.unwrap();
    assert_eq!(report.files.len(), 3);

    let regions: Vec<_> = report.cases.iter().map(|case| &case.regions["1"]).collect();
    assert_eq!(regions[0].volume_error, Some(2.0 * 4.0 * 2.0));
    assert_eq!(regions[0].relative_volume_error, Some(1.0 / 3.0));
    assert_eq!(regions[1].absolute_relative_volume_error, Some(0.5));
    assert!(regions[2].dice.is_some_and(f64::is_nan) && regions[2].lesion_f1.is_some_and(f64::is_nan));
    assert_eq!(
        (regions[3].surface_dice, regions[3].lesion_f1),
        (Some(0.0), Some(0.0))
    );
    assert!(regions[3].hd95.is_some_and(f64::is_nan));

    let row = |metric: &str| report.statistics.iter().find(|row| row.metric == metric).unwrap();
    let dice = row("dice");
    assert_eq!((dice.cases, dice.undefined, row("hd95").cases), (3, 1, 2));
    assert!((dice.mean - (6.0 / 7.0 + 2.0 / 3.0) / 3.0).abs() < 1e-12);
    assert!(dice.low.unwrap() <= dice.mean && dice.mean <= dice.high.unwrap());
    assert_eq!(
        report.lesions_by_size["1"]
            .iter()
            .map(|g| g.reference)
            .sum::<u64>(),
        3
    );

    let file = |index: usize| fs::read_to_string(&report.files[index]).unwrap();
    let json: Value = serde_json::from_str(&file(0)).unwrap();
    assert_eq!(json["cases"][2]["regions"]["1"]["dice"], Value::Null);
    assert_eq!(
        json["statistics"].as_array().unwrap().len(),
        report.statistics.len()
    );
    let csv = file(1);
    let head = csv.lines().next().unwrap();
    assert!(
        head.starts_with("case,region,dice,hd95,assd,surfaceDice,referenceVolume"),
        "{head}"
    );
    assert!(
        csv.lines().nth(3).unwrap().starts_with("c,1,,,,,0,0,0,,"),
        "{csv}"
    );
    assert!(file(2).contains("| 1 | Dice | 3 of 4 |"), "{}", file(2));

    // The same seed gives the same intervals, with any number of threads.
    let again = evaluate_folder(&options, &Context::silent(1))
        .unwrap()
        .report
        .unwrap();
    let interval = |report: &evaluate::Report| {
        report
            .statistics
            .iter()
            .map(|row| (row.low, row.high))
            .collect::<Vec<_>>()
    };
    assert_eq!(interval(&again), interval(&report));
}

#[test]
fn softmax_beside_a_prediction_gives_calibration_errors() {
    let scenario = testkit::folder("inference").join("ensemble_cli/out");
    if !scenario.is_dir() {
        // Not every set of recordings has an ensemble.
        return println!("skipped: no {}", scenario.display());
    }
    let output = tempfile::tempdir().unwrap();
    let mut options = EvaluateOptions::new(&*scenario, &*scenario);
    options.measures.metrics = vec![MetricGroup::Calibration];
    options.output = Some(output.path().join("scores.json"));
    let found = evaluate_folder(&options, &Context::silent(1)).unwrap();
    let report = found.report.unwrap();
    assert_eq!(report.files[0], output.path().join("scores_metrics.json"));
    let case = &report.cases[0];
    // The reference is the prediction: every voxel is right, and the error is what is missing to probability 1.
    let file = volume::npz::read_half_or_single(&scenario.join(format!("{}.npz", case.case)), "softmax")
        .unwrap()
        .0;
    let classes = file.shape()[0];
    let (mut sum, voxels) = (0.0, file.len() / classes);
    for voxel in 0..voxels {
        let values = (0..classes).map(|class| file.as_slice().unwrap()[class * voxels + voxel]);
        sum += 1.0 - f64::from(values.fold(0.0, f32::max));
    }
    assert!((case.calibration_error.unwrap() - sum / voxels as f64).abs() < 1e-6);
    assert!(case
        .regions
        .values()
        .all(|region| region.calibration_error.is_some_and(|e| (0.0..=1.0).contains(&e))));
    assert_eq!(report.statistics[0].region, None);
}

#[test]
fn two_folders_are_compared_case_by_case() {
    let root = tempfile::tempdir().unwrap();
    let [reference, first, second] = ["reference", "first", "second"].map(|name| root.path().join(name));
    write(
        &reference,
        &[("a", LEFT), ("b", LEFT), ("c", LEFT), ("d", LEFT), ("e", NONE)],
    );
    write(
        &first,
        &[("a", LESS), ("b", LESS), ("c", MORE), ("d", LEFT), ("e", NONE)],
    );
    write(&second, &[("a", LEFT), ("b", MORE), ("c", MORE), ("e", NONE)]);
    let mut options = CompareOptions::new(&*reference, &*first, &*second);
    options.measures.metrics = vec![MetricGroup::Volume];
    let found = compare_folders(&options, &Context::silent(2)).unwrap();
    assert_eq!(found.cases, 4);
    let failures: Vec<_> = found
        .failures
        .iter()
        .map(|f| (f.case.as_str(), f.code.as_str()))
        .collect();
    assert_eq!(failures, [("d", "ERR_MISSING_PREDICTION")]);
    assert_eq!(found.output, second.join("comparison.json"));
    let tests: BTreeMap<_, _> = found
        .tests
        .iter()
        .map(|test| (test.metric.as_str(), test))
        .collect();
    assert_eq!(
        tests.keys().copied().collect::<Vec<_>>(),
        ["absoluteRelativeVolumeError", "dice"]
    );
    let dice = tests["dice"];
    // Label 1 is in neither segmentation of e, so that it is no region there.
    assert_eq!(
        (dice.cases, dice.undefined, dice.larger, dice.smaller),
        (3, 0, 2, 0)
    );
    let (less, more) = (2.0 / 3.0, 6.0 / 7.0);
    assert!((dice.difference - ((1.0 - less) + (more - less)) / 3.0).abs() < 1e-12);
    assert_eq!(
        (dice.statistic, dice.p, dice.exact, dice.rank_biserial),
        (0.0, 0.5, true, 1.0)
    );
    assert_eq!(dice.adjusted_p, 1.0);
    assert_eq!(tests["absoluteRelativeVolumeError"].rank_biserial, -1.0);
    for (file, start) in found
        .files
        .iter()
        .zip(["{", "region,metric,cases", "| Region | Metric |"])
    {
        assert!(fs::read_to_string(file).unwrap().starts_with(start));
    }

    let code = |options: &CompareOptions| compare_folders(options, &Context::silent(1)).unwrap_err().code();
    options.labels = Some(vec![Region::Label(7)]);
    assert!(matches!(
        compare_folders(&options, &Context::silent(1)),
        Err(Error::LabelsAbsent { .. })
    ));
    options.labels = None;
    options.measures.lesion_sizes = vec![5.0, 5.0];
    assert_eq!(code(&options), "ERR_OPTIONS");
    options.measures.lesion_sizes.clear();
    options.second_dir = root.path().join("empty");
    assert_eq!(code(&options), "ERR_NOT_FOUND");
    fs::create_dir(&options.second_dir).unwrap();
    assert_eq!(code(&options), "ERR_NO_CASES");
}
