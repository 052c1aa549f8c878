//! The verbs' promises: resuming, failures of single cases, overrides, memory budget, sparse labels.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::path::Path;

use dataset::{CaseProperties, Configuration, Plans};
use ndarray::{Array3, ArrayD, Axis, Ix4};
use preprocess::plan::overrides::Overrides;
use preprocess::plan::{pooling, Rules};
use preprocess::{plan_and_preprocess, plan_experiment, preprocess, Error, Options};
use run::{Coded, Context};
use support::{names, tree, Run};
use volume::{nifti, Geometry};

fn context() -> Context {
    Context::silent(2)
}

fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    tree(folder)
        .into_iter()
        .map(|f| (f.clone(), std::fs::read(folder.join(f)).unwrap()))
        .collect()
}

const CASES: usize = 3;
const STAGE: &str = "nnUNetData_plans_v2.1_stage0";

/// A task of noisy ellipsoids with two labelled balls: two MRI channels that are 0 around the ellipsoid (so that masks are
/// used), or one CT channel.
fn synthetic(ct: bool) -> Run {
    let run = Run::empty(if ct { "Task902_Ct" } else { "Task901_Mri" });
    let channels = if ct { 1 } else { 2 };
    for part in ["imagesTr", "labelsTr"] {
        std::fs::create_dir_all(run.raw().join(part)).unwrap();
    }
    let mut training = vec![];
    for case in 0..CASES {
        let shape = [30 + 3 * case, 40 - 2 * case, 36];
        // 1 on the ellipsoid's surface.
        let radius = |(z, y, x): (usize, usize, usize)| -> f64 {
            let part = |i: usize, axis: usize| (2.6 * (i as f64 + 0.5) / shape[axis] as f64 - 1.3).powi(2);
            part(z, 0) + part(y, 1) + part(x, 2)
        };
        let spacing = [1.1, 0.9, 1.6 + 0.1 * case as f64];
        let geometry = Geometry {
            spacing,
            ..Geometry::default()
        };
        let mut noise = dataset::random::RandomState::new(case as u32);
        for channel in 0..channels {
            let image = Array3::from_shape_fn(shape, |at| {
                let value = noise.uniform(50.0, 250.0).round() - 100.0 * radius(at).round();
                if ct || radius(at) < 1.0 {
                    value as f32
                } else {
                    0.0
                }
            });
            let path = run
                .raw()
                .join(format!("imagesTr/case_{case}_{channel:04}.nii.gz"));
            nifti::write_image(&path, image.view(), &geometry).unwrap();
        }
        let label = Array3::from_shape_fn(shape, |(z, y, x)| match radius((z, y, x)) {
            r if r > 0.6 => 0i16,
            _ if x < shape[2] / 2 => 1,
            _ => 2,
        });
        let path = run.raw().join(format!("labelsTr/case_{case}.nii.gz"));
        nifti::write_labels(&path, label.view(), &geometry).unwrap();
        training.push(serde_json::json!({
            "image": format!("./imagesTr/case_{case}.nii.gz"), "label": format!("./labelsTr/case_{case}.nii.gz")
        }));
    }
    let modality = if ct {
        serde_json::json!({ "0": "CT" })
    } else {
        serde_json::json!({ "0": "T1", "1": "T2" })
    };
    let dataset = serde_json::json!({
        "name": run.task, "modality": modality, "labels": { "0": "background", "1": "left", "2": "right" },
        "training": training, "test": []
    });
    std::fs::write(run.raw().join("dataset.json"), dataset.to_string()).unwrap();
    run
}

