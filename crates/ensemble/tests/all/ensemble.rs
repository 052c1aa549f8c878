//! `ensemble` compared with the recorded reference, and its errors.

use std::fs;
use std::path::{Path, PathBuf};

use dataset::CaseProperties;
use ensemble::{ensemble, merge, EnsembleOptions};
use evaluate::postprocessing::{write_rules, Rules};
use evaluate::Region;
use half::f16;
use ndarray::{Array3, Array4};
use pickle::Value;
use proptest::prelude::*;
use run::{Cancel, Coded, Context};
use volume::{nifti, npz, Geometry};

const SIZE: [usize; 3] = [3, 4, 5];
const BOX: [[usize; 2]; 3] = [[1, 4], [0, 4], [2, 7]];
const WHOLE: [usize; 3] = [5, 4, 8];

fn properties() -> CaseProperties {
    let mut properties = CaseProperties::new();
    properties.set_original_size_of_raw_data(WHOLE);
    properties.set_size_after_cropping(SIZE);
    properties.set_crop_bbox(BOX);
    properties.set_original_spacing([2.0, 1.0, 1.5]);
    properties.set_spacing_after_resampling([1.0; 3]);
    properties.set_itk_spacing([1.5, 1.0, 2.0]);
    properties.set_itk_origin([1.0, -2.0, 3.0]);
    properties.set_itk_direction(Geometry::default().direction);
    properties
}

fn write(folder: &Path, case: &str, softmax: &Array4<f16>, properties: &CaseProperties) {
    fs::create_dir_all(folder).unwrap();
    let file = folder.join(format!("{case}.npz"));
    npz::write(
        &file,
        &[("softmax", softmax.view().into_dyn())],
        npz::Compression::Fast,
    )
    .unwrap();
    properties.write(&folder.join(format!("{case}.pkl"))).unwrap();
}

fn softmax(classes: usize, seed: usize) -> Array4<f16> {
    let [z, y, x] = SIZE;
    Array4::from_shape_fn((classes, z, y, x), |(c, z, y, x)| {
        f16::from_f32(((c * 31 + z * 7 + y * 5 + x * 3 + seed * 11) % 17) as f32 / 17.0)
    })
}

/// Folders of two models with the cases `a` and `b`.
struct Work {
    guard: tempfile::TempDir,
    options: EnsembleOptions,
}

impl Work {
    fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let folders = ["one", "two"].map(|name| guard.path().join(name));
        for (seed, folder) in folders.iter().enumerate() {
            for case in ["a", "b"] {
                write(folder, case, &softmax(3, seed), &properties());
            }
        }
        let options = EnsembleOptions::new(folders.to_vec(), guard.path().join("out"));
        Self { guard, options }
    }

    fn second(&self) -> &Path {
        &self.options.folders[1]
    }

    /// Written cases, and the codes and cases of failures.
    fn run(&self) -> (usize, Vec<(String, String)>) {
        let found = ensemble(&self.options, &Context::silent(2)).unwrap();
        let failures = found
            .failures
            .into_iter()
            .map(|failure| (failure.case, failure.code));
        (found.written, failures.collect())
    }
}

#[test]
fn recorded_softmax_gives_the_recorded_mean_and_labels() {
    let recorded = testkit::folder("inference").join("ensemble_cli");
    // The second set of recordings has none.
    if !recorded.is_dir() {
        assert!(
            std::env::var_os("NNUNET_DIAG_FIXTURES").is_some(),
            "{}",
            recorded.display()
        );
        return;
    }
    let output = tempfile::tempdir().unwrap();
    let mut folders: Vec<PathBuf> = fs::read_dir(&recorded)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    folders.retain(|folder| folder.is_dir() && !folder.ends_with("out"));
    folders.sort();
    let mut options = EnsembleOptions::new(folders, output.path().to_owned());
    options.save_softmax = true;
    let found = ensemble(&options, &Context::silent(1)).unwrap();
    assert_eq!(found.failures, []);
    let mut cases = 0;
    for file in testkit::files_below(&recorded.join("out")) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let Some(case) = name.strip_suffix(".npz") else {
            continue;
        };
        let read = |path: &Path| npz::read::<f16>(path, "softmax").unwrap();
        assert_eq!(read(&output.path().join(&name)), read(&file));
        let name = format!("{case}.nii.gz");
        let (labels, geometry) = nifti::read_labels(&output.path().join(&name)).unwrap();
        let (expected, place) = nifti::read_labels(&recorded.join("out").join(name)).unwrap();
        assert_eq!(labels, expected);
        assert!(geometry.deviation(&place).within(1e-5));
        // nnU-Net v1 stores a list of properties, which it cannot read again. Both forms are read here.
        let list = pickle::read_file(&recorded.join("out").join(format!("{case}.pkl"))).unwrap();
        assert!(list.as_items().is_some());
        let again = [recorded.join("out"), output.path().to_owned()];
        assert_eq!(merge(&again, case, &Cancel::new()).unwrap().labels, expected);
        cases += 1;
    }
    assert_eq!(found.written, cases);
}

