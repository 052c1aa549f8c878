//! Splits compared with those of nnU-Net v1.

use std::collections::BTreeMap;
use std::io::Read;

use dataset::splits::{
    check_fold, default_splits, ensure_splits, read_splits, split_for_fold, write_splits, Split, FOLDS,
};
use dataset::Fold;
use pickle::{DType, NdArray};
use proptest::prelude::*;
use run::Coded;
use serde_json::Value as Json;

fn strings(list: &Json) -> Vec<String> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|s| s.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn recorded_folds_equal_nnunet() {
    let folder = testkit::folder("preprocess").join("splits");
    let recorded = testkit::json(&folder.join("splits.json"));
    for (n, entry) in recorded.as_object().unwrap() {
        let cases = strings(&entry["keys_in_dataset_order"]);
        for (fold, expected) in entry["per_fold"].as_object().unwrap() {
            let fold: Fold = fold.parse().unwrap();
            let splits = match fold {
                Fold::All => Ok(Vec::new()),
                Fold::Index(_) => default_splits(&cases),
            };
            if expected.get("error").is_some() {
                let error = splits.unwrap_err();
                assert_eq!(error.code(), "ERR_TOO_FEW_CASES");
                assert!(error.to_string().contains("--fold all"));
                continue;
            }
            let split = split_for_fold(&splits.unwrap(), &cases, fold).unwrap();
            assert_eq!(split.train, strings(&expected["train"]), "{n} cases, fold {fold}");
            assert_eq!(split.val, strings(&expected["val"]), "{n} cases, fold {fold}");
        }
    }
}

#[test]
fn recorded_splits_are_read_and_written_identically() {
    let folder = testkit::folder("preprocess").join("splits");
    let temporary = tempfile::tempdir().unwrap();
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "pkl") {
            continue;
        }
        count += 1;
        let splits = read_splits(&path).unwrap();
        let cases: Vec<String> = splits[0].train.iter().chain(&splits[0].val).cloned().collect();
        assert_eq!(default_splits(&cases).unwrap(), splits, "{}", path.display());
        let copy = temporary.path().join(path.file_name().unwrap());
        write_splits(&copy, &splits).unwrap();
        assert_eq!(
            pickle::read_file(&copy).unwrap(),
            pickle::read_file(&path).unwrap(),
            "{}",
            path.display()
        );
    }
    assert!(count > 0);
}

/// String arrays of an npz file (numpy's `<U`).
fn string_arrays(path: &std::path::Path) -> BTreeMap<String, Vec<String>> {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let names: Vec<String> = zip.file_names().map(|n| n.unwrap().into_owned()).collect();
    let array = |name: &String| {
        let mut bytes = Vec::new();
        zip.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
        let header = 10 + usize::from(bytes[8]) + 256 * usize::from(bytes[9]);
        let text = String::from_utf8_lossy(&bytes[10..header]).into_owned();
        let width: u32 = text
            .split("<U")
            .nth(1)
            .unwrap()
            .split('\'')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let data = bytes[header..].to_vec();
        let length = data.len() / (width as usize * 4);
        let array = NdArray::new(DType::Unicode(width), vec![length], data).unwrap();
        (
            name.trim_end_matches(".npy").to_owned(),
            array.to_strings().unwrap(),
        )
    };
    names.iter().map(array).collect()
}

#[test]
fn recorded_splits_of_larger_datasets_equal_nnunet() {
    let arrays = string_arrays(&testkit::folder("training_loop").join("splits.npz"));
    let mut checked = 0;
    for (name, train) in arrays.iter().filter(|(name, _)| name.ends_with("_train")) {
        let val = &arrays[&name.replace("_train", "_val")];
        let fold = name.split("_fold").nth(1).unwrap().trim_end_matches("_train");
        let mut cases: Vec<String> = train.iter().chain(val).cloned().collect();
        cases.sort();
        cases.dedup();
        let split = split_for_fold(&default_splits(&cases).unwrap(), &cases, fold.parse().unwrap()).unwrap();
        assert_eq!((&split.train, &split.val), (train, val), "{name}");
        checked += 1;
    }
    assert!(checked > 0);
}

fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("p{:03}_{}", i / 3, i % 3)).collect()
}

