//! Files as users have them: unusual voxels, names and headers.

use dataset::TrainingCase;
use task::check::Problem;

use super::*;

/// Returns the message of the only problem of a kind.
fn message(summary: &CheckSummary, kind: ProblemKind) -> &str {
    let mut found = summary.problems.iter().filter(|p| p.kind == kind);
    let message = &found
        .next()
        .unwrap_or_else(|| panic!("{:#?}", summary.problems))
        .message;
    assert!(found.next().is_none(), "{:#?}", summary.problems);
    message
}

#[test]
fn label_mirrored_about_the_origin_is_not_overwritten() {
    let f = Fixture::new(&["flip", "box", "near"]);
    let mut flipped = geometry();
    // The y axis of the grid points the other way: from the same first voxel, or from the far end.
    flipped.direction[1] = 1.0;
    write_labels(&f.label("flip"), labels().view(), &flipped).unwrap();
    flipped.origin[0] -= 0.75 * 3.0;
    write_labels(&f.label("box"), labels().view(), &flipped).unwrap();
    write_labels(&f.label("near"), labels().view(), &moved(0.2)).unwrap();
    let before = ["flip", "box"].map(|case| std::fs::read(f.label(case)).unwrap());
    let summary = f.check(&CheckOptions {
        fix: true,
        ..f.options()
    });
    let fixed: Vec<_> = summary
        .problems
        .iter()
        .map(|p| (p.case.as_deref().unwrap(), p.fixed))
        .collect();
    assert_eq!(fixed, [("flip", false), ("box", false), ("near", true)]);
    assert_eq!(
        before,
        ["flip", "box"].map(|case| std::fs::read(f.label(case)).unwrap())
    );
}

#[test]
fn tolerance_is_relative_to_the_voxel() {
    let mut f = Fixture::new(&[]);
    // Micrometres: one channel lost its spacing along x, by 0.0006 mm.
    let small = Geometry {
        spacing: [1.2e-3, 4e-4, 4e-4],
        ..Geometry::default()
    };
    let mut lost = small.clone();
    lost.spacing[2] = 1e-3;
    f.list("a");
    put(&f.image("a", 0), image().view(), &small);
    put(&f.image("a", 1), image().view(), &lost);
    write_labels(&f.label("a"), labels().view(), &small).unwrap();
    let summary = f.check(&f.options());
    assert!(
        message(&summary, ProblemKind::Geometry).contains("150.000 %"),
        "{:#?}",
        summary.problems
    );
}

#[test]
fn images_of_one_value_are_reported() {
    use ProblemKind as K;
    let f = Fixture::new(&["zero", "flat", "good"]);
    put(&f.image("zero", 0), Array3::zeros(SIZE).view(), &geometry());
    put(
        &f.image("flat", 1),
        Array3::from_elem(SIZE, 7.0).view(),
        &geometry(),
    );
    let expected = BTreeMap::from([
        ("zero".into(), vec![K::AllZero]),
        ("flat".into(), vec![K::Constant]),
    ]);
    assert_eq!(kinds(&f.check(&f.options())), expected);
}

#[test]
fn ct_with_one_intensity_in_the_foreground_is_reported() {
    let mut f = Fixture::new(&["a", "b"]);
    f.dataset.modality.insert("1".into(), "CT".into());
    let binary = Array3::from_shape_fn(SIZE, |at| f32::from(labels()[at]));
    for case in ["a", "b"] {
        put(&f.image(case, 1), binary.view(), &geometry());
    }
    let summary = f.check(&f.options());
    assert_eq!(
        kinds(&summary),
        BTreeMap::from([("dataset.json".into(), vec![ProblemKind::NoSpread])])
    );
    assert!(message(&summary, ProblemKind::NoSpread).contains("intensity 1;"));
    // Another case with another intensity gives a spread.
    put(&f.image("b", 1), binary.mapv(|v| 2.0 * v).view(), &geometry());
    assert!(f.check(&f.options()).ok);
}

#[test]
fn labels_outside_the_nonzero_region_are_counted() {
    let f = Fixture::new(&["part", "other"]);
    // The label is at z > 0 and x > 2: 16 voxels, 8 of them at x = 4.
    for case in ["part", "other"] {
        let mut image = image();
        image.slice_mut(ndarray::s![.., .., 4..]).fill(0.0);
        put(&f.image(case, 0), image.view(), &geometry());
    }
    // A second channel that is not 0 there keeps them.
    let mut image = image();
    image.slice_mut(ndarray::s![.., .., 4..]).fill(0.0);
    put(&f.image("part", 1), image.view(), &geometry());
    let summary = f.check(&f.options());
    let expected = BTreeMap::from([("part".into(), vec![ProblemKind::LabelsCropped])]);
    assert_eq!(kinds(&summary), expected);
    assert!(message(&summary, ProblemKind::LabelsCropped).starts_with("8 of 16 labelled voxels"));
}

