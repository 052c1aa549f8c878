//! Plans and case properties of nnU-Net v1, read and written back.

use std::path::PathBuf;

use dataset::{CaseProperties, Configuration, DatasetJson, Plans};
use pickle::Value;
use run::Coded;

/// Returns the recorded files whose path in their topic's folder matches.
fn files(wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for topic in ["checkpoint", "preprocess"] {
        let folder = testkit::folder(topic);
        let mut below = testkit::files_below(&folder);
        below.retain(|path| wanted(&path.strip_prefix(&folder).unwrap().to_string_lossy()));
        assert!(
            !below.is_empty(),
            "recorded files are missing in {}",
            folder.display()
        );
        found.extend(below);
    }
    found
}

/// Compares everything that Python's pickle.load would distinguish: structure, types, values, order.
fn assert_same(found: &Value, expected: &Value, place: &str) {
    match (found, expected) {
        (Value::Dict(a), Value::Dict(b)) => {
            assert_eq!(a.kind(), b.kind(), "{place}");
            let keys = |d: &pickle::Dict| d.iter().map(|(k, _)| k.clone()).collect::<Vec<_>>();
            assert_eq!(keys(a), keys(b), "{place}");
            for ((key, x), (_, y)) in a.iter().zip(b.iter()) {
                let place = format!("{place}/{key:?}");
                if key.as_str() == Some("batch_size") {
                    // Python's min and max give numpy's number or their own, whichever bound decided.
                    assert_eq!(x.as_i64().unwrap(), y.as_i64().unwrap(), "{place}");
                } else {
                    assert_same(x, y, &place);
                }
            }
        }
        _ => assert_eq!(found, expected, "{place}"),
    }
}

fn is_plans(path: &str) -> bool {
    path.contains("plans") && path.rsplit('/').next().unwrap().contains("plans") && path.ends_with(".pkl")
}

fn is_case(path: &str) -> bool {
    let in_stage =
        path.contains("_stage") || path.contains("nnUNet_cropped_data") || path.contains("case_properties");
    let name = path.rsplit('/').next().unwrap();
    in_stage
        && name.ends_with(".pkl")
        && !["dataset_properties", "intensityproperties"]
            .iter()
            .any(|n| name.contains(n))
}

#[test]
fn plans_round_trip_keeps_python_types() {
    for path in files(is_plans) {
        let plans = Plans::read(&path).unwrap();
        let original = pickle::read_file(&path).unwrap();
        assert_same(&plans.to_value(), &original, &path.display().to_string());

        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("plans.pkl");
        plans.write(&copy).unwrap();
        assert_eq!(Plans::read(&copy).unwrap(), plans);
        let json = plans.to_json();
        assert_eq!(json["num_classes"], plans.num_classes);
        assert_eq!(
            json["plans_per_stage"]["0"]["batch_size"],
            plans.plans_per_stage[&0].batch_size
        );
    }
}

#[test]
fn typed_plans_equal_pickled_values() {
    for path in files(is_plans) {
        let plans = Plans::read(&path).unwrap();
        let original = pickle::read_file(&path).unwrap();
        let number = |key: &str| original.get(key).and_then(Value::as_i64).unwrap() as usize;
        assert_eq!(plans.num_stages, number("num_stages"));
        assert_eq!(plans.num_stages, plans.plans_per_stage.len());
        assert_eq!(plans.modalities.len(), number("num_modalities"));
        assert_eq!(plans.is_2d(), plans.data_identifier.ends_with("_2D"));
        for (axis, &from) in plans.transpose_forward.iter().enumerate() {
            assert_eq!(plans.transpose_backward[from], axis);
        }
        let configuration = if plans.is_2d() {
            Configuration::TwoD
        } else {
            Configuration::FullRes
        };
        let stage = configuration.stage(&plans).unwrap();
        assert_eq!(
            plans.stage(stage).unwrap().current_spacing,
            plans.stage(stage).unwrap().original_spacing
        );
        if plans.num_stages == 1 {
            assert!(Configuration::LowRes.stage(&plans).is_err());
        }
    }
}