proptest! {
    #[test]
    fn default_folds_partition_cases(n in 5usize..80) {
        let cases = names(n);
        let splits = default_splits(&cases).unwrap();
        let mut validated: Vec<String> = splits.iter().flat_map(|s| s.val.clone()).collect();
        validated.sort();
        prop_assert_eq!(validated, cases.clone());
        for split in &splits {
            prop_assert_eq!(split.train.len() + split.val.len(), n);
            prop_assert!(split.val.iter().all(|c| !split.train.contains(c)));
            prop_assert!(split.val.len().abs_diff(n / FOLDS) <= 1);
        }
    }

    #[test]
    fn folds_past_the_end_train_on_eighty_percent(n in 5usize..80, seven in 5u32..40) {
        let cases = names(n);
        let splits = default_splits(&cases).unwrap();
        let random = split_for_fold(&splits, &cases, Fold::Index(seven)).unwrap();
        prop_assert_eq!(random.train.len(), (n as f64 * 0.8) as usize);
    }
}

#[test]
fn invalid_custom_splits_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let cases: Vec<String> = names(6);
    let custom = vec![Split {
        train: vec![cases[3].clone(), cases[0].clone()],
        val: vec![cases[1].clone()],
    }];
    let path = folder.path().join("splits_final.pkl");
    write_splits(&path, &custom).unwrap();
    assert_eq!(ensure_splits(folder.path(), &cases).unwrap(), custom);
    let split = split_for_fold(&custom, &cases, Fold::Index(0)).unwrap();
    assert_eq!(split.train, [cases[0].clone(), cases[3].clone()]);

    let json = folder.path().join("splits_final.json");
    std::fs::write(&json, serde_json::to_string(&custom).unwrap()).unwrap();
    assert_eq!(read_splits(&json).unwrap(), custom);

    let unknown = split_for_fold(&custom, &cases[1..], Fold::Index(0)).unwrap_err();
    assert_eq!(unknown.details()["cases"], serde_json::json!([cases[0]]));
    let leak = vec![Split {
        train: cases.clone(),
        val: vec![cases[2].clone()],
    }];
    let leak = split_for_fold(&leak, &cases, Fold::Index(0)).unwrap_err();
    assert_eq!(leak.details()["cases"], serde_json::json!([cases[2]]));
    for validation in [false, true] {
        let (mut train, mut val) = (vec![cases[0].clone()], vec![cases[1].clone()]);
        let part = if validation { &mut val } else { &mut train };
        part.push(part[0].clone());
        let twice = part[0].clone();
        let error = split_for_fold(&[Split { train, val }], &cases, Fold::Index(0)).unwrap_err();
        assert_eq!(error.code(), "ERR_SPLITS");
        assert_eq!(error.details()["cases"], serde_json::json!([twice]));
    }
}

#[test]
fn a_fold_outside_the_splits_is_refused() {
    let splits = default_splits(&names(10)).unwrap();
    assert!(check_fold(&splits, Fold::Index(4)).is_ok());
    assert!(check_fold(&[], Fold::All).is_ok());
    let error = check_fold(&splits, Fold::Index(5)).unwrap_err();
    assert_eq!(error.code(), "ERR_FOLD_MISSING");
    assert_eq!(error.details()["folds"], 5);
    let message = error.to_string();
    assert!(
        message.contains("folds 0 to 4") && message.contains("--random-split"),
        "{message}"
    );
}

#[test]
fn default_splits_are_written_if_missing() {
    let folder = tempfile::tempdir().unwrap();
    let splits = ensure_splits(folder.path(), &names(7)).unwrap();
    assert_eq!(
        read_splits(&folder.path().join("splits_final.pkl")).unwrap(),
        splits
    );
    assert!(ensure_splits(&folder.path().join("none"), &names(3)).is_err());
}

#[test]
fn folds_are_parsed_and_serialised() {
    let folds: Vec<Fold> = serde_json::from_str(r#"[0, "7", "all"]"#).unwrap();
    assert_eq!(folds, [Fold::Index(0), Fold::Index(7), Fold::All]);
    assert_eq!(serde_json::to_string(&folds).unwrap(), r#"[0,7,"all"]"#);
    assert!(serde_json::from_str::<Fold>(r#""some""#).is_err());
    assert_eq!(Fold::from_folder("fold_07"), None);
    assert_eq!(Fold::from_folder("fold_7"), Some(Fold::Index(7)));
}
