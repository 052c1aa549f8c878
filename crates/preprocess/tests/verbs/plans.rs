//! Configurations, rules and overrides.

use super::*;

#[test]
fn configurations_are_selected_and_missing_plans_rejected() {
    let run = synthetic(false);
    let choose = |configuration| Options {
        configurations: Some(vec![configuration]),
        ..run.options()
    };
    let error = preprocess(&choose(Configuration::TwoD), &context()).unwrap_err();
    assert_eq!(error.code(), "ERR_NOT_FOUND");
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
    let events = std::sync::Arc::new(Recorder::default());
    let context = Context::new(events.clone(), run::Cancel::new(), 1);
    plan_experiment(&choose(Configuration::LowRes), &context).unwrap();
    assert_eq!(events.warnings(), ["WARN_ONE_STAGE"]);
}

#[test]
fn rules_change_plans_and_cases() {
    let run = synthetic(true);
    let dataset = run.raw().join("dataset.json");
    let text = std::fs::read_to_string(&dataset).unwrap();
    std::fs::write(&dataset, text.replace("CT", "ct")).unwrap();
    // All but a corner is 0, so that cropping keeps less than three quarters.
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
fn overrides_are_validated_and_planned() {
    let run = synthetic(false);
    let with = |configuration, over| Options {
        configurations: Some(vec![configuration]),
        overrides: over,
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
        assert_eq!(error.code(), "ERR_OPTIONS", "{error}");
    }
    let bad = Overrides {
        batch_size: Some(0),
        ..Overrides::default()
    };
    assert_eq!(plan(&with(full, bad)).unwrap_err().code(), "ERR_OPTIONS");
    let bad = Overrides {
        spacing: Some([1.0, -1.0, f64::NAN]),
        ..Overrides::default()
    };
    assert_eq!(plan(&with(full, bad)).unwrap_err().code(), "ERR_OPTIONS");

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

    // A low resolution that the planner would not plan.
    let low = Overrides {
        spacing: Some([4.0, 4.0, 4.0]),
        ..Overrides::default()
    };
    let summary = plan_and_preprocess(&with(Configuration::LowRes, low), &context()).unwrap();
    assert_eq!(
        summary.plan.unwrap().configurations[0].configuration,
        Configuration::LowRes
    );
    let plans = Plans::read(&run.preprocessed().join("nnUNetPlansv2.1_plans_3D.pkl")).unwrap();
    assert_eq!(plans.num_stages, 2);
    assert!(run.preprocessed().join("nnUNetData_plans_v2.1_stage0").is_dir());
}
