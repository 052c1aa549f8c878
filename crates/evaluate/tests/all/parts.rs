//! Parts of the cases give the files of one run, in any order.

use std::fs;
use std::path::{Path, PathBuf};

use evaluate::measure::MetricGroup;
use evaluate::{evaluate_folder, Error, EvaluateOptions, EvaluateSummary, Region, SummaryFormat};
use ndarray::Array3;
use run::{Context, Shard};
use volume::{nifti, Geometry};

fn geometry() -> Geometry {
    Geometry {
        spacing: [1.1, 0.7, 0.3],
        ..Geometry::default()
    }
}

/// Seven cases of spheres, with labels that not every case has; then a case without a prediction and one of another shape.
fn folders(root: &Path) -> [PathBuf; 2] {
    let [references, predictions] = ["labels", "predictions"].map(|name| root.join(name));
    for folder in [&references, &predictions] {
        fs::create_dir_all(folder).unwrap();
    }
    let sphere = |centre: [f64; 3], radius: f64, label: i16, size: usize| {
        Array3::from_shape_fn([size; 3], |(z, y, x)| {
            let place = [z, y, x].map(|i| i as f64);
            let square: f64 = place.iter().zip(centre).map(|(a, b)| (a - b).powi(2)).sum();
            i16::from(square < radius * radius) * label
        })
    };
    let write = |folder: &Path, name: &str, labels: &Array3<i16>| {
        let file = folder.join(format!("{name}.nii.gz"));
        nifti::write_labels(&file, labels.view(), &geometry()).unwrap();
    };
    for i in 0..7_u8 {
        let (name, shift) = (format!("case_{i}"), f64::from(i));
        let label = if i == 2 { 0 } else { 1 + i16::from(i % 2) };
        write(
            &references,
            &name,
            &sphere([5.0, 5.5, 6.0], 3.1 + shift / 7.0, label, 12),
        );
        write(
            &predictions,
            &name,
            &sphere([5.5, 5.0 + shift / 9.0, 6.0], 3.3, label, 12),
        );
    }
    write(&references, "case_10", &sphere([5.0; 3], 2.0, 1, 12));
    write(&references, "case_11", &sphere([5.0; 3], 2.0, 1, 12));
    write(&predictions, "case_11", &sphere([5.0; 3], 2.0, 1, 11));
    [references, predictions]
}

/// The files of a folder but those of cases and parts, without the time of creation.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".nii.gz") && !name.contains("_part_") {
            let text = fs::read_to_string(&path).unwrap();
            let lines = text.lines().filter(|line| !line.contains("\"timestamp\""));
            found.push((name, lines.collect::<Vec<_>>().join("\n")));
        }
    }
    found.sort();
    found
}

fn remove(folder: &Path) {
    for (name, _) in files(folder) {
        fs::remove_file(folder.join(name)).unwrap();
    }
}

fn part(
    options: &EvaluateOptions,
    index: usize,
    count: usize,
    workers: usize,
) -> Result<EvaluateSummary, Error> {
    let mut options = options.clone();
    options.shard = Shard::new(index, count);
    evaluate_folder(&options, &Context::silent(workers))
}

fn merged(options: &EvaluateOptions, count: usize) -> Result<EvaluateSummary, Error> {
    let mut options = options.clone();
    options.merge_shards = Some(count);
    evaluate_folder(&options, &Context::silent(1))
}

