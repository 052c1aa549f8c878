//! Sparse tasks on disk.

use std::path::{Path, PathBuf};

use dataset::DatasetJson;
use ndarray::Array3;
use run::{Coded, Context};
use serde_json::json;
use task::check::{check_dataset, CheckOptions};
use task::simulate::{simulate_sparse, Pattern, SimulateSparseOptions, SimulateSparseSummary};
use task::Error;
use volume::nifti::{read_labels, write_image, write_labels};
use volume::Geometry;

const CASES: usize = 5;

fn geometry() -> Geometry {
    Geometry {
        spacing: [3.0, 1.0, 0.5],
        ..Geometry::default()
    }
}

fn dense(case: usize) -> Array3<i16> {
    Array3::from_shape_fn((8, 16, 20), |(z, y, x)| match (z, y, x) {
        (2..6, 3..9, _) if x > 2 + case => 1,
        (4, 12, 12) => 2,
        _ => 0,
    })
}

/// A raw task with dense labels, two channels and one test case.
fn dense_task(base: &Path) -> PathBuf {
    let folder = base.join("nnUNet_raw_data/Task501_Dense");
    for name in ["imagesTr", "labelsTr", "imagesTs", "labelsTs"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    let names: Vec<String> = (0..CASES).map(|i| format!("case_{i}")).collect();
    let write = |part: &str, case: &str, labels: &Array3<i16>| {
        for channel in 0..2 {
            let path = folder.join(format!("images{part}/{case}_{channel:04}.nii.gz"));
            write_image(&path, labels.mapv(f32::from).view(), &geometry()).unwrap();
        }
        let path = folder.join(format!("labels{part}/{case}.nii.gz"));
        write_labels(&path, labels.view(), &geometry()).unwrap();
    };
    for (i, name) in names.iter().enumerate() {
        write("Tr", name, &dense(i));
    }
    write("Ts", "test_0", &dense(0));
    let training: Vec<_> = names
        .iter()
        .map(|n| {
            json!({
                "image": format!("./imagesTr/{n}.nii.gz"),
                "label": format!("./labelsTr/{n}.nii.gz"),
            })
        })
        .collect();
    let record = json!({
        "name": "Dense", "modality": { "0": "T1", "1": "T2" },
        "labels": { "0": "background", "1": "organ", "2": "lesion" }, "licence": "CC0",
        "numTraining": CASES, "numTest": 1, "training": training, "test": ["./imagesTs/test_0.nii.gz"],
    });
    std::fs::write(folder.join("dataset.json"), record.to_string()).unwrap();
    folder
}

fn options(base: &Path, name: &str) -> SimulateSparseOptions {
    let mut options = SimulateSparseOptions::new("501".to_owned(), name.to_owned());
    options.folders.raw_base = Some(base.to_owned());
    options.pattern = Pattern::Scribbles;
    options.share = Some(0.05);
    options.seed = 3;
    options
}

fn run(options: &SimulateSparseOptions, workers: usize) -> Result<SimulateSparseSummary, Error> {
    simulate_sparse(options, &Context::silent(workers))
}

/// Names and content of all files below a folder.
fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = testkit::files_below(folder);
    let named = |file: PathBuf| {
        (
            file.strip_prefix(folder).unwrap().to_owned(),
            std::fs::read(&file).unwrap(),
        )
    };
    files.into_iter().map(named).collect()
}