#[test]
fn a_second_run_does_nothing_and_a_lost_file_is_made_again() {
    let run = synthetic(false);
    let options = run.options();
    plan_and_preprocess(&options, &context()).unwrap();
    let before = content(run.folder.path());

    let again = plan_and_preprocess(&options, &context()).unwrap();
    assert_eq!((again.preprocess.written, again.preprocess.skipped), (0, CASES));
    assert_eq!(content(run.folder.path()), before);

    // Cut off, as a killed process or a full disk of another program leaves it; and one that was never written.
    let stage = run.preprocessed().join(STAGE);
    let npz: Vec<_> = names(&stage)
        .into_iter()
        .filter(|n| n.ends_with(".npz"))
        .collect();
    let whole = std::fs::read(stage.join(&npz[0])).unwrap();
    std::fs::write(stage.join(&npz[0]), &whole[..whole.len() / 2]).unwrap();
    std::fs::remove_file(stage.join(npz[1].replace(".npz", ".pkl"))).unwrap();
    let again = preprocess(&options, &context()).unwrap();
    assert_eq!((again.written, again.skipped), (2, CASES - 2));
    assert_eq!(content(run.folder.path()), before);

    // Nothing is kept where that is asked for, or where another spacing is.
    let again = preprocess(
        &Options {
            overwrite: true,
            ..options.clone()
        },
        &context(),
    )
    .unwrap();
    assert_eq!(again.skipped, 0);
    assert_eq!(content(run.folder.path()), before);
    let spacing = Overrides {
        spacing: Some([2.0, 2.0, 2.0]),
        ..Overrides::default()
    };
    let other = Options {
        overrides: [(Configuration::FullRes, spacing)].into(),
        ..options
    };
    let again = plan_and_preprocess(&other, &context()).unwrap();
    assert_eq!(again.preprocess.skipped, 0);
    let pkl = stage.join(npz[0].replace(".npz", ".pkl"));
    assert_eq!(
        CaseProperties::read(&pkl)
            .unwrap()
            .spacing_after_resampling()
            .unwrap(),
        [2.0; 3]
    );
}

#[test]
fn neither_threads_nor_memory_nor_the_way_change_the_result() {
    for ct in [false, true] {
        let run = synthetic(ct);
        plan_and_preprocess(&run.options(), &Context::silent(1)).unwrap();
        let expected = content(&run.preprocessed());
        for (workers, keep_cropped, memory_budget) in [(4, true, None), (3, false, Some(1)), (2, false, None)]
        {
            std::fs::remove_dir_all(run.preprocessed()).unwrap();
            std::fs::remove_dir_all(run.cropped()).ok();
            let options = Options {
                keep_cropped,
                memory_budget,
                ..run.options()
            };
            plan_and_preprocess(&options, &Context::silent(workers)).unwrap();
            assert_eq!(
                content(&run.preprocessed()),
                expected,
                "ct: {ct}, {workers} workers"
            );
            assert_eq!(run.cropped().exists(), keep_cropped, "ct: {ct}");
        }
    }
}

#[test]
fn cropped_data_serve_where_raw_data_are_gone() {
    for ct in [false, true] {
        let run = synthetic(ct);
        plan_and_preprocess(&run.options(), &context()).unwrap();
        let expected = content(&run.preprocessed());
        std::fs::remove_dir_all(run.raw()).unwrap();
        std::fs::remove_dir_all(run.preprocessed()).unwrap();
        plan_and_preprocess(&run.options(), &context()).unwrap();
        assert_eq!(content(&run.preprocessed()), expected, "ct: {ct}");
    }
}

#[test]
fn a_broken_case_is_named_and_the_others_go_on() {
    let run = synthetic(false);
    let images = run.raw().join("imagesTr");
    let broken = images.join(&names(&images)[0]);
    plan_experiment(&run.options(), &context()).unwrap();
    let whole = std::fs::read(&broken).unwrap();
    std::fs::write(&broken, &whole[..whole.len() / 2]).unwrap();

    let summary = preprocess(&run.options(), &context()).unwrap();
    let failure = &summary.failures[..];
    assert_eq!(failure.len(), 1);
    assert!(broken.to_str().unwrap().contains(&failure[0].case), "{failure:?}");
    assert!(
        failure[0].message.contains(broken.to_str().unwrap()),
        "{failure:?}"
    );
    assert_eq!(summary.written, CASES - 1);

    let error = plan_experiment(
        &Options {
            overwrite: true,
            ..run.options()
        },
        &context(),
    )
    .unwrap_err();
    assert_eq!(error.code(), "ERR_CASES_FAILED");
    assert_eq!(error.details()["failures"].as_array().unwrap().len(), 1);

    std::fs::remove_file(&broken).unwrap();
    let summary = preprocess(&run.options(), &context()).unwrap();
    assert!(
        summary.failures[0].message.contains(broken.to_str().unwrap()),
        "{:?}",
        summary.failures
    );
}

