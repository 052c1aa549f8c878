//! Effect of the options on the map.

use super::*;

#[test]
fn npz_and_npy_with_any_number_of_channels_are_read() {
    let task = Task::new();
    for (i, channels) in [1, 2, 5].into_iter().enumerate() {
        task.add(&format!("a{i}.npz"), channels, &segmentation(4, 1.0));
        task.add(&format!("b{i}.npy"), channels, &segmentation(5, 2.0));
    }
    // Other element types and Fortran order are converted.
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
fn options_change_the_map() {
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
fn options_round_trip_through_json() {
    let options: Options =
        serde_json::from_str(r#"{"folder": "f", "outputDir": "o", "mode": "2d", "dtype": "float16"}"#)
            .unwrap();
    assert_eq!(
        (options.mode, options.dtype, options.sigma, options.w0),
        (Mode::TwoD, Dtype::Float16, 5.0, 10.0)
    );
    assert_eq!(options.matching_pattern, "*.npz");
    assert!(run::parse::<Options>(r#"{"folder": "f", "sigm": 2}"#).is_err());
}

#[test]
fn properties_determine_meaning_of_minus_one() {
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
fn dataset_frequencies_count_all_cases() {
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
fn largest_weights_and_widths_give_finite_maps() {
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