#[test]
fn labels_are_a_part_of_the_dense_ones_and_the_task_passes_the_check() {
    let base = tempfile::tempdir().unwrap();
    let source = dense_task(base.path());
    for (i, (pattern, slices)) in [
        (Pattern::Slices, Some(2)),
        (Pattern::Scribbles, None),
        (Pattern::Voxels, None),
    ]
    .into_iter()
    .enumerate()
    {
        let mut options = options(base.path(), &format!("Task60{i}_Sparse"));
        (options.pattern, options.slices) = (pattern, slices);
        if slices.is_some() {
            options.share = None;
        }
        let summary = run(&options, 2).unwrap();
        assert_eq!(
            (summary.cases.len(), summary.test, summary.failures.len()),
            (CASES, 1, 0)
        );
        for (case, report) in summary.cases.iter().enumerate() {
            let file = format!("labelsTr/{}.nii.gz", report.case);
            let (labels, found) = read_labels(&summary.folder.join(file)).unwrap();
            let (labels, dense) = (labels, dense(case));
            assert!(found.deviation(&geometry()).within(1e-6));
            assert!(labels
                .iter()
                .zip(&dense)
                .all(|(&new, &old)| new == old || new == -1));
            let annotated = labels.iter().filter(|&&v| v != -1).count();
            let share = annotated as f64 / labels.len() as f64;
            assert_eq!(report.share, share);
            assert_eq!(
                report.classes.iter().map(|c| c.label).collect::<Vec<_>>(),
                [0, 1, 2]
            );
            for class in &report.classes {
                let count = |l: &Array3<i16>| l.iter().filter(|&&v| v == class.label).count() as u64;
                assert_eq!((class.voxels, class.annotated), (count(&dense), count(&labels)));
                assert!(class.annotated > 0);
            }
            if pattern != Pattern::Slices {
                assert!((share - 0.05).abs() < 0.005, "{share}");
            }
        }
        assert!(
            (summary.share - summary.cases.iter().map(|c| c.share).sum::<f64>() / CASES as f64).abs() < 1e-9
        );
        let checked = check_dataset(
            &CheckOptions::new(summary.folder.to_string_lossy().into_owned()),
            &Context::silent(1),
        );
        let checked = checked.unwrap();
        assert!(
            checked.ok && checked.cases[0].unlabelled_voxels > 0,
            "{:#?}",
            checked.problems
        );
        let same = |name: &str| {
            std::fs::read(source.join(name)).unwrap() == std::fs::read(summary.folder.join(name)).unwrap()
        };
        assert!(same("imagesTr/case_0_0001.nii.gz") && same("labelsTs/test_0.nii.gz"));
        let record = DatasetJson::read(&summary.folder.join("dataset.json")).unwrap();
        assert_eq!((record.cases().len(), record.name), (CASES, summary.task));
        assert_eq!(record.extra["licence"], "CC0");
        assert_eq!(record.extra["simulated_annotation"]["source"], "Task501_Dense");
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let found = [1, 2, 5].map(|workers| {
        let base = tempfile::tempdir().unwrap();
        dense_task(base.path());
        let summary = run(&options(base.path(), "Task602_Sparse"), workers).unwrap();
        (content(&summary.folder), summary.cases)
    });
    assert_eq!(found[0], found[1]);
    assert_eq!(found[0], found[2]);
}

#[test]
fn an_existing_task_or_number_is_refused_and_unchanged() {
    let base = tempfile::tempdir().unwrap();
    dense_task(base.path());
    let raw = base.path().join("nnUNet_raw_data");
    let first = options(base.path(), "Task602_Sparse");
    run(&first, 1).unwrap();
    let before = content(&raw);
    let again = run(
        &SimulateSparseOptions {
            seed: 9,
            ..first.clone()
        },
        1,
    )
    .unwrap_err();
    assert_eq!(again.code(), "ERR_TASK_EXISTS");
    assert!(again.to_string().contains("Task602_Sparse"), "{again}");
    let taken = run(&options(base.path(), "Task501_Other"), 1).unwrap_err();
    assert_eq!(taken.code(), "ERR_TASK_NUMBER_TAKEN");
    assert_eq!(content(&raw), before);
}

#[test]
fn a_case_that_cannot_be_read_is_left_out() {
    let base = tempfile::tempdir().unwrap();
    let source = dense_task(base.path());
    std::fs::remove_file(source.join("imagesTr/case_1_0001.nii.gz")).unwrap();
    let nothing = Array3::from_elem((8, 16, 20), -1);
    write_labels(
        &source.join("labelsTr/case_3.nii.gz"),
        nothing.view(),
        &geometry(),
    )
    .unwrap();
    let summary = run(&options(base.path(), "Task602_Sparse"), 2).unwrap();
    let failed: Vec<&str> = summary.failures.iter().map(|f| f.case.as_str()).collect();
    assert_eq!(failed, ["case_1", "case_3"]);
    let record = DatasetJson::read(&summary.folder.join("dataset.json")).unwrap();
    assert_eq!(record.cases(), ["case_0", "case_2", "case_4"]);
}

#[test]
fn a_cancelled_run_leaves_nothing() {
    let base = tempfile::tempdir().unwrap();
    dense_task(base.path());
    let context = Context::silent(1);
    context.cancel().cancel();
    let error = simulate_sparse(&options(base.path(), "Task602_Sparse"), &context).unwrap_err();
    assert_eq!(error.code(), "ERR_CANCELLED");
    let names = std::fs::read_dir(base.path().join("nnUNet_raw_data")).unwrap();
    assert_eq!(names.count(), 1);
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let refused = |text: &str| {
        let text = format!(r#"{{"task":"501","name":"Task602_X",{text}}}"#);
        run::parse::<SimulateSparseOptions>(&text)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(refused(r#""seed":1"#), "slices: give slices or share");
    assert_eq!(
        refused(r#""share":0.1,"slices":1"#),
        "slices: give either slices or share, not both"
    );
    assert_eq!(
        refused(r#""pattern":"voxels","slices":1"#),
        "slices: belongs to the pattern slices; give share for scribbles and voxels"
    );
    assert_eq!(
        refused(r#""pattern":"scribbles""#),
        "share: give the share of voxels to annotate"
    );
    assert_eq!(
        refused(r#""slices":1,"axes":["x","x"]"#),
        "axes: names an axis twice"
    );
    assert!(refused(r#""share":0"#).starts_with("share: expected"));
}