#[test]
fn stale_unpacked_arrays_are_removed() {
    let run = synthetic(false);
    plan_and_preprocess(&run.options(), &context()).unwrap();
    let stage = run.preprocessed().join(STAGE);
    let npz = names(&stage).into_iter().find(|n| n.ends_with(".npz")).unwrap();
    let unpacked = stage.join(npz.replace(".npz", ".npy"));
    std::fs::write(&unpacked, "old").unwrap();
    preprocess(&run.options(), &context()).unwrap();
    assert!(unpacked.exists(), "nothing was written, so nothing is stale");
    preprocess(
        &Options {
            overwrite: true,
            ..run.options()
        },
        &context(),
    )
    .unwrap();
    assert!(!unpacked.exists());
}

#[test]
fn cancellation_is_an_error_of_its_own() {
    let run = synthetic(false);
    let context = context();
    context.cancel().cancel();
    assert!(matches!(
        plan_and_preprocess(&run.options(), &context),
        Err(Error::Cancelled(_))
    ));
}

#[test]
fn configurations_are_chosen_and_missing_plans_are_named() {
    let run = synthetic(false);
    let choose = |configuration| Options {
        configurations: vec![configuration],
        ..run.options()
    };
    let error = preprocess(&choose(Configuration::TwoD), &context()).unwrap_err();
    assert_eq!(error.code(), "ERR_NO_PLANS");
    plan_and_preprocess(&choose(Configuration::TwoD), &context()).unwrap();
    let found = names(&run.preprocessed());
    assert!(found.contains(&"nnUNetPlansv2.1_plans_2D.pkl".to_owned()));
    assert!(
        !found
            .iter()
            .any(|n| n.contains("plans_3D") || n.ends_with("v2.1_stage0")),
        "{found:?}"
    );
    plan_experiment(&choose(Configuration::FullRes), &context()).unwrap();
    let error = preprocess(&choose(Configuration::LowRes), &context()).unwrap_err();
    assert!(error.to_string().contains("3d_lowres"), "{error}");
    let events = std::sync::Arc::new(Events::default());
    let context = Context::new(events.clone(), run::Cancel::new(), 1);
    plan_experiment(&choose(Configuration::LowRes), &context).unwrap();
    assert_eq!(events.warnings(), ["WARN_ONE_STAGE"]);
}

#[test]
fn rules_reach_the_plans_and_the_cases() {
    let run = synthetic(true);
    let dataset = run.raw().join("dataset.json");
    let text = std::fs::read_to_string(&dataset).unwrap();
    std::fs::write(&dataset, text.replace("CT", "ct")).unwrap();
    // Blank all but a corner, so that cropping leaves less than three quarters.
    for case in 0..CASES {
        let path = run.raw().join(format!("imagesTr/case_{case}_0000.nii.gz"));
        let (image, geometry) = nifti::read_image(&path).unwrap();
        let mut image = image.index_axis_move(Axis(0), 0);
        image.slice_mut(ndarray::s![.., ..20, ..]).fill(0.0);
        nifti::write_image(&path, image.view(), &geometry).unwrap();
    }
    let plans = |rules: Rules| {
        let options = Options {
            rules,
            ..run.options()
        };
        plan_and_preprocess(&options, &context()).unwrap();
        let path = run.preprocessed().join("nnUNetPlansv2.1_plans_3D.pkl");
        let plans = Plans::read(&path).unwrap();
        let pkl = CaseProperties::read(&run.preprocessed().join(STAGE).join("case_0.pkl")).unwrap();
        let mask = plans.use_mask_for_norm[&0];
        assert_eq!(pkl.use_nonzero_mask_for_norm().unwrap()[&0], mask);
        (mask, plans.stage(0).unwrap().clone())
    };
    let (mask, by_spacing) = plans(Rules::default());
    assert!(!mask);
    let (mask, same) = plans(Rules {
        mask_lowercase_ct: true,
        ..Rules::default()
    });
    assert_eq!((mask, &same), (true, &by_spacing));
    let (mask, stage) = plans(Rules {
        pooling: pooling::Rule::Late,
        ..Rules::default()
    });
    assert!(!mask);
    let late = pooling::late(
        &stage.current_spacing,
        &stage.patch_size,
        pooling::MIN_FEATURE_MAP,
        pooling::MAX_POOLINGS,
    )
    .unwrap();
    assert_eq!(stage.pool_op_kernel_sizes, late.kernels);
    assert_ne!(stage.pool_op_kernel_sizes, by_spacing.pool_op_kernel_sizes);
}

