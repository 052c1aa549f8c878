//! Weightmaps compared with recorded results of the fork.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use ndarray::{Array3, ArrayD, Ix3};
use run::Context;
use std::fs;
use std::path::{Path, PathBuf};
use weightmap::{border_weightmap, generate, Dtype, Options, Parameters};

const TOPIC: &str = "weightmaps";

struct Recorded {
    file: String,
    segmentation: Array3<f64>,
    map: ArrayD<f64>,
    parameters: Parameters,
}

fn recorded() -> Vec<Recorded> {
    let cases = testkit::cases(TOPIC, "")
        .into_iter()
        .filter(|case| !case.function.is_empty());
    let recorded: Vec<_> = cases
        .map(|case| {
            let mut arrays = case.arrays();
            let given = &case.parameters;
            let classes = given["classes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|c| c.as_i64().unwrap())
                .collect();
            let number = |key: &str| given[key].as_f64().unwrap();
            Recorded {
                file: case.file,
                segmentation: arrays
                    .remove("seg")
                    .unwrap()
                    .into_dimensionality::<Ix3>()
                    .unwrap(),
                map: arrays.remove("weightmap").unwrap(),
                parameters: Parameters {
                    classes,
                    sigma: number("sigma"),
                    w0: number("w_0"),
                    ..Parameters::default()
                },
            }
        })
        .collect();
    assert!(!recorded.is_empty());
    recorded
}

/// Whether a voxel and its six neighbours have one class, for any voxel.
fn has_inside(segmentation: &Array3<f64>, classes: &[i64]) -> bool {
    let listed = |v: f64| classes.iter().any(|&c| c as f64 == v);
    let label = |v: f64| if listed(v) { v } else { 0.0 };
    segmentation.indexed_iter().any(|((z, y, x), &v)| {
        let same =
            |z: usize, y: usize, x: usize| segmentation.get([z, y, x]).is_some_and(|&n| label(n) == label(v));
        classes.contains(&(label(v) as i64))
            && z > 0
            && y > 0
            && x > 0
            && same(z - 1, y, x)
            && same(z + 1, y, x)
            && same(z, y - 1, x)
            && same(z, y + 1, x)
            && same(z, y, x - 1)
            && same(z, y, x + 1)
    })
}

#[test]
fn compat_maps_equal_all_recordings() {
    for case in recorded() {
        let before = case.segmentation.clone();
        let parameters = Parameters {
            compat: true,
            ..case.parameters
        };
        let double: Array3<f64> = border_weightmap(case.segmentation.view(), &parameters).unwrap();
        testkit::assert_close(&double.into_dyn(), &case.map, 0.0, 1e-6, &case.file);
        let single: Array3<f32> = border_weightmap(case.segmentation.view(), &parameters).unwrap();
        testkit::assert_close(
            &single.mapv(f64::from).into_dyn(),
            &case.map,
            0.0,
            1e-6,
            &case.file,
        );
        assert_eq!(before, case.segmentation, "{}: input changed", case.file);
    }
}

/// The default equals the fork where the fork is correct, and differs as documented elsewhere.
#[test]
fn default_maps_equal_recordings_without_errors() {
    let mut right = 0;
    for case in recorded() {
        let found: Array3<f32> = border_weightmap(case.segmentation.view(), &case.parameters).unwrap();
        let found = found.mapv(f64::from);
        let unlabelled = case.segmentation.iter().any(|&v| v == -1.0);
        let flat = case.segmentation.shape().contains(&1);
        if unlabelled {
            for (&v, &weight) in case.segmentation.iter().zip(&found) {
                assert_eq!(
                    v == -1.0,
                    weight == 0.0,
                    "{}: weight {weight} at label {v}",
                    case.file
                );
            }
        } else if flat {
            assert_ne!(found.into_dyn(), case.map, "{}", case.file);
        } else if has_inside(&case.segmentation, &case.parameters.classes) {
            testkit::assert_close(&found.into_dyn(), &case.map, 0.0, 1e-6, &case.file);
            right += 1;
        } else {
            // No border term: one weight per class.
            let listed = |v: f64| case.parameters.classes.iter().any(|&c| c as f64 == v);
            let background = case.segmentation.iter().filter(|&&v| !listed(v)).count() as f64;
            for (&v, &weight) in case.segmentation.iter().zip(&found) {
                let count = case.segmentation.iter().filter(|&&o| o == v).count() as f64;
                let count = if listed(v) { count } else { background };
                let expected = 1.0 - count / found.len() as f64;
                assert!((weight - expected).abs() <= 1e-6 * expected, "{}", case.file);
            }
        }
    }
    assert!(right > 0, "no recording tests the default");
}

/// Parses the command lines of the recorded runs: `argv: <program> <task>/<stage> [--sigma S] [--w0 W] [-c
/// C...]`.
fn command_lines() -> Vec<(PathBuf, Options)> {
    let topic = testkit::folder(TOPIC);
    let mut runs = Vec::new();
    for entry in fs::read_dir(&topic).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(text) = fs::read_to_string(folder.join("stdout.txt")) else {
            continue;
        };
        let line = text.lines().find_map(|line| line.strip_prefix("argv: ")).unwrap();
        let mut words = line.split_whitespace().skip(1).peekable();
        let mut options = Options {
            folder: folder.join(words.next().unwrap()),
            ..Options::new("")
        };
        while let Some(word) = words.next() {
            match word {
                "--sigma" => options.sigma = words.next().unwrap().parse().unwrap(),
                "--w0" => options.w0 = words.next().unwrap().parse().unwrap(),
                "--matching-pattern" => options.matching_pattern = words.next().unwrap().to_owned(),
                "-c" | "--classes" => {
                    let mut classes = Vec::new();
                    while let Some(class) = words.next_if(|w| w.parse::<i64>().is_ok()) {
                        classes.push(class.parse().unwrap());
                    }
                    options.classes = Some(classes);
                }
                other => panic!("{}: unknown option {other}", folder.display()),
            }
        }
        runs.push((folder, options));
    }
    assert!(!runs.is_empty());
    runs
}

