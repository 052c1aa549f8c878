//! Invalid folders, files and options.

use super::*;

/// Each invalid case has its own error with its file. The valid case is written, and no partial file remains.
#[test]
fn invalid_cases_do_not_stop_the_others() {
    let task = Task::new();
    task.add("sound.npz", 1, &segmentation(4, 1.0));
    task.add("nan.npz", 1, &segmentation(4, f32::NAN));
    task.add("fraction.npz", 1, &segmentation(4, 1.5));
    task.add_array("rank.npz", &ArrayD::zeros(IxDyn(&[2, 8, 9])));
    task.add_array("empty.npz", &ArrayD::zeros(IxDyn(&[2, 0, 9, 9])));
    task.add_array("channel.npz", &ArrayD::zeros(IxDyn(&[1, 8, 9, 9])));
    task.add("truncated.npz", 3, &segmentation(4, 1.0));
    let bytes = fs::read(task.path("truncated.npz")).unwrap();
    fs::write(task.path("truncated.npz"), &bytes[..bytes.len() / 2]).unwrap();
    task.add("flipped.npz", 3, &segmentation(4, 1.0));
    let mut bytes = fs::read(task.path("flipped.npz")).unwrap();
    bytes[200] ^= 0x55;
    fs::write(task.path("flipped.npz"), bytes).unwrap();
    let other = [("seg", segmentation(4, 1.0).into_dyn())];
    let other: Vec<_> = other.iter().map(|(name, array)| (*name, array.view())).collect();
    volume::npz::write(&task.path("member.npz"), &other, Compression::Fast).unwrap();
    task.add("taken.npz", 1, &segmentation(4, 1.0));
    fs::create_dir(task.path("taken_weightmap.npy")).unwrap();

    let summary = run(&task.options());
    assert_eq!((summary.cases, summary.written), (10, 1));
    assert_eq!(
        codes(&summary),
        [
            ("channel", "ERR_WEIGHTMAP_CHANNELS"),
            ("empty", "ERR_WEIGHTMAP_RANK"),
            ("flipped", "ERR_NPZ_INFLATE"),
            ("fraction", "ERR_WEIGHTMAP_LABEL"),
            ("member", "ERR_NPZ_MEMBER"),
            ("nan", "ERR_WEIGHTMAP_LABEL"),
            ("rank", "ERR_WEIGHTMAP_RANK"),
            ("taken", "ERR_STORAGE_IO"),
            ("truncated", "ERR_NPZ_ARCHIVE"),
        ]
    );
    for failure in &summary.failures {
        let name = failure.details["path"].as_str().unwrap();
        assert!(
            name.contains(&failure.case) && failure.message.contains(name),
            "{failure:?}"
        );
    }
    let nan = &summary.failures[5];
    assert_eq!(nan.details["voxel"], serde_json::json!([1, 2, 3]));
    assert_eq!(task.map("sound"), expected(&segmentation(4, 1.0), |_| ()));
    assert_eq!(task.maps(), ["sound_weightmap.npy", "taken_weightmap.npy"]);
}

#[test]
fn pattern_that_matches_other_files_rejects_them() {
    let task = Task::new();
    task.add("a.npy", 1, &segmentation(4, 1.0));
    task.add("a.npz", 1, &segmentation(4, 1.0));
    fs::write(task.path("a.txt"), "").unwrap();
    fs::create_dir(task.path("folder.npy")).unwrap();
    let first = run(&Options {
        matching_pattern: "*.npy".into(),
        ..task.options()
    });
    assert_eq!((first.written, codes(&first)), (1, vec![]));
    let second = run(&Options {
        matching_pattern: "a*".into(),
        ..task.options()
    });
    let expected = [
        ("a", "ERR_WEIGHTMAP_SAME_OUTPUT"),
        ("a", "ERR_WEIGHTMAP_EXTENSION"),
        ("a_weightmap", "ERR_WEIGHTMAP_IS_WEIGHTMAP"),
    ];
    assert_eq!((second.written, codes(&second)), (1, expected.to_vec()));
    assert_eq!(task.maps(), ["a_weightmap.npy"]);
}