#[test]
fn merged_parts_are_the_files_of_one_run_in_any_order_and_with_more_parts_than_cases() {
    let root = tempfile::tempdir().unwrap();
    let [references, predictions] = folders(root.path());
    let mut options = EvaluateOptions::new(references, predictions.clone());
    options.hausdorff = true;
    options.measures.metrics = vec![MetricGroup::Surface, MetricGroup::Volume, MetricGroup::Lesions];
    options.measures.lesion_sizes = vec![10.0, 20.0];
    let mut few = options.clone();
    few.measures.metrics = vec![];
    few.labels = Some(vec![Region::Label(2), Region::Union(vec![1, 2])]);
    few.summary_format = SummaryFormat::V2;
    few.bare_nan = true;
    for options in [options, few] {
        let one = evaluate_folder(&options, &Context::silent(2)).unwrap();
        assert_eq!((one.results.all.len(), one.failures.len()), (7, 2));
        let expected = files(&predictions);
        remove(&predictions);
        for count in [1, 2, 3, 12] {
            let mut cases = 0;
            for index in (1..=count).rev() {
                let found = part(&options, index, count, 1 + index % 2).unwrap();
                assert_eq!(found.shard, Shard::new(index, count));
                cases += found.results.all.len() + found.failures.len();
            }
            assert_eq!(cases, 9);
            let together = merged(&options, count).unwrap();
            assert_eq!(together.failures, one.failures);
            assert_eq!(files(&predictions), expected, "{count} parts");
            remove(&predictions);
        }
    }
}

#[test]
fn missing_parts_other_options_and_changed_files_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let [references, predictions] = folders(root.path());
    let options = EvaluateOptions::new(references, predictions.clone());
    part(&options, 1, 2, 1).unwrap();
    let error = merged(&options, 2).unwrap_err().to_string();
    assert!(
        error.contains("summary_part_2_of_2.json") && error.contains("--shard 2/2"),
        "{error}"
    );

    part(&options, 2, 2, 1).unwrap();
    let mut other = options.clone();
    other.ignore_label = Some(-1);
    let error = merged(&other, 2).unwrap_err();
    assert!(matches!(error, Error::Part { .. }), "{error}");
    assert!(
        error.to_string().contains("ignoreLabel null instead of -1"),
        "{error}"
    );

    fs::copy(
        predictions.join("case_0.nii.gz"),
        predictions.join("case_3.nii.gz"),
    )
    .unwrap();
    let error = merged(&options, 2).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("case_3 have changed since; run `evaluate --shard 2/2` again"),
        "{error}"
    );
    assert!(!predictions.join("summary.json").exists());
    part(&options, 2, 2, 1).unwrap();
    // A case that is new moves the cases after it to other parts.
    fs::copy(
        predictions.join("case_0.nii.gz"),
        predictions.join("another.nii.gz"),
    )
    .unwrap();
    assert!(matches!(merged(&options, 2), Err(Error::Part { .. })));
    fs::remove_file(predictions.join("another.nii.gz")).unwrap();
    let first = predictions.join("summary_part_1_of_2.json");
    assert_eq!(merged(&options, 2).unwrap().failures.len(), 2);
    assert!(first.exists(), "the part can be merged again");
    fs::copy(
        predictions.join("case_0.nii.gz"),
        predictions.join("case_10.nii.gz"),
    )
    .unwrap();
    fs::copy(
        predictions.join("case_0.nii.gz"),
        predictions.join("case_11.nii.gz"),
    )
    .unwrap();
    for index in 1..=2 {
        part(&options, index, 2, 1).unwrap();
    }
    assert!(merged(&options, 2).unwrap().failures.is_empty() && !first.exists());

    fs::write(predictions.join("summary_part_1_of_1.json"), "{\"options\":").unwrap();
    assert!(matches!(merged(&options, 1), Err(Error::Part { .. })));
    let mut both = options;
    both.merge_shards = Some(2);
    assert!(matches!(part(&both, 1, 2, 1), Err(Error::Option(_))));
}

#[test]
fn labels_are_checked_over_all_parts() {
    let root = tempfile::tempdir().unwrap();
    let [references, predictions] = folders(root.path());
    let mut options = EvaluateOptions::new(references, predictions);
    options.labels = Some(vec![Region::Label(2)]);
    for index in 1..=9 {
        part(&options, index, 9, 1).unwrap();
    }
    merged(&options, 9).unwrap();
    options.labels = Some(vec![Region::Label(2), Region::Label(3)]);
    for index in 1..=2 {
        part(&options, index, 2, 1).unwrap();
    }
    assert!(matches!(merged(&options, 2), Err(Error::LabelsAbsent { .. })));
}