fn cases_of(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    files
        .filter(|p| p.extension().is_some_and(|e| e == "npz"))
        .collect()
}

#[test]
fn compat_runs_equal_recorded_runs() {
    for (folder, options) in command_lines() {
        let output = tempfile::tempdir().unwrap();
        let options = Options {
            output_dir: Some(output.path().to_owned()),
            compat: true,
            dtype: Dtype::Float64,
            ..options
        };
        let summary = generate(&options, &Context::silent(2)).unwrap();
        assert!(
            summary.failures.is_empty(),
            "{}: {:?}",
            folder.display(),
            summary.failures
        );
        let cases = cases_of(&options.folder);
        assert_eq!(summary.written, cases.len());
        for case in cases {
            let name = format!("{}_weightmap.npy", case.file_stem().unwrap().to_string_lossy());
            let found: ArrayD<f64> = volume::npy::read(&output.path().join(&name)).unwrap();
            let expected: ArrayD<f64> = volume::npy::read(&options.folder.join(&name)).unwrap();
            testkit::assert_close(&found, &expected, 0.0, 1e-6, &name);
        }
    }
}

/// By default the last channel is read, for any number of modalities.
#[test]
fn default_runs_read_the_last_channel() {
    for (_, options) in command_lines() {
        let output = tempfile::tempdir().unwrap();
        let options = Options {
            output_dir: Some(output.path().to_owned()),
            ..options
        };
        let summary = generate(&options, &Context::silent(1)).unwrap();
        assert!(summary.failures.is_empty(), "{:?}", summary.failures);
        for case in cases_of(&options.folder) {
            let data: ArrayD<f64> = volume::npz::read(&case, "data").unwrap();
            let segmentation = data
                .outer_iter()
                .next_back()
                .unwrap()
                .into_dimensionality::<Ix3>()
                .unwrap();
            let parameters = Parameters {
                classes: summary.classes.clone(),
                sigma: options.sigma,
                w0: options.w0,
                ..Parameters::default()
            };
            let expected: Array3<f32> = border_weightmap(segmentation, &parameters).unwrap();
            let name = format!("{}_weightmap.npy", case.file_stem().unwrap().to_string_lossy());
            let found: ArrayD<f32> = volume::npy::read(&output.path().join(name)).unwrap();
            assert_eq!(found, expected.insert_axis(ndarray::Axis(0)).into_dyn());
        }
    }
}