proptest! {
    // Each case writes files.
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn labels_are_those_of_the_largest_mean(
        values in prop::collection::vec(0.0_f32..1.0, 2 * 2 * 2 * 3 * 60), count in 2_usize..5,
    ) {
        let guard = tempfile::tempdir().unwrap();
        let [z, y, x] = SIZE;
        let mut values = values.into_iter().cycle();
        let mut folders = Vec::new();
        let mut all = Vec::new();
        for model in 0..count {
            let folder = guard.path().join(model.to_string());
            let softmax = Array4::from_shape_simple_fn((3, z, y, x), || f16::from_f32(values.next().unwrap()));
            write(&folder, "a", &softmax, &properties());
            folders.push(folder);
            all.push(softmax);
        }
        let found = merge(&folders, "a", &Cancel::new()).unwrap();
        let mut expected = Array3::<i16>::zeros(WHOLE);
        for ((z, y, x), _) in all[0].index_axis(ndarray::Axis(0), 0).indexed_iter() {
            let mean = |class: usize| {
                let sum: f32 = all.iter().map(|softmax| softmax[[class, z, y, x]].to_f32()).sum();
                f16::from_f32(sum / count as f32)
            };
            let mut best = 0;
            for class in 1..3 {
                if mean(class) > mean(best) {
                    best = class;
                }
            }
            expected[[z + BOX[0][0], y + BOX[1][0], x + BOX[2][0]]] = best as i16;
        }
        prop_assert_eq!(found.labels, expected);
        prop_assert_eq!(found.geometry.spacing, [2.0, 1.0, 1.5]);
    }
}

#[test]
fn files_that_disagree_fail_their_case_and_not_the_others() {
    let work = Work::new();
    assert_eq!(work.run(), (2, vec![]));
    let failure = |code: &str| (1, vec![("b".to_owned(), code.to_owned())]);

    write(work.second(), "b", &softmax(4, 1), &properties());
    assert_eq!(work.run(), failure("ERR_ENSEMBLE_MISMATCH"));
    let mut other = properties();
    other.set_itk_origin([1.0, -2.0, 4.0]);
    write(work.second(), "b", &softmax(3, 1), &other);
    assert_eq!(work.run(), failure("ERR_ENSEMBLE_MISMATCH"));
    let mut other = properties();
    other.set_crop_bbox([[0, 3], [0, 4], [2, 7]]);
    write(work.second(), "b", &softmax(3, 1), &other);
    assert_eq!(work.run(), failure("ERR_ENSEMBLE_MISMATCH"));
    let mut regions = properties();
    regions
        .dict_mut()
        .set("regions_class_order", Value::list([1_i64, 2, 3]));
    write(work.second(), "b", &softmax(3, 1), &regions);
    assert_eq!(work.run(), failure("ERR_ENSEMBLE_MISMATCH"));

    let mut nan = softmax(3, 1);
    nan[[0, 1, 1, 1]] = f16::NAN;
    write(work.second(), "b", &nan, &properties());
    assert_eq!(work.run(), failure("ERR_SOFTMAX_NOT_FINITE"));
    fs::write(work.second().join("b.npz"), "rubbish").unwrap();
    assert_eq!(work.run(), failure("ERR_NPZ_ARCHIVE"));
    fs::remove_file(work.second().join("b.npz")).unwrap();
    assert_eq!(work.run(), failure("ERR_NOT_FOUND"));
    write(work.second(), "b", &softmax(3, 1), &properties());
    fs::remove_file(work.second().join("b.pkl")).unwrap();
    assert_eq!(work.run(), failure("ERR_NOT_FOUND"));
}

#[test]
fn networks_of_regions_give_their_classes() {
    let work = Work::new();
    let mut regions = properties();
    regions
        .dict_mut()
        .set("regions_class_order", Value::list([1_i64, 2, 4]));
    let half = f16::from_f32(0.75);
    let mut high = Array4::from_elem((3, SIZE[0], SIZE[1], SIZE[2]), f16::ZERO);
    high[[0, 0, 0, 0]] = half;
    high[[2, 0, 0, 0]] = half;
    high[[1, 0, 0, 1]] = half;
    for folder in &work.options.folders {
        write(folder, "a", &high, &regions);
    }
    let labels = merge(&work.options.folders, "a", &Cancel::new()).unwrap().labels;
    let [z, y, x] = BOX.map(|axis| axis[0]);
    assert_eq!(
        (labels[[z, y, x]], labels[[z, y, x + 1]], labels.sum()),
        (4, 2, 6)
    );
}

#[test]
fn postprocessed_segmentations_are_beside_the_others_as_in_nnunet() {
    let mut work = Work::new();
    let rules = Rules {
        for_which_classes: vec![Region::Label(1), Region::Label(2)],
        ..Rules::default()
    };
    let file = work.guard.path().join("rules.json");
    write_rules(&file, &rules).unwrap();
    work.options.rules = Some(file.clone());
    work.options.save_softmax = true;
    let found = ensemble(&work.options, &Context::silent(1)).unwrap();
    assert_eq!(found.postprocessing, Some(vec![vec![1], vec![2]]));
    let labels = |path: &str| nifti::read_labels(&work.options.output.join(path)).unwrap();
    let (mut raw, geometry) = labels("not_postprocessed/a.nii.gz");
    let before = raw.clone();
    rules.apply(raw.view_mut(), &geometry).unwrap();
    assert_ne!(raw, before);
    assert_eq!(labels("a.nii.gz").0, raw);
    let mut names: Vec<_> = fs::read_dir(&work.options.output)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["a.nii.gz", "b.nii.gz", "not_postprocessed", "postprocessing.json"]
    );
    assert!(work.options.output.join("not_postprocessed/a.npz").is_file());
}

#[test]
fn missing_folders_and_folders_without_softmax_are_errors() {
    let work = Work::new();
    let code = |folders: Vec<PathBuf>| {
        let options = EnsembleOptions::new(folders, work.options.output.clone());
        ensemble(&options, &Context::silent(1)).unwrap_err().code()
    };
    let empty = work.guard.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert_eq!(code(vec![empty.clone(), empty.clone()]), "ERR_NO_CASES");
    assert_eq!(
        code(vec![empty.clone(), work.guard.path().join("none")]),
        "ERR_NOT_FOUND"
    );
    assert_eq!(code(vec![empty]), "ERR_OPTIONS");
    assert!(!work.options.output.exists());
}