#[test]
fn invalid_plans_are_rejected_with_file_and_key() {
    let path = &files(is_plans)[0];
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("broken_plans.pkl");
    for (key, value) in [
        ("transpose_forward", Value::list([0i64, 0, 1])),
        ("all_classes", Value::from("1, 2")),
        ("plans_per_stage", Value::None),
    ] {
        let Value::Dict(mut dict) = pickle::read_file(path).unwrap() else {
            panic!("a dictionary")
        };
        dict.set(key, value);
        pickle::write_file(&copy, &dict.into()).unwrap();
        let error = Plans::read(&copy).unwrap_err();
        assert_eq!(error.code(), "ERR_PICKLE_VALUE");
        let text = error.to_string();
        assert!(text.contains("broken_plans.pkl") && text.contains(key), "{text}");
    }
}

/// Copies every entry into a new record through its getter and setter.
fn rebuilt(case: &CaseProperties) -> CaseProperties {
    let mut new = CaseProperties::new();
    for (key, value) in case.dict().iter() {
        match key.as_str().unwrap() {
            "original_size_of_raw_data" => {
                new.set_original_size_of_raw_data(case.original_size_of_raw_data().unwrap());
            }
            "original_spacing" => new.set_original_spacing(case.original_spacing().unwrap()),
            "list_of_data_files" => new.set_list_of_data_files(case.list_of_data_files().unwrap()),
            "seg_file" => new.set_seg_file(case.seg_file().unwrap()),
            "itk_origin" => new.set_itk_origin(case.itk_origin().unwrap()),
            "itk_spacing" => new.set_itk_spacing(case.itk_spacing().unwrap()),
            "itk_direction" => new.set_itk_direction(case.itk_direction().unwrap()),
            "crop_bbox" => new.set_crop_bbox(case.crop_bbox().unwrap()),
            "classes" => new.set_classes(case.classes().unwrap()),
            "size_after_cropping" => new.set_size_after_cropping(case.size_after_cropping().unwrap()),
            "size_after_resampling" => new.set_size_after_resampling(case.size_after_resampling().unwrap()),
            "spacing_after_resampling" => {
                new.set_spacing_after_resampling(case.spacing_after_resampling().unwrap());
            }
            "use_nonzero_mask_for_norm" => {
                new.set_use_nonzero_mask_for_norm(case.use_nonzero_mask_for_norm().unwrap());
            }
            "class_locations" => new.set_class_locations(case.class_locations().unwrap()),
            other => new.dict_mut().set(other, value.clone()),
        }
    }
    new
}

#[test]
fn case_properties_round_trip_keeps_python_types() {
    for path in files(is_case) {
        let case = CaseProperties::read(&path).unwrap();
        assert_same(
            &rebuilt(&case).to_value(),
            &pickle::read_file(&path).unwrap(),
            &path.display().to_string(),
        );
        assert_eq!(case.outside_nonzero_mask_label().unwrap(), -1);
    }
}

#[test]
fn custom_entries_and_empty_classes_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.pkl");
    let mut case = CaseProperties::new();
    case.set_outside_nonzero_mask_label(0);
    case.set_seg_file(None);
    let empty = ndarray::Array2::zeros((0, 3));
    case.set_class_locations([(1, ndarray::arr2(&[[1, 2, 3]])), (2, empty)].into());
    case.write(&path).unwrap();
    let read = CaseProperties::read(&path).unwrap();
    assert_eq!(read.outside_nonzero_mask_label().unwrap(), 0);
    assert_eq!(read.seg_file().unwrap(), None);
    assert_eq!(read.class_locations().unwrap(), case.class_locations().unwrap());
    // nnU-Net tests `len(locations) == 0` on an empty list.
    let locations = read.dict().get("class_locations").unwrap().as_dict().unwrap();
    assert_eq!(locations.get_value(&2i64.into()), Some(&Value::List(vec![])));
    let error = read.itk_origin().unwrap_err().to_string();
    assert!(
        error.contains("case.pkl") && error.contains("itk_origin"),
        "{error}"
    );
}

#[test]
fn dataset_json_round_trip_keeps_content() {
    for path in files(|p| p.ends_with("dataset.json")) {
        let dataset = DatasetJson::read(&path).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("dataset.json");
        dataset.write(&copy).unwrap();
        assert_eq!(testkit::json(&copy), testkit::json(&path), "{}", path.display());
        assert_eq!(dataset.cases().len(), dataset.training.len());
    }
}
