//! Runs over folders: options, and everything that can be wrong with a folder and its files.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ndarray::{Array3, Array4, ArrayD, Axis, IxDyn};
use pickle::{Dict, Value};
use run::{Cancel, Coded, Context, Event, Sink};
use tempfile::TempDir;
use volume::npz::Compression;
use weightmap::{
    border_weightmap, generate, Dtype, Error, Existing, Frequencies, Mode, Options, Parameters, Summary,
};

/// A task folder: dataset.json with labels 0 to 2, and `stage0` for cases.
struct Task {
    folder: TempDir,
}

impl Task {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("stage0")).unwrap();
        let json = r#"{"labels": {"0": "background", "1": "a", "2": "b"}}"#;
        fs::write(folder.path().join("dataset.json"), json).unwrap();
        Self { folder }
    }

    fn stage(&self) -> PathBuf {
        self.folder.path().join("stage0")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.stage().join(name)
    }

    fn options(&self) -> Options {
        Options {
            folder: self.stage(),
            ..Default::default()
        }
    }

    /// Writes a case with `channels` images before its segmentation.
    fn add(&self, name: &str, channels: usize, segmentation: &Array3<f32>) {
        let (z, y, x) = segmentation.dim();
        let mut data = Array4::from_shape_fn((channels + 1, z, y, x), |at| (at.0 + at.3) as f32 * 0.37);
        data.index_axis_mut(Axis(0), channels).assign(segmentation);
        self.add_array(name, &data.into_dyn());
    }

    fn add_array(&self, name: &str, data: &ArrayD<f32>) {
        let path = self.path(name);
        if name.ends_with(".npy") {
            volume::npy::write(&path, data.view()).unwrap();
        } else {
            volume::npz::write(&path, &[("data", data.view())], Compression::Fast).unwrap();
        }
    }

    fn map(&self, case: &str) -> Array3<f32> {
        let map: ArrayD<f32> = volume::npy::read(&self.path(&format!("{case}_weightmap.npy"))).unwrap();
        assert_eq!(map.shape()[0], 1);
        map.index_axis_move(Axis(0), 0).into_dimensionality().unwrap()
    }

    /// Every file below the stage that the cases did not bring.
    fn maps(&self) -> Vec<String> {
        let names = fs::read_dir(self.stage())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|n| n.contains("weightmap")).collect();
        names.sort();
        names
    }
}

fn segmentation(size: usize, label: f32) -> Array3<f32> {
    let mut s = Array3::zeros((8, 9, 10));
    s.slice_mut(ndarray::s![1..1 + size, 2..2 + size, 3..3 + size])
        .fill(label);
    s
}

fn expected(segmentation: &Array3<f32>, change: impl FnOnce(&mut Parameters)) -> Array3<f32> {
    let mut parameters = Parameters {
        classes: vec![1, 2],
        ..Default::default()
    };
    change(&mut parameters);
    border_weightmap(segmentation.view(), &parameters).unwrap()
}

fn run(options: &Options) -> Summary {
    generate(options, &Context::silent(2)).unwrap()
}

/// The code of the failure of each case.
fn codes(summary: &Summary) -> Vec<(&str, &str)> {
    summary
        .failures
        .iter()
        .map(|f| (f.case.as_str(), f.code.as_str()))
        .collect()
}

#[test]
fn reads_npz_and_npy_whatever_the_number_of_channels() {
    let task = Task::new();
    for (i, channels) in [1, 2, 5].into_iter().enumerate() {
        task.add(&format!("a{i}.npz"), channels, &segmentation(4, 1.0));
        task.add(&format!("b{i}.npy"), channels, &segmentation(5, 2.0));
    }
    // Another element type, and Fortran order, are converted.
    let wide = task.path("c.npz");
    let data = ndarray::stack![Axis(0), segmentation(3, 1.0), segmentation(3, 2.0)].mapv(f64::from);
    volume::npz::write(&wide, &[("data", data.view().into_dyn())], Compression::Stored).unwrap();
    let summary = run(&Options {
        matching_pattern: "*.np[yz]".into(),
        ..task.options()
    });
    assert_eq!(codes(&summary), []);
    assert_eq!((summary.cases, summary.written, summary.skipped), (7, 7, 0));
    assert_eq!(summary.classes, [1, 2]);
    for i in 0..3 {
        assert_eq!(
            task.map(&format!("a{i}")),
            expected(&segmentation(4, 1.0), |_| ())
        );
        assert_eq!(
            task.map(&format!("b{i}")),
            expected(&segmentation(5, 2.0), |_| ())
        );
    }
    assert_eq!(task.map("c"), expected(&segmentation(3, 2.0), |_| ()));
}