#[test]
fn damaged_gzip_is_unreadable() {
    let f = Fixture::new(&["rubbish", "cut", "flip"]);
    let change = |path: &std::path::Path, change: fn(&mut Vec<u8>)| {
        let mut bytes = std::fs::read(path).unwrap();
        change(&mut bytes);
        std::fs::write(path, bytes).unwrap();
    };
    change(&f.image("rubbish", 0), |bytes| bytes.extend(b"rubbish"));
    change(&f.image("cut", 1), |bytes| bytes.truncate(bytes.len() - 5));
    change(&f.label("flip"), |bytes| {
        let at = bytes.len() - 8;
        bytes[at] ^= 1;
    });
    let summary = f.check(&f.options());
    assert_eq!(summary.problems.len(), 3);
    for problem in &summary.problems {
        assert_eq!(
            (problem.kind, &problem.details["code"]),
            (ProblemKind::Unreadable, &"ERR_GZIP".into())
        );
    }
}

#[test]
fn names_that_nnunet_would_not_find_are_explained() {
    use ProblemKind as K;
    let composed = "M\u{fc}ller";
    let mut f = Fixture::new(&[composed, "upper", "both", "three", "folder", "a", "a_weightmap"]);
    let folder = |part: &str| f.folder.join(part);
    let decomposed = "Mu\u{308}ller";
    for (from, to) in [
        (f.image(composed, 0), f.image(decomposed, 0)),
        (f.image(composed, 1), f.image(decomposed, 1)),
        (f.label(composed), f.label(decomposed)),
        (f.image("upper", 0), folder("imagesTr/upper_0000.NII.GZ")),
        (f.image("three", 1), folder("imagesTr/three_001.nii.gz")),
    ] {
        std::fs::rename(from, to).unwrap();
    }
    put(&folder("imagesTr/both_0000.nii"), image().view(), &geometry());
    std::fs::remove_file(f.image("folder", 0)).unwrap();
    std::fs::create_dir(f.image("folder", 0)).unwrap();
    let image = "./imagesTr/a_0000.nii.gz".to_owned();
    f.dataset.training[5].image = image;
    let summary = f.check(&f.options());
    let found = kinds(&summary);
    for (name, expected) in [
        ("upper_0000.NII.GZ", K::FileName),
        ("both_0000.nii.gz", K::TwoFiles),
        ("three_001.nii.gz", K::FileName),
        ("folder_0000.nii.gz", K::FileName),
        ("a_0000", K::CaseName),
        ("upper", K::ChannelMissing),
        ("three", K::ChannelMissing),
        ("folder", K::ChannelMissing),
    ] {
        assert_eq!(found[name], [expected], "{name}: {:#?}", summary.problems);
    }
    assert!(
        !found.contains_key("a"),
        "listed with its channel number, but checked"
    );
    let forms = summary
        .problems
        .iter()
        .filter(|p| p.message.contains("NFC or NFD"))
        .count();
    assert_eq!(forms, 3, "two channels and a label: {:#?}", summary.problems);
    assert!(message(&summary, K::CaseName).contains("channel number"));
    f.dataset.training[5].image = "./imagesTr/a.nii.gz".into();
    let summary = f.check(&f.options());
    assert!(message(&summary, K::CaseName).contains("weightmap of case a"));
}

#[test]
fn labels_rounded_by_a_tool_are_whole_numbers() {
    let f = Fixture::new(&["near", "far"]);
    let scaled = |by: f32| labels().mapv(|v| f32::from(v) * by);
    put(&f.label("near"), scaled(0.999_999_94).view(), &geometry());
    put(&f.label("far"), scaled(0.9882).view(), &geometry());
    let summary = f.check(&f.options());
    assert_eq!(
        kinds(&summary),
        BTreeMap::from([("far".into(), vec![ProblemKind::Unreadable])])
    );
    assert!(
        message(&summary, ProblemKind::Unreadable).contains("round them"),
        "{:#?}",
        summary.problems
    );
    assert_eq!(summary.cases[0].label_voxels, BTreeMap::from([(0, 44), (1, 16)]));
}