#[test]
fn overrides_are_checked_and_planned() {
    let run = synthetic(false);
    let with = |configuration, over| Options {
        overrides: [(configuration, over)].into(),
        ..run.options()
    };
    let full = Configuration::FullRes;
    let patch = |p: &[usize]| Overrides {
        patch_size: Some(p.to_vec()),
        ..Overrides::default()
    };
    let plan = |options: &Options| plan_experiment(options, &context());

    for bad in [patch(&[33, 32, 32]), patch(&[32, 32]), patch(&[0, 32, 32])] {
        let error = plan(&with(full, bad)).unwrap_err();
        assert_eq!(error.code(), "ERR_OVERRIDE", "{error}");
    }
    let bad = Overrides {
        batch_size: Some(0),
        ..Overrides::default()
    };
    assert_eq!(plan(&with(full, bad)).unwrap_err().code(), "ERR_OVERRIDE");
    let bad = Overrides {
        spacing: Some([1.0, -1.0, f64::NAN]),
        ..Overrides::default()
    };
    assert_eq!(plan(&with(full, bad)).unwrap_err().code(), "ERR_OVERRIDE");

    let small = Overrides {
        batch_size: Some(5),
        ..patch(&[16, 32, 24])
    };
    let summary = plan(&with(full, small)).unwrap();
    let plans = Plans::read(&run.preprocessed().join("nnUNetPlansv2.1_plans_3D.pkl")).unwrap();
    let stage = plans.stage(plans.num_stages - 1).unwrap();
    assert_eq!(
        (stage.patch_size.as_slice(), stage.batch_size),
        (&[16, 32, 24][..], 5)
    );
    for (axis, &poolings) in stage.num_pool_per_axis.iter().enumerate() {
        assert_eq!(stage.patch_size[axis] % (1 << poolings), 0);
        assert_eq!(
            stage.pool_op_kernel_sizes.iter().filter(|k| k[axis] == 2).count(),
            poolings
        );
    }
    let full_summary = summary
        .configurations
        .iter()
        .find(|c| c.configuration == full)
        .unwrap();
    assert!((full_summary.vram_estimate as f64) < full_summary.vram_reference);

    // A low resolution that the planner would not have made.
    let low = Overrides {
        spacing: Some([4.0, 4.0, 4.0]),
        ..Overrides::default()
    };
    let summary = plan_and_preprocess(&with(Configuration::LowRes, low), &context()).unwrap();
    assert_eq!(
        summary.plan.configurations[0].configuration,
        Configuration::LowRes
    );
    assert!(run.preprocessed().join("nnUNetData_plans_v2.1_stage1").is_dir());
}

fn data(path: &Path) -> ArrayD<f64> {
    testkit::npz(path).remove("data").unwrap()
}

/// Removes the annotation of all but every fourth slice of each case's label.
fn make_sparse(run: &Run) {
    for case in 0..CASES {
        let path = run.raw().join(format!("labelsTr/case_{case}.nii.gz"));
        let (mut label, geometry) = nifti::read_labels(&path).unwrap();
        let annotated = |z: usize| z.is_multiple_of(4);
        label
            .axis_iter_mut(Axis(0))
            .enumerate()
            .filter(|(z, _)| !annotated(*z))
            .for_each(|(_, mut s)| s.fill(-1));
        nifti::write_labels(&path, label.view(), &geometry).unwrap();
    }
}

