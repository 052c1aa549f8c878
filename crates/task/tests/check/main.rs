//! Integrity check of a task with every kind of problem.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test helpers fail by panicking")]

mod faults;
mod fixture;

use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::Array3;
use run::{Cancel, Coded, Context, Event};
use task::check::{check_dataset, CheckOptions, CheckSummary, ProblemKind};
use testkit::Recorder;
use volume::nifti::{read_header, read_image, read_labels, write_labels};
use volume::Geometry;

use fixture::{geometry, image, labels, put, Fixture, SIZE};

/// Returns the kinds of problems by case, or by file for problems without a case.
fn kinds(summary: &CheckSummary) -> BTreeMap<String, Vec<ProblemKind>> {
    let mut found: BTreeMap<String, Vec<ProblemKind>> = BTreeMap::new();
    for problem in &summary.problems {
        let file = || {
            problem
                .file
                .as_ref()
                .unwrap()
                .file_name()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        };
        found
            .entry(problem.case.clone().unwrap_or_else(file))
            .or_default()
            .push(problem.kind);
    }
    found
}

#[test]
fn valid_task_has_no_problems_and_counted_voxels() {
    let mut fixture = Fixture::new(&["a", "b"]);
    let mut sparse = labels();
    sparse.slice_mut(ndarray::s![0, .., ..]).fill(-1);
    write_labels(&fixture.label("b"), sparse.view(), &geometry()).unwrap();
    for channel in 0..2 {
        let path = fixture.folder.join(format!("imagesTs/t_{channel:04}.nii.gz"));
        put(&path, image().view(), &geometry());
    }
    fixture.dataset.test.push("./imagesTs/t.nii.gz".into());
    std::fs::write(fixture.folder.join("imagesTr/._a_0000.nii.gz"), "macOS").unwrap();
    let summary = fixture.check(&fixture.options());
    assert!(summary.ok, "{:#?}", summary.problems);
    assert_eq!((summary.task.as_str(), summary.channels), ("Task500_Check", 2));
    assert_eq!(
        summary.cases.iter().map(|c| c.case.as_str()).collect::<Vec<_>>(),
        ["a", "b", "t"]
    );
    assert_eq!(summary.cases[0].label_voxels, BTreeMap::from([(0, 44), (1, 16)]));
    assert_eq!(
        summary.cases[1].label_voxels,
        BTreeMap::from([(-1, 20), (0, 24), (1, 16)])
    );
    assert_eq!(
        (
            summary.cases[0].unlabelled_voxels,
            summary.cases[1].unlabelled_voxels
        ),
        (0, 20)
    );
    assert_eq!(summary.cases[2].size, Some([3, 4, 5]));
}

