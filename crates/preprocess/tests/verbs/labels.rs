//! Sparse labels.

use super::*;

/// Removes the annotation of three of every four slices of each case's label.
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
fn unlabelled_voxels_are_distinct_from_mask() {
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
                // Intensities of CT depend on the annotated foreground. Other modalities must not depend on
                // the annotation.
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
            // No voxel changes to a class or to background. The remaining annotation is unchanged.
            assert_eq!(
                count(&|b, a| a > 0.0 && a != b),
                0.0,
                "{what}: an unlabelled voxel became a class"
            );
            assert_eq!(
                count(&|b, a| a == 0.0 && b > 0.0),
                0.0,
                "{what}: a class became background"
            );
            let unlabelled = count(&|_, a| a == -1.0) / before.len() as f64;
            assert!(
                (0.5..0.95).contains(&unlabelled),
                "{what}: {unlabelled} unlabelled"
            );
            assert!(
                count(&|b, a| a > 0.0 && a == b) > 0.0,
                "{what}: every class was lost"
            );

            let pkl = |run: &Run| {
                let path = run.preprocessed().join(STAGE).join(name).with_extension("pkl");
                CaseProperties::read(&path)
                    .unwrap()
                    .outside_nonzero_mask_label()
                    .unwrap()
            };
            assert_eq!((pkl(&dense), pkl(&sparse)), (-1, 0), "{what}");
        }
        // The result from cropped data is the same.
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
fn merged_unlabelled_voxels_lose_image_as_in_nnunet() {
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
        "the task must use masks"
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