#[test]
fn options_reach_the_map() {
    let task = Task::new();
    let mut both = segmentation(5, 2.0);
    both.slice_mut(ndarray::s![0..3, 0..3, 0..3]).fill(1.0);
    task.add("a.npz", 1, &both);
    let check = |options: Options, change: &dyn Fn(&mut Parameters)| {
        assert_eq!(codes(&run(&options)), []);
        assert_eq!(task.map("a"), expected(&both, change));
    };
    check(
        Options {
            sigma: 2.0,
            w0: 3.0,
            ..task.options()
        },
        &|p| (p.sigma, p.w0) = (2.0, 3.0),
    );
    check(
        Options {
            classes: Some(vec![2]),
            ..task.options()
        },
        &|p| p.classes = vec![2],
    );
    check(
        Options {
            mode: Mode::Instances,
            ..task.options()
        },
        &|p| p.mode = Mode::Instances,
    );
    check(
        Options {
            mode: Mode::TwoD,
            ..task.options()
        },
        &|p| p.mode = Mode::TwoD,
    );
    let properties = Dict::ordered().with("spacing_after_resampling", Value::list([3.0, 1.0, 0.5]));
    pickle::write_file(&task.path("a.pkl"), &properties.into()).unwrap();
    check(
        Options {
            spacing: true,
            ..task.options()
        },
        &|p| p.spacing = Some([3.0, 1.0, 0.5]),
    );
    let single: ArrayD<f64> = expected(&both, |_| ())
        .mapv(f64::from)
        .insert_axis(Axis(0))
        .into_dyn();
    for (dtype, tolerance) in [(Dtype::Float64, 1e-6), (Dtype::Float16, 1e-3)] {
        run(&Options {
            dtype,
            ..task.options()
        });
        let path = task.path("a_weightmap.npy");
        let kind = volume::npy::read_header(&path).unwrap().dtype.unwrap().name();
        assert_eq!(format!("{dtype:?}").to_lowercase(), kind);
        let found: ArrayD<f64> = volume::npy::read(&path).unwrap();
        testkit::assert_close(&found, &single, 0.0, tolerance, kind);
    }
}

