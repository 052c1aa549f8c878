//! Resuming, failures of single cases, threads, memory, cancellation, events.

use super::*;

#[test]
fn second_run_skips_finished_cases_and_restores_missing_files() {
    let run = synthetic(false);
    let options = run.options();
    plan_and_preprocess(&options, &context()).unwrap();
    let before = content(run.folder.path());

    let again = plan_and_preprocess(&options, &context()).unwrap();
    assert_eq!((again.preprocess.written, again.preprocess.skipped), (0, CASES));
    assert_eq!(content(run.folder.path()), before);

    // One file is truncated, as by a killed process or a full disk; the other is missing.
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

    // Nothing is kept with `overwrite`, or with another spacing.
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
        configurations: Some(vec![Configuration::FullRes]),
        overrides: spacing,
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
fn threads_memory_and_separate_verbs_do_not_change_result() {
    for ct in [false, true] {
        let run = synthetic(ct);
        plan_and_preprocess(&run.options(), &Context::silent(1)).unwrap();
        let expected = content(&run.preprocessed());
        for (workers, keep_cropped, memory_budget) in
            [(4, true, None), (3, false, Some(1e-6)), (2, false, None)]
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
fn cropped_data_replace_missing_raw_data() {
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
fn failed_case_is_reported_and_others_continue() {
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
fn outdated_unpacked_arrays_are_deleted() {
    let run = synthetic(false);
    plan_and_preprocess(&run.options(), &context()).unwrap();
    let stage = run.preprocessed().join(STAGE);
    let npz = names(&stage).into_iter().find(|n| n.ends_with(".npz")).unwrap();
    let unpacked = stage.join(npz.replace(".npz", ".npy"));
    std::fs::write(&unpacked, "old").unwrap();
    preprocess(&run.options(), &context()).unwrap();
    assert!(unpacked.exists(), "nothing was written, so nothing is outdated");
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
fn cancelled_verb_returns_cancelled_error() {
    let run = synthetic(false);
    let context = context();
    context.cancel().cancel();
    assert!(matches!(
        plan_and_preprocess(&run.options(), &context),
        Err(Error::Cancelled(_))
    ));
}

#[test]
fn fingerprint_is_recomputed_if_a_file_is_newer() {
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
fn combined_verb_starts_once_and_counts_each_part() {
    let run = synthetic(false);
    let events = std::sync::Arc::new(Recorder::default());
    let context = Context::new(events.clone(), run::Cancel::new(), 1);
    plan_and_preprocess(&run.options(), &context).unwrap();
    std::fs::remove_file(run.preprocessed().join(STAGE).join("case_1.npz")).unwrap();
    plan_and_preprocess(&run.options(), &context).unwrap();
    let reported: Vec<_> = events
        .events()
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
    assert_eq!(reported, first.chain(second).collect::<Vec<_>>());
}

#[test]
fn unlisted_cases_and_outdated_weightmaps_give_warnings() {
    let run = synthetic(false);
    let warnings = std::sync::Arc::new(Recorder::default());
    let context = Context::new(warnings.clone(), run::Cancel::new(), 2);
    plan_and_preprocess(&run.options(), &context).unwrap();
    assert!(warnings.warnings().is_empty());

    let stage = run.preprocessed().join(STAGE);
    std::fs::copy(stage.join("case_0.npz"), stage.join("unlisted.npz")).unwrap();
    std::fs::write(stage.join("case_1_weightmap.npy"), "old").unwrap();
    let overrides = Overrides {
        batch_size: Some(1000),
        ..Overrides::default()
    };
    let options = Options {
        overwrite: true,
        memory_budget: Some(1e-6),
        configurations: Some(vec![Configuration::FullRes]),
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

#[test]
fn cancelled_verbs_stop_within_a_few_slices_and_leave_complete_files() {
    let run = synthetic(false);
    let options = Options {
        keep_cropped: true,
        overwrite: true,
        ..run.options()
    };
    let with = |cancel: &run::Cancel| Context::new(std::sync::Arc::new(run::NullSink), cancel.clone(), 2);
    let folders = [run.cropped(), run.preprocessed().join(STAGE)];
    let whole = || {
        for folder in &folders {
            let files = names(folder).into_iter().filter(|n| folder.join(n).is_file());
            for name in files.filter(|n| !n.ends_with(".pkl") && n != "dataset.json") {
                assert!(name.ends_with(".npz"), "{name}");
                data(&folder.join(name));
            }
        }
    };
    // A case has two channels of at least 30 slices. Cropping, resampling and normalising check each of them.
    let least = (CASES * 2 * 30) as u64;
    let parts = testkit::ends_when_cancelled(|cancel| {
        let planned = plan_experiment(&options, &with(cancel));
        whole();
        planned
    });
    assert!(parts >= least, "{parts}");
    let parts = testkit::ends_when_cancelled(|cancel| {
        let preprocessed = preprocess(&options, &with(cancel));
        whole();
        preprocessed
    });
    assert!(parts >= 3 * least, "{parts}");
}