#[test]
fn all_problems_are_listed_with_their_cases() {
    use ProblemKind as K;
    let names = [
        "good", "nan", "size", "label", "short", "none", "blank", "gone", "cut", "twice",
    ];
    let mut f = Fixture::new(&names);
    let mut bad = image();
    (bad[[0, 0, 0]], bad[[1, 1, 1]], bad[[2, 2, 2]]) = (f32::NAN, f32::INFINITY, f32::NEG_INFINITY);
    put(&f.image("nan", 1), bad.view(), &geometry());
    put(
        &f.image("size", 1),
        image().slice(ndarray::s![..2, .., ..]),
        &geometry(),
    );
    let mut unlisted = labels();
    (unlisted[[0, 0, 0]], unlisted[[0, 0, 1]], unlisted[[2, 3, 4]]) = (7, 7, -2);
    write_labels(&f.label("label"), unlisted.view(), &geometry()).unwrap();
    std::fs::remove_file(f.image("short", 1)).unwrap();
    std::fs::remove_file(f.label("none")).unwrap();
    write_labels(&f.label("blank"), Array3::from_elem(SIZE, -1).view(), &geometry()).unwrap();
    (0..2).for_each(|c| std::fs::remove_file(f.image("gone", c)).unwrap());
    let whole = std::fs::read(f.image("cut", 0)).unwrap();
    std::fs::write(f.image("cut", 0), &whole[..whole.len() / 2]).unwrap();
    f.list("twice");
    // Files without an entry in dataset.json.
    put(&f.image("good", 2), image().view(), &geometry());
    put(&f.folder.join("imagesTr/odd.nii.gz"), image().view(), &geometry());
    write_labels(&f.label("only_label"), labels().view(), &geometry()).unwrap();
    put(&f.image("only_image", 0), image().view(), &geometry());
    f.add("unlisted");
    f.dataset.training.pop();
    // A label that is not a whole number.
    f.add("half");
    put(&f.label("half"), image().mapv(|v| v / 2.0).view(), &geometry());
    f.dataset.labels.insert(3, "beyond a gap".into());
    f.dataset.modality.insert("3".into(), "beyond a gap".into());
    f.dataset.modality.shift_remove("1");
    f.dataset.test.push("./imagesTs/absent.nii.gz".into());

    let summary = f.check(&f.options());
    let expected: BTreeMap<String, Vec<K>> = [
        ("dataset.json", vec![K::Modalities, K::Labels, K::AbsentLabel]),
        ("good", vec![K::ChannelUnexpected]),
        ("nan", vec![K::NotFinite]),
        ("size", vec![K::Size]),
        ("label", vec![K::UnlistedLabel]),
        ("short", vec![K::ChannelMissing]),
        ("none", vec![K::LabelMissing]),
        ("blank", vec![K::NoAnnotation]),
        ("gone", vec![K::ChannelMissing, K::ChannelMissing]),
        ("cut", vec![K::Unreadable]),
        ("twice", vec![K::ListedTwice]),
        ("odd.nii.gz", vec![K::FileName]),
        ("only_label", vec![K::ImageMissing]),
        ("only_image", vec![K::LabelMissing]),
        ("unlisted", vec![K::NotListed]),
        ("half", vec![K::Unreadable]),
        ("absent", vec![K::ChannelMissing, K::ChannelMissing]),
    ]
    .into_iter()
    .map(|(case, kinds)| (case.to_owned(), kinds))
    .collect();
    assert_eq!(kinds(&summary), expected);
    assert!(!summary.ok);

    let of = |case: &str| {
        summary
            .problems
            .iter()
            .find(|p| p.case.as_deref() == Some(case))
            .unwrap()
    };
    assert_eq!(of("nan").details["nan"], 1);
    assert_eq!(of("nan").details["infinite"], 2);
    assert_eq!(
        of("label").details["unlisted"],
        serde_json::json!({ "-2": 1, "7": 2 })
    );
    assert_eq!(of("size").details["found"], serde_json::json!([2, 4, 5]));
    assert!(of("half").details["code"].as_str().unwrap().starts_with("ERR_"));
    assert!(of("cut").message.contains("cut_0000.nii.gz"));
    // The report does not depend on the number of threads.
    let one = check_dataset(&f.options(), &Context::silent(1)).unwrap();
    assert_eq!(one, summary);
}

#[test]
fn different_names_are_one_problem_and_label_is_checked() {
    let mut f = Fixture::new(&["a", "b", "c"]);
    std::fs::rename(f.label("a"), f.label("other")).unwrap();
    let mut unlisted = labels();
    unlisted[[0, 0, 0]] = 9;
    write_labels(&f.label("other"), unlisted.view(), &geometry()).unwrap();
    f.dataset.training[0].label = "./labelsTr/other.nii.gz".into();
    // The label of another case also belongs to that case.
    f.dataset.training[1].label = "./labelsTr/c.nii.gz".into();
    std::fs::remove_file(f.label("b")).unwrap();
    let summary = f.check(&f.options());
    use ProblemKind as K;
    assert_eq!(
        kinds(&summary),
        BTreeMap::from([
            ("a".into(), vec![K::NameMismatch, K::UnlistedLabel]),
            ("b".into(), vec![K::NameMismatch])
        ])
    );
    let details = &summary.problems[0].details;
    assert_eq!(details["label"], "./labelsTr/other.nii.gz");
}

