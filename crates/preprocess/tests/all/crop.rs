//! Cropping compared with recorded results of nnU-Net v1's `crop_to_nonzero` and `ImageCropper.crop`.

use std::collections::BTreeMap;

use ndarray::{Array3, Array4, ArrayD, Axis, Ix4};
use preprocess::crop::{crop, Cropped, Unlabelled};
use preprocess::outside::Outside;
use preprocess::ReadRules;
use run::Cancel;

fn recordings() -> Vec<(String, BTreeMap<String, ArrayD<f64>>)> {
    let folder = testkit::folder("preprocess").join("crop_unit");
    let mut found: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "npz"))
        .map(|path| (path.display().to_string(), testkit::npz(&path)))
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(!found.is_empty(), "no recording in {}", folder.display());
    found
}

fn four(array: &ArrayD<f64>) -> Array4<f64> {
    array.clone().into_dimensionality::<Ix4>().unwrap()
}

fn channels(array: &ArrayD<f64>) -> Vec<Array3<f32>> {
    four(array)
        .axis_iter(Axis(0))
        .map(|c| c.mapv(|v| v as f32))
        .collect()
}

fn label(array: &ArrayD<f64>) -> Array3<i16> {
    four(array).index_axis(Axis(0), 0).mapv(|v| v as i16)
}

fn wide(labels: &Array3<i16>) -> ArrayD<f64> {
    labels.mapv(f64::from).insert_axis(Axis(0)).into_dyn()
}

fn assert_cropped(found: &Cropped, arrays: &BTreeMap<String, ArrayD<f64>>, segmentation: &str, name: &str) {
    let bounds: Vec<f64> = found.bounds.iter().flatten().map(|&v| v as f64).collect();
    assert_eq!(
        bounds,
        arrays["bbox"].iter().copied().collect::<Vec<_>>(),
        "{name}: bbox"
    );
    testkit::assert_close(
        &found.data.mapv(f64::from).into_dyn(),
        &arrays["out_data"],
        0.0,
        0.0,
        name,
    );
    testkit::assert_close(&wide(&found.segmentation), &arrays[segmentation], 0.0, 0.0, name);
}

fn cropped(channels: Vec<Array3<f32>>, label: Option<Array3<i16>>, rule: Unlabelled) -> Option<Cropped> {
    let rules = ReadRules {
        unlabelled: rule,
        ..ReadRules::default()
    };
    crop(channels, label, rules, &Cancel::new()).unwrap()
}

#[test]
fn mask_equals_recording() {
    for (name, arrays) in recordings() {
        let channels = channels(&arrays["data"]);
        let views: Vec<_> = channels.iter().map(|c| c.view()).collect();
        let mut mask = Array3::<f64>::ones(views[0].dim());
        let whole = [0, 1, 2].map(|a| [0, mask.shape()[a]]);
        Outside::of(&views, &Cancel::new())
            .unwrap()
            .visit(&whole, mask.view_mut(), |v| *v = 0.0);
        testkit::assert_close(&mask.into_dyn(), &arrays["nonzero_mask"], 0.0, 0.0, &name);
    }
}

#[test]
fn cropped_cases_equal_recording() {
    for (name, arrays) in recordings() {
        let label = label(&arrays["seg"]);
        let found = cropped(channels(&arrays["data"]), Some(label.clone()), Unlabelled::Merged).unwrap();
        assert_cropped(&found, &arrays, "imagecropper_seg", &name);
        let classes: Vec<f64> = found.classes.iter().map(|&c| f64::from(c)).collect();
        let expected: Vec<f64> = arrays["imagecropper_classes"].iter().copied().collect();
        assert_eq!(classes, expected, "{name}: classes");

        let unlabelled = cropped(channels(&arrays["data"]), None, Unlabelled::Merged).unwrap();
        assert_cropped(&unlabelled, &arrays, "out_seg_when_none", &name);

        // Without -1 in the label, the rule for sparse cases has no effect.
        let distinct = cropped(
            channels(&arrays["data"]),
            Some(label.clone()),
            Unlabelled::Distinct,
        )
        .unwrap();
        assert_eq!(distinct.is_sparse(), label.iter().any(|&v| v == -1), "{name}");
        if !distinct.is_sparse() {
            assert_eq!(distinct.segmentation, found.segmentation, "{name}");
        }
    }
}

#[test]
fn unlabelled_voxels_are_distinct_from_outside() {
    for (name, arrays) in recordings() {
        let mut sparse = label(&arrays["seg"]);
        // Every third voxel becomes unlabelled.
        sparse.iter_mut().step_by(3).for_each(|v| *v = -1);
        let found = cropped(
            channels(&arrays["data"]),
            Some(sparse.clone()),
            Unlabelled::Distinct,
        )
        .unwrap();
        let [z, y, x] = found.bounds;
        let part = ndarray::s![z[0]..z[1], y[0]..y[1], x[0]..x[1]];
        let kept = sparse.slice(part).mapv(|v| if v < -1 { 0 } else { v });
        assert_eq!(found.segmentation, kept, "{name}: the user's labels, unchanged");

        let mask = found.mask.as_ref().unwrap();
        let nonzero = arrays["nonzero_mask"]
            .view()
            .into_dimensionality::<ndarray::Ix3>()
            .unwrap();
        for (i, &inside) in nonzero.slice(part).indexed_iter() {
            let expected = if inside == 1.0 || found.segmentation[i] > 0 {
                0
            } else {
                -1
            };
            assert_eq!(mask[i], expected, "{name}: mask at {i:?}");
        }
    }
}

#[test]
fn image_of_zeros_gives_no_crop() {
    assert!(cropped(vec![Array3::zeros((3, 4, 5)); 2], None, Unlabelled::Distinct).is_none());
}