#[test]
fn sparse_labels_stay_apart_from_the_mask() {
    for ct in [false, true] {
        let (dense, sparse) = (synthetic(ct), synthetic(ct));
        make_sparse(&sparse);
        plan_and_preprocess(&dense.options(), &context()).unwrap();
        plan_and_preprocess(&sparse.options(), &context()).unwrap();
        for name in names(&dense.preprocessed().join(STAGE))
            .iter()
            .filter(|n| n.ends_with(".npz"))
        {
            let what = format!("ct {ct}: {name}");
            let (before, after) = (
                data(&dense.preprocessed().join(STAGE).join(name)),
                data(&sparse.preprocessed().join(STAGE).join(name)),
            );
            let last = before.len_of(Axis(0)) - 1;
            if !ct {
                // Intensities of CT depend on the annotated foreground; others must not notice the annotation.
                for channel in 0..last {
                    let part = |a: &ArrayD<f64>| a.index_axis(Axis(0), channel).to_owned();
                    testkit::assert_close(&part(&after), &part(&before), 1e-4, 0.0, &what);
                }
            }
            let before = before.index_axis(Axis(0), last).to_owned();
            let after = after.index_axis(Axis(0), last).to_owned();
            let count = |keep: &dyn Fn(f64, f64) -> bool| {
                before.iter().zip(&after).filter(|(&b, &a)| keep(b, a)).count() as f64
            };
            // Nothing becomes a class or background that was not; what stays is annotated as before.
            assert_eq!(
                count(&|b, a| a > 0.0 && a != b),
                0.0,
                "{what}: a class from nothing"
            );
            assert_eq!(
                count(&|b, a| a == 0.0 && b > 0.0),
                0.0,
                "{what}: background from a class"
            );
            let unlabelled = count(&|_, a| a == -1.0) / before.len() as f64;
            assert!(
                (0.5..0.95).contains(&unlabelled),
                "{what}: {unlabelled} unlabelled"
            );
            assert!(count(&|b, a| a > 0.0 && a == b) > 0.0, "{what}: no class left");

            let pkl = |run: &Run| {
                let path = run.preprocessed().join(STAGE).join(name).with_extension("pkl");
                CaseProperties::read(&path)
                    .unwrap()
                    .outside_nonzero_mask_label()
                    .unwrap()
            };
            assert_eq!((pkl(&dense), pkl(&sparse)), (-1, 0), "{what}");
        }
        // The same from cropped data.
        let expected = content(&sparse.preprocessed());
        std::fs::remove_dir_all(sparse.raw()).unwrap();
        preprocess(
            &Options {
                overwrite: true,
                ..sparse.options()
            },
            &context(),
        )
        .unwrap();
        assert_eq!(content(&sparse.preprocessed()), expected, "ct: {ct}");
    }
}

#[test]
fn merged_unlabelled_voxels_lose_their_image_as_in_the_reference() {
    let run = synthetic(false);
    make_sparse(&run);
    let options = Options {
        unlabelled: preprocess::crop::Unlabelled::Merged,
        ..run.options()
    };
    plan_and_preprocess(&options, &context()).unwrap();
    let plans = Plans::read(&run.preprocessed().join("nnUNetPlansv2.1_plans_3D.pkl")).unwrap();
    assert!(
        plans.use_mask_for_norm.values().all(|&m| m),
        "made so that masks are used"
    );
    let stage = run.preprocessed().join(STAGE);
    let npz = names(&stage).into_iter().find(|n| n.ends_with(".npz")).unwrap();
    let all = data(&stage.join(npz)).into_dimensionality::<Ix4>().unwrap();
    let last = all.len_of(Axis(0)) - 1;
    let segmentation: Array3<f64> = all.index_axis(Axis(0), last).to_owned();
    for (i, &label) in segmentation.indexed_iter() {
        assert!(label != -1.0 || all[(0, i.0, i.1, i.2)] == 0.0);
    }
}

#[test]
fn a_fingerprint_is_taken_again_only_where_a_file_is_younger() {
    let run = synthetic(true);
    let options = Options {
        keep_cropped: false,
        ..run.options()
    };
    plan_experiment(&options, &context()).unwrap();
    let before = content(&run.preprocessed());
    let broken = run.raw().join("imagesTr/case_1_0000.nii.gz");
    let modified = broken.metadata().unwrap().modified().unwrap();
    std::fs::write(&broken, "no image").unwrap();
    let set = |time| {
        std::fs::File::options()
            .write(true)
            .open(&broken)
            .unwrap()
            .set_modified(time)
            .unwrap()
    };
    set(modified);
    plan_experiment(&options, &context()).unwrap();
    assert_eq!(content(&run.preprocessed()), before);
    set(modified + std::time::Duration::from_secs(3600));
    assert_eq!(
        plan_experiment(&options, &context()).unwrap_err().code(),
        "ERR_CASES_FAILED"
    );
}