#[test]
fn dataset_json_of_windows_is_read_and_comments_are_named() {
    let f = Fixture::new(&["a"]);
    f.check(&f.options());
    let path = f.folder.join("dataset.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let check = |text: &str| {
        std::fs::write(&path, text).unwrap();
        check_dataset(&f.options(), &Context::silent(1))
    };
    assert!(
        check(&format!("\u{feff}{}", text.replace('\n', "\r\n")))
            .unwrap()
            .ok
    );
    let error = check(&text.replace("\"modality\": {", "\"modality\": { # channels")).unwrap_err();
    assert_eq!(error.code(), "ERR_DATASET_RECORD");
    assert!(error.to_string().contains("JSON has no comments"), "{error}");
}

#[test]
fn header_that_contradicts_itself_is_reported() {
    let f = Fixture::new(&["a", "b"]);
    // Every file of case a says 0.9 in pixdim, and 0.5 in its sform.
    let plain = f.folder.join("plain.nii");
    for path in [f.image("a", 0), f.image("a", 1), f.label("a")] {
        if path == f.label("a") {
            write_labels(&plain, labels().view(), &geometry()).unwrap();
        } else {
            put(&plain, image().view(), &geometry());
        }
        let mut bytes = std::fs::read(&plain).unwrap();
        bytes[80..84].copy_from_slice(&0.9_f32.to_le_bytes());
        std::fs::write(&path, bytes).unwrap();
    }
    let summary = f.check(&f.options());
    let expected = BTreeMap::from([("a".into(), vec![ProblemKind::Header; 3])]);
    assert_eq!(kinds(&summary), expected);
    assert!(summary.problems[0].message.contains("sform"));
}

#[test]
fn labels_that_no_case_has_are_reported() {
    let mut f = Fixture::new(&["a", "b"]);
    f.dataset.labels.insert(2, "vessel".into());
    f.dataset.labels.insert(3, "cyst".into());
    write_labels(&f.label("b"), labels().mapv(|v| 2 * v).view(), &geometry()).unwrap();
    let summary = f.check(&f.options());
    let found = message(&summary, ProblemKind::AbsentLabel);
    assert!(found.contains("3 (cyst)") && !found.contains("vessel"), "{found}");
    // Test cases have no label.
    f.dataset.training.clear();
    let summary = f.check(&f.options());
    assert!(summary
        .problems
        .iter()
        .all(|p| p.kind != ProblemKind::AbsentLabel));
}

#[test]
fn channel_names_like_ct_are_reported() {
    let mut f = Fixture::new(&["a"]);
    let mut named = |name: &str| {
        f.dataset.modality.insert("1".into(), name.to_owned());
        let summary = f.check(&f.options());
        summary
            .problems
            .iter()
            .any(|p| p.kind == ProblemKind::ChannelName)
    };
    for name in ["CT ", "Ct", " ct", "CT scan", "ct_venous"] {
        assert!(named(name), "{name}");
    }
    for name in ["CT", "ct", "noCT", "CTA", "T1", ""] {
        assert!(!named(name), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn files_that_are_not_images_are_explained() {
    use ProblemKind as K;
    let mut f = Fixture::new(&["lower", "Blank", "link", "twin", "Twin", "nrrd", "lfs"]);
    let folder = |name: &str| f.folder.join("imagesTr").join(name);
    std::fs::remove_file(f.image("link", 0)).unwrap();
    std::os::unix::fs::symlink("/nonexistent/image.nii.gz", f.image("link", 0)).unwrap();
    std::fs::rename(f.image("nrrd", 0), folder("nrrd_0000.nrrd")).unwrap();
    std::fs::write(f.image("lfs", 1), "version https://git-lfs.github.com/spec/v1\n").unwrap();
    f.dataset.training[0] = TrainingCase::new("LOWER");
    f.dataset.training[1].label = "./labelsTr/Blank.nii.gz ".into();
    f.dataset.training[1].image = "./imagesTr/Blank.nii.gz ".into();
    let summary = f.check(&f.options());
    let said = |name: &str, kind: K, text: &str| {
        let of = |p: &&Problem| {
            let file = p.file.as_ref().and_then(|f| f.file_name()).unwrap_or_default();
            p.kind == kind && (p.case.as_deref() == Some(name) || file == name)
        };
        let found = summary
            .problems
            .iter()
            .filter(of)
            .find(|p| p.message.contains(text));
        assert!(found.is_some(), "{name} {text}: {:#?}", summary.problems);
    };
    said(
        "link_0000.nii.gz",
        K::FileName,
        "link to /nonexistent/image.nii.gz",
    );
    said("nrrd_0000.nrrd", K::FileName, "NRRD files are not read");
    said("lfs", K::Unreadable, "git lfs pull");
    said("Twin", K::CaseName, "case twin only in upper and lower case");
    said("LOWER", K::LabelMissing, "lower exists");
    said("LOWER", K::ChannelMissing, "lower exists");
    said("Blank.nii.gz ", K::LabelMissing, "no blanks");
}