#[test]
fn missing_or_unwritable_folders_are_rejected() {
    let task = Task::new();
    let fail = |options: Options| generate(&options, &Context::silent(1)).unwrap_err();
    assert!(matches!(fail(task.options()), Error::NoCases { .. }));
    task.add("a.npz", 1, &segmentation(4, 1.0));
    let missing = Options {
        folder: task.path("missing"),
        ..task.options()
    };
    assert_eq!(fail(missing).code(), "ERR_NOT_FOUND");
    let pattern = |p: &str| Options {
        matching_pattern: p.into(),
        ..task.options()
    };
    assert!(matches!(fail(pattern("[")), Error::Option(_)));
    assert!(matches!(fail(pattern("")), Error::Option(_)));
    assert!(matches!(fail(pattern("*.nii.gz")), Error::NoCases { .. }));
    let file = Options {
        output_dir: Some(task.path("a.npz")),
        ..task.options()
    };
    let error = fail(file);
    assert!(
        matches!(&error, Error::Folder { action: "create", folder, .. } if folder.ends_with("a.npz")),
        "{error}"
    );
    let properties = run(&Options {
        spacing: true,
        ..task.options()
    });
    assert_eq!(codes(&properties), [("a", "ERR_WEIGHTMAP_NO_PROPERTIES")]);
    assert!(task.maps().is_empty());
}

#[test]
fn invalid_classes_are_rejected() {
    let task = Task::new();
    task.add("a.npz", 1, &segmentation(4, 1.0));
    let fail = |options: &Options| generate(options, &Context::silent(1)).unwrap_err();
    let classes = |c: &[i64]| Options {
        classes: Some(c.to_vec()),
        ..task.options()
    };
    let error = fail(&classes(&[1, 5]));
    assert!(
        matches!(&error, Error::UnknownClass { class: 5, labels, .. } if *labels == [0, 1, 2]),
        "{error}"
    );
    let json = task.folder.path().join("dataset.json");
    fs::write(&json, r#"{"labels": {"one": "a"}}"#).unwrap();
    assert!(matches!(fail(&task.options()), Error::DatasetJson { .. }));
    fs::write(&json, [0xff, 0xfe, b'{', 0]).unwrap();
    assert!(fail(&task.options()).to_string().contains("UTF-16"));
    fs::write(&json, "{").unwrap();
    assert!(matches!(fail(&task.options()), Error::DatasetJson { .. }));
    fs::remove_file(&json).unwrap();
    let error = fail(&task.options());
    assert!(
        matches!(&error, Error::NoClasses { path } if path.ends_with("dataset.json")),
        "{error}"
    );
    assert!(matches!(fail(&classes(&[])), Error::NoClasses { .. }));
    assert!(matches!(fail(&classes(&[-1])), Error::Class { class: -1, .. }));
    assert!(matches!(
        fail(&classes(&(1..400).collect::<Vec<_>>())),
        Error::TooManyClasses { found: 399, .. }
    ));
    assert!(task.maps().is_empty());
    assert_eq!(run(&classes(&[1])).written, 1);
}

#[test]
fn invalid_numbers_are_rejected() {
    let task = Task::new();
    let code = |options: Options| generate(&options, &Context::silent(1)).unwrap_err().code();
    for sigma in [0.0, -1.0, 1e-200, 1e200, f64::NAN, f64::INFINITY] {
        assert_eq!(
            code(Options {
                sigma,
                ..task.options()
            }),
            "ERR_OPTIONS"
        );
    }
    for w0 in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(code(Options { w0, ..task.options() }), "ERR_OPTIONS");
    }
    // The map would contain infinities.
    for (dtype, w0) in [
        (Dtype::Float16, 65504.0),
        (Dtype::Float32, 1e39),
        (Dtype::Float64, f64::INFINITY),
    ] {
        assert_eq!(
            code(Options {
                w0,
                dtype,
                ..task.options()
            }),
            "ERR_OPTIONS"
        );
    }
    let compat = Options {
        compat: true,
        ..task.options()
    };
    assert_eq!(
        code(Options {
            spacing: true,
            ..compat.clone()
        }),
        "ERR_OPTIONS"
    );
    assert_eq!(
        code(Options {
            mode: Mode::Instances,
            ..compat.clone()
        }),
        "ERR_OPTIONS"
    );
    assert_eq!(
        code(Options {
            frequencies: Frequencies::Dataset,
            ..compat
        }),
        "ERR_OPTIONS"
    );
}