#[test]
fn nan_becomes_zero_before_resampling() {
    let run = synthetic(true);
    let path = run.raw().join("imagesTr/case_0_0000.nii.gz");
    let (image, geometry) = nifti::read_image(&path).unwrap();
    let mut image = image.index_axis_move(Axis(0), 0);
    image[(15, 20, 18)] = f32::NAN;
    nifti::write_image(&path, image.view(), &geometry).unwrap();
    plan_and_preprocess(&run.options(), &context()).unwrap();
    assert!(
        data(&run.cropped().join("case_0.npz")).iter().any(|v| v.is_nan()),
        "as nnU-Net v1 keeps it"
    );
    for folder in [STAGE, "nnUNetData_plans_v2.1_2D_stage0"] {
        let found = data(&run.preprocessed().join(folder).join("case_0.npz"));
        assert!(found.iter().all(|v| v.is_finite()), "{folder}");
    }
}

#[derive(Default)]
struct Events(std::sync::Mutex<Vec<run::Event>>);

impl run::Sink for Events {
    fn emit(&self, event: run::Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Events {
    fn warnings(&self) -> Vec<&'static str> {
        let events = self.0.lock().unwrap();
        let codes = events.iter().filter_map(|event| match event {
            run::Event::Warning { code, .. } => Some(*code),
            _ => None,
        });
        codes.collect()
    }
}

#[test]
fn one_verb_starts_once_and_counts_each_part_on_its_own() {
    let run = synthetic(false);
    let events = std::sync::Arc::new(Events::default());
    let context = Context::new(events.clone(), run::Cancel::new(), 1);
    plan_and_preprocess(&run.options(), &context).unwrap();
    std::fs::remove_file(run.preprocessed().join(STAGE).join("case_1.npz")).unwrap();
    plan_and_preprocess(&run.options(), &context).unwrap();
    let told: Vec<_> = events
        .0
        .lock()
        .unwrap()
        .iter()
        .map(|event| match event {
            run::Event::Started { verb, settings } => (*verb, settings["cases"].as_u64().unwrap()),
            run::Event::Progress { done, unit, .. } => (*unit, *done),
            other => panic!("{other:?}"),
        })
        .collect();
    let part = |unit| (1..=CASES as u64).map(move |done| (unit, done));
    let start = [("preprocess", CASES as u64)];
    let first = start
        .into_iter()
        .chain(part("cases cropped"))
        .chain(part("cases preprocessed"));
    // The second run finds two of three cases preprocessed.
    let second = start
        .into_iter()
        .chain(part("cases cropped"))
        .chain([2, 3].map(|done| ("cases preprocessed", done)));
    assert_eq!(told, first.chain(second).collect::<Vec<_>>());
}

#[test]
fn what_training_would_trip_over_is_warned_of() {
    let run = synthetic(false);
    let warnings = std::sync::Arc::new(Events::default());
    let context = Context::new(warnings.clone(), run::Cancel::new(), 2);
    plan_and_preprocess(&run.options(), &context).unwrap();
    assert!(warnings.warnings().is_empty());

    let stage = run.preprocessed().join(STAGE);
    std::fs::copy(stage.join("case_0.npz"), stage.join("stranger.npz")).unwrap();
    std::fs::write(stage.join("case_1_weightmap.npy"), "old").unwrap();
    let batch = Overrides {
        batch_size: Some(1000),
        ..Overrides::default()
    };
    let overrides = [(Configuration::FullRes, batch)].into();
    let options = Options {
        overwrite: true,
        memory_budget: Some(1),
        overrides,
        ..run.options()
    };
    plan_and_preprocess(&options, &context).unwrap();
    let mut found = warnings.warnings();
    found.sort_unstable();
    found.dedup();
    assert_eq!(
        found,
        [
            "WARN_MEMORY_BUDGET",
            "WARN_STALE_WEIGHTMAP",
            "WARN_UNLISTED_CASES",
            "WARN_VRAM"
        ]
    );
}