#[test]
fn options_are_the_same_through_json() {
    let options: Options =
        serde_json::from_str(r#"{"folder": "f", "outputDir": "o", "mode": "2d", "dtype": "float16"}"#)
            .unwrap();
    assert_eq!(
        (options.mode, options.dtype, options.sigma, options.w0),
        (Mode::TwoD, Dtype::Float16, 5.0, 10.0)
    );
    assert_eq!(options.matching_pattern, "*.npz");
    assert!(serde_json::from_str::<Options>(r#"{"folder": "f", "sigm": 2}"#).is_err());
}

#[test]
fn what_minus_one_means_is_up_to_the_properties() {
    let task = Task::new();
    let mut s = segmentation(5, 1.0);
    s.slice_mut(ndarray::s![.., .., 0..2]).fill(-1.0);
    s[[3, 4, 5]] = -1.0;
    let filled = s.mapv(|v| if v == -1.0 { 0.0 } else { v });
    for (name, mark) in [("none", None), ("user", Some(0)), ("mask", Some(-1))] {
        task.add(&format!("{name}.npz"), 1, &s);
        if let Some(mark) = mark {
            let properties = Dict::ordered().with("outside_nonzero_mask_label", mark);
            pickle::write_file(&task.path(&format!("{name}.pkl")), &properties.into()).unwrap();
        }
    }
    assert_eq!(codes(&run(&task.options())), []);
    assert_eq!(task.map("mask"), expected(&filled, |_| ()));
    for name in ["none", "user"] {
        let map = task.map(name);
        assert_eq!(map, expected(&s, |_| ()));
        assert!(s
            .iter()
            .zip(&map)
            .all(|(&label, &weight)| (label == -1.0) == (weight == 0.0)));
    }
    run(&Options {
        compat: true,
        ..task.options()
    });
    assert_eq!(task.map("user"), expected(&filled, |p| p.compat = true));
}

#[test]
fn frequencies_of_the_data_set() {
    let task = Task::new();
    let cases = [segmentation(3, 1.0), segmentation(5, 1.0), segmentation(4, 2.0)];
    for (i, case) in cases.iter().enumerate() {
        task.add(&format!("{i}.npz"), 1, case);
    }
    fs::write(task.path("broken.npz"), "no zip").unwrap();
    let summary = run(&Options {
        frequencies: Frequencies::Dataset,
        w0: 0.0,
        ..task.options()
    });
    assert_eq!(codes(&summary), [("broken", "ERR_NPZ_ARCHIVE")]);
    let voxels = cases.iter().map(Array3::len).sum::<usize>() as f64;
    for (i, case) in cases.iter().enumerate() {
        for (at, &weight) in task.map(&i.to_string()).indexed_iter() {
            let label = case[at];
            let count = cases.iter().flatten().filter(|&&v| v == label).count() as f64;
            assert_eq!(weight, (1.0 - count / voxels) as f32);
        }
    }
}

#[test]
fn existing_maps_are_replaced_or_kept() {
    let task = Task::new();
    task.add("a.npz", 1, &segmentation(4, 1.0));
    task.add("b.npz", 1, &segmentation(4, 2.0));
    fs::write(task.path("a_weightmap.npy"), "old").unwrap();
    let summary = run(&Options {
        existing: Existing::Skip,
        ..task.options()
    });
    assert_eq!(
        (summary.written, summary.skipped, summary.failures.len()),
        (1, 1, 0)
    );
    assert_eq!(fs::read(task.path("a_weightmap.npy")).unwrap(), b"old");
    let summary = run(&task.options());
    assert_eq!((summary.written, summary.skipped), (2, 0));
    assert_eq!(task.map("a"), expected(&segmentation(4, 1.0), |_| ()));
}

#[test]
fn maps_go_to_the_output_folder_and_workers_do_not_matter() {
    let task = Task::new();
    for i in 0..5 {
        task.add(&format!("{i}.npz"), 1, &segmentation(2 + i, 1.0));
    }
    let read = |workers| {
        let output = task.folder.path().join(format!("maps/{workers}"));
        let options = Options {
            output_dir: Some(output.clone()),
            ..task.options()
        };
        let summary = generate(&options, &Context::silent(workers)).unwrap();
        assert_eq!((summary.written, summary.output_dir), (5, Some(output.clone())));
        (0..5)
            .map(|i| fs::read(output.join(format!("{i}_weightmap.npy"))).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(read(1), read(7));
    assert!(task.maps().is_empty());
}

/// Each broken case has its own error, naming the file; the sound one is done, and nothing half-written stays.
#[test]
fn broken_cases_do_not_stop_the_others() {
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
    assert_eq!(nan.details["at"], serde_json::json!([1, 2, 3]));
    assert_eq!(task.map("sound"), expected(&segmentation(4, 1.0), |_| ()));
    assert_eq!(task.maps(), ["sound_weightmap.npy", "taken_weightmap.npy"]);
}

#[test]
fn patterns_that_match_too_much() {
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
fn folders_that_cannot_be_used() {
    let task = Task::new();
    let fail = |options: Options| generate(&options, &Context::silent(1)).unwrap_err();
    assert!(matches!(fail(task.options()), Error::NoCases { .. }));
    task.add("a.npz", 1, &segmentation(4, 1.0));
    let missing = Options {
        folder: task.path("missing"),
        ..task.options()
    };
    assert!(matches!(fail(missing), Error::Folder { action: "read", .. }));
    let pattern = |p: &str| Options {
        matching_pattern: p.into(),
        ..task.options()
    };
    assert!(matches!(fail(pattern("[")), Error::Pattern { .. }));
    assert!(matches!(fail(pattern("")), Error::Pattern { .. }));
    assert!(matches!(fail(pattern("*.nii.gz")), Error::NoCases { .. }));
    let file = Options {
        output_dir: Some(task.path("a.npz")),
        ..task.options()
    };
    let error = fail(file);
    assert!(
        matches!(&error, Error::Folder { action: "create", path, .. } if path.ends_with("a.npz")),
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
fn classes_that_cannot_be_used() {
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
fn numbers_that_cannot_be_used() {
    let task = Task::new();
    let code = |options: Options| generate(&options, &Context::silent(1)).unwrap_err().code();
    for sigma in [0.0, -1.0, 1e-200, 1e200, f64::NAN, f64::INFINITY] {
        assert_eq!(
            code(Options {
                sigma,
                ..task.options()
            }),
            "ERR_WEIGHTMAP_OPTION"
        );
    }
    for w0 in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(code(Options { w0, ..task.options() }), "ERR_WEIGHTMAP_OPTION");
    }
    // The map would hold infinities.
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
            "ERR_WEIGHTMAP_OPTION"
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
        "ERR_WEIGHTMAP_OPTION"
    );
    assert_eq!(
        code(Options {
            mode: Mode::Instances,
            ..compat.clone()
        }),
        "ERR_WEIGHTMAP_OPTION"
    );
    assert_eq!(
        code(Options {
            frequencies: Frequencies::Dataset,
            ..compat
        }),
        "ERR_WEIGHTMAP_OPTION"
    );
}

#[test]
fn the_largest_weights_and_widths_stay_numbers() {
    let task = Task::new();
    task.add("a.npz", 1, &segmentation(4, 1.0));
    for (dtype, w0) in [(Dtype::Float16, 65503.0), (Dtype::Float32, 3e38)] {
        for (mode, sigma) in [(Mode::Border, 1e6), (Mode::Instances, 1e6), (Mode::TwoD, 1e-6)] {
            run(&Options {
                dtype,
                w0,
                mode,
                sigma,
                ..task.options()
            });
            let map: ArrayD<f64> = volume::npy::read(&task.path("a_weightmap.npy")).unwrap();
            assert!(map.iter().all(|w| w.is_finite()), "{dtype:?} {mode:?}");
        }
    }
}

#[derive(Default)]
struct Record(Mutex<Vec<Event>>, Cancel);

impl Sink for Record {
    fn emit(&self, event: Event) {
        if matches!(event, Event::Progress { done: 2, .. }) {
            self.1.cancel();
        }
        self.0.lock().unwrap().push(event);
    }
}

#[test]
fn reports_progress_and_stops_when_asked() {
    let task = Task::new();
    for i in 0..9 {
        task.add(&format!("{i}.npz"), 1, &segmentation(4, 1.0));
    }
    let record = Arc::new(Record::default());
    let context = Context::new(record.clone(), record.1.clone(), 1);
    assert!(matches!(
        generate(&task.options(), &context),
        Err(Error::Cancelled(_))
    ));
    assert_eq!(task.maps(), ["0_weightmap.npy", "1_weightmap.npy"]);
    let events = record.0.lock().unwrap();
    assert!(matches!(
        events[0],
        Event::Started {
            verb: "weightmaps",
            ..
        }
    ));
    assert!(
        matches!(&events[1], Event::Progress { done: 1, total: 9, unit: "cases", case: Some(c) } if c == "0")
    );
    assert!(Path::new(&task.path("0_weightmap.npy")).exists());
}