#[test]
fn channel_file_with_two_volumes_is_reported() {
    let f = Fixture::new(&["a", "b"]);
    let path = f.image("b", 0).with_extension("").with_extension("nii");
    put(&path, image().view(), &geometry());
    std::fs::remove_file(f.image("b", 0)).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let offset = read_header(&path).unwrap().offset;
    bytes.extend_from_within(offset..);
    // Four dimensions, two volumes.
    bytes[40..42].copy_from_slice(&4i16.to_le_bytes());
    bytes[48..50].copy_from_slice(&2i16.to_le_bytes());
    std::fs::write(&path, &bytes).unwrap();
    let summary = f.check(&f.options());
    assert_eq!(
        kinds(&summary),
        BTreeMap::from([("b".into(), vec![ProblemKind::SeveralVolumes])])
    );
    assert_eq!(summary.problems[0].details["volumes"], 2);

    // A fourth dimension of one volume is accepted.
    bytes.truncate(bytes.len() - (bytes.len() - offset) / 2);
    bytes[48..50].copy_from_slice(&1i16.to_le_bytes());
    std::fs::write(&path, &bytes).unwrap();
    assert!(f.check(&f.options()).ok);
}

#[test]
fn spacing_origin_and_direction_of_every_file_are_compared() {
    let mut f = Fixture::new(&["spacing", "origin", "direction"]);
    let mut off = [geometry(), geometry(), geometry()];
    off[0].spacing[0] += 0.004;
    off[1].origin[2] -= 0.004;
    let (sin, cos) = 0.004f64.sin_cos();
    off[2].direction = [-sin, -cos, 0.0, cos, -sin, 0.0, 0.0, 0.0, 1.0];
    put(&f.image("spacing", 1), image().view(), &off[0]);
    write_labels(&f.label("origin"), labels().view(), &off[1]).unwrap();
    write_labels(&f.label("direction"), labels().view(), &off[2]).unwrap();
    for (channel, geometry) in [(0, geometry()), (1, off[1].clone())] {
        let path = f.folder.join(format!("imagesTs/test_{channel:04}.nii.gz"));
        put(&path, image().view(), &geometry);
    }
    f.dataset.test.push("./imagesTs/test.nii.gz".into());
    let summary = f.check(&f.options());
    assert_eq!(summary.problems.len(), 4, "{:#?}", summary.problems);
    for problem in &summary.problems {
        let case = problem.case.as_deref().unwrap();
        let part = if case == "test" { "origin" } else { case };
        assert_eq!(problem.kind, ProblemKind::Geometry);
        let deviation = problem.details["deviation"][part].as_f64().unwrap();
        assert!((deviation - 0.004).abs() < 1e-4, "{case}: {deviation}");
        assert!(problem.message.contains("0.0040"), "{}", problem.message);
    }
    let tolerant = CheckOptions {
        tolerance: 0.005,
        ..f.options()
    };
    assert!(f.check(&tolerant).ok);
}

fn moved(by: f64) -> Geometry {
    let mut geometry = geometry();
    geometry.origin[1] += by;
    geometry
}

#[test]
fn geometry_outside_tolerance_is_reported() {
    let f = Fixture::new(&["near", "off"]);
    put(&f.image("near", 1), image().view(), &moved(0.0004));
    write_labels(&f.label("off"), labels().view(), &moved(0.01)).unwrap();
    let summary = f.check(&f.options());
    assert_eq!(
        kinds(&summary),
        BTreeMap::from([("off".into(), vec![ProblemKind::Geometry])])
    );
    let problem = &summary.problems[0];
    let deviation = problem.details["deviation"]["origin"].as_f64().unwrap();
    assert!((deviation - 0.01).abs() < 1e-5, "{deviation}");
    assert!(
        problem.message.contains("0.0100") && problem.message.contains("0.001"),
        "{}",
        problem.message
    );
    assert!(problem.file.as_ref().unwrap().ends_with("labelsTr/off.nii.gz"));
    assert!(
        f.check(&CheckOptions {
            tolerance: 0.021,
            ..f.options()
        })
        .ok
    );
    assert_eq!(
        f.check(&CheckOptions {
            tolerance: 1e-6,
            ..f.options()
        })
        .problems
        .len(),
        2
    );
}

#[test]
fn rounded_geometry_is_fixed_and_other_mismatches_require_force() {
    let f = Fixture::new(&["round", "lost", "far"]);
    write_labels(&f.label("round"), labels().view(), &moved(0.2)).unwrap();
    write_labels(&f.label("lost"), labels().view(), &Geometry::default()).unwrap();
    let mut flipped = geometry();
    flipped.direction[1] = 1.0;
    put(&f.image("far", 1), image().view(), &flipped);
    let before = std::fs::read(f.label("lost")).unwrap();

    assert_eq!(f.check(&f.options()).problems.len(), 3);
    assert_eq!(
        std::fs::read(f.label("lost")).unwrap(),
        before,
        "nothing is written without fix"
    );

    let summary = f.check(&CheckOptions {
        fix: true,
        ..f.options()
    });
    assert_eq!((summary.fixed, summary.ok), (1, false));
    assert!(summary
        .problems
        .iter()
        .all(|p| p.fixed == (p.case.as_deref() == Some("round"))));
    let (found, geometry) = read_labels(&f.label("round")).unwrap();
    assert_eq!(found, labels());
    assert_eq!(geometry, read_header(&f.image("round", 0)).unwrap().geometry);
    assert!(f.folder.join("labelsTr/round.nii.gz.orig").exists());
    assert_eq!(
        std::fs::read(f.label("lost")).unwrap(),
        before,
        "nothing proves the order of its voxels"
    );

    let forced = CheckOptions {
        fix: true,
        fix_displaced: true,
        keep_originals: false,
        ..f.options()
    };
    assert!(f.check(&forced).ok);
    assert!(!f.folder.join("imagesTr/far_0001.nii.gz.orig").exists());
    let (found, geometry) = read_image(&f.image("far", 1)).unwrap();
    assert_eq!(found.index_axis(ndarray::Axis(0), 0), image());
    assert_eq!(geometry, read_header(&f.image("far", 0)).unwrap().geometry);
    assert!(f.check(&f.options()).problems.is_empty());
}

#[test]
fn unrepairable_file_fails_only_its_case() {
    // With `.orig`, the name of an image has 257 bytes. Systems allow 255.
    let long = "n".repeat(240);
    let f = Fixture::new(&[&long, "lost", "same"]);
    for case in [&long, "lost"] {
        put(&f.image(case, 1), image().view(), &moved(0.2));
    }
    f.dataset.write(&f.folder.join("dataset.json")).unwrap();
    let options = CheckOptions {
        fix: true,
        ..f.options()
    };
    let sink = Arc::new(Recorder::default());
    let summary = check_dataset(&options, &Context::new(sink.clone(), Cancel::new(), 2)).unwrap();
    assert_eq!((summary.fixed, summary.problems.len(), summary.ok), (1, 1, false));
    let failed: Vec<_> = summary.failures.iter().map(|f| f.case.as_str()).collect();
    let checked: Vec<_> = summary.cases.iter().map(|c| c.case.as_str()).collect();
    assert_eq!((failed, checked), (vec![long.as_str()], vec!["lost", "same"]));
    assert_eq!(sink.warnings(), ["WARN_CASE_FAILED"]);
}

#[test]
fn progress_is_reported_and_cancellation_stops_the_check() {
    let f = Fixture::new(&["a", "b", "c"]);
    f.check(&f.options());
    let sink = Arc::new(Recorder::default());
    check_dataset(&f.options(), &Context::new(sink.clone(), Cancel::new(), 2)).unwrap();
    let events = sink.events();
    assert!(matches!(events[0], Event::Started { verb: "check", .. }));
    let progress = events
        .iter()
        .filter(|e| {
            matches!(
                e,
                Event::Progress {
                    total: 3,
                    unit: "cases",
                    ..
                }
            )
        })
        .count();
    assert_eq!(progress, 3);

    let cancel = Cancel::new();
    cancel.cancel();
    let error = check_dataset(&f.options(), &Context::new(Arc::new(run::NullSink), cancel, 2)).unwrap_err();
    assert_eq!(error.code(), "ERR_CANCELLED");
}

#[test]
fn missing_task_is_rejected() {
    let f = Fixture::new(&["a"]);
    let error = |options: &CheckOptions| check_dataset(options, &Context::silent(1)).unwrap_err().code();
    assert_eq!(error(&f.options()), "ERR_NOT_FOUND", "no dataset.json");
    std::fs::write(f.folder.join("dataset.json"), "{").unwrap();
    assert_eq!(error(&f.options()), "ERR_DATASET_RECORD");
    assert_eq!(
        error(&CheckOptions {
            tolerance: f64::NAN,
            ..f.options()
        }),
        "ERR_OPTIONS"
    );
    assert_eq!(
        error(&CheckOptions {
            task: "no task".into(),
            ..f.options()
        }),
        "ERR_TASK_NAME"
    );
}
