//! The verb that writes splits.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataset::splits::{default_splits, read_splits, write_splits, Split};
use dataset::{DatasetJson, Folders, TrainingCase};
use run::{Cancel, Coded, Context, Event};
use task::splits::{make_splits, CaseOrigin, SplitsOptions, SplitsSummary};
use task::Error;
use testkit::Recorder;

const TASK: &str = "Task500_Splits";

/// A raw task of empty files: splits only need names.
struct Fixture {
    base: tempfile::TempDir,
}

impl Fixture {
    fn new(cases: &[String]) -> Self {
        let base = tempfile::tempdir().unwrap();
        let raw = base.path().join("base/nnUNet_raw_data").join(TASK);
        std::fs::create_dir_all(raw.join("imagesTr")).unwrap();
        let training = cases.iter().map(|case| TrainingCase::new(case));
        let dataset = DatasetJson {
            training: training.collect(),
            ..DatasetJson::default()
        };
        dataset.write(&raw.join("dataset.json")).unwrap();
        Self { base }
    }

    fn preprocessed(&self) -> PathBuf {
        self.base.path().join("preprocessed").join(TASK)
    }

    /// Writes an empty case into a stage's folder.
    fn preprocess(&self, stage: &str, case: &str) {
        let folder = self.preprocessed().join(stage);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{case}.npz")), "").unwrap();
    }

    fn options(&self, rule: Rule) -> SplitsOptions {
        let mut options = SplitsOptions::new(TASK);
        options.folders = Folders {
            raw_base: Some(self.base.path().join("base")),
            preprocessed: Some(self.base.path().join("preprocessed")),
            results: None,
        };
        match rule {
            Rule::FiveFold => {}
            Rule::GroupPattern(pattern) => options.group_pattern = Some(pattern),
            Rule::Groups(path) => options.groups = Some(path),
            Rule::From(path) => options.from = Some(path),
        }
        options
    }

    fn splits(&self, rule: Rule) -> Result<SplitsSummary, Error> {
        make_splits(&self.options(rule), &Context::silent(1))
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.base.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

/// Rule of the split.
#[derive(Clone)]
enum Rule {
    FiveFold,
    GroupPattern(String),
    Groups(PathBuf),
    From(PathBuf),
}

/// Names of three scans per patient.
fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("p{:02}_{}", i / 3, i % 3)).collect()
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn unpreprocessed_task_uses_cases_of_dataset_json() {
    let cases = names(7);
    let fixture = Fixture::new(&cases);
    let summary = fixture.splits(Rule::FiveFold).unwrap();
    assert_eq!((summary.origin, summary.cases), (CaseOrigin::DatasetJson, 7));
    assert_eq!((summary.groups, &summary.backup), (None, &None));
    assert_eq!(summary.folds, default_splits(&cases).unwrap());
    assert_eq!(summary.file, fixture.preprocessed().join("splits_final.pkl"));
    assert_eq!(read_splits(&summary.file).unwrap(), summary.folds);
}

#[test]
fn preprocessed_task_uses_cases_of_all_stages() {
    let fixture = Fixture::new(&names(8));
    for (stage, range) in [
        ("nnUNetData_plans_v2.1_stage0", 0..5),
        ("nnUNetData_plans_v2.1_2D_stage0", 3..7),
    ] {
        names(8)[range]
            .iter()
            .for_each(|case| fixture.preprocess(stage, case));
    }
    fixture.preprocess("gt_segmentations", "unlisted");
    for other in [".p00_0.npz.123", "p00_0_segFromPrevStage"] {
        fixture.preprocess("nnUNetData_plans_v2.1_stage0", other);
    }
    let sink = Arc::new(Recorder::default());
    let context = Context::new(sink.clone(), Cancel::new(), 1);
    let summary = make_splits(&fixture.options(Rule::FiveFold), &context).unwrap();
    assert_eq!(summary.origin, CaseOrigin::Preprocessed);
    assert_eq!(summary.folds, default_splits(&names(7)).unwrap());
    let events = sink.events();
    let [Event::Warning { code, message, .. }, Event::Started { verb: "splits", .. }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(*code, "WARN_CASES_NOT_PREPROCESSED");
    assert!(
        message.contains("p02_1") && !message.contains("p00_0"),
        "{message}"
    );
}

#[test]
fn pattern_and_file_keep_patients_together() {
    let fixture = Fixture::new(&names(20));
    let pattern = Rule::GroupPattern(r"^(p\d+)_".into());
    let by_pattern = fixture.splits(pattern).unwrap();
    assert_eq!(by_pattern.groups, Some(7));
    for fold in &by_pattern.folds {
        let patients =
            |cases: &[String]| -> BTreeSet<String> { cases.iter().map(|c| c[..3].to_owned()).collect() };
        assert!(patients(&fold.train).is_disjoint(&patients(&fold.val)));
    }
    // The file may contain patients that the task does not have.
    let lines: Vec<String> = names(24).iter().map(|c| format!("{c},{}", &c[..3])).collect();
    let csv = fixture.write("patients.csv", &format!("case,patient\n{}\n", lines.join("\n")));
    let options = SplitsOptions {
        overwrite: true,
        ..fixture.options(Rule::Groups(csv))
    };
    let by_file = make_splits(&options, &Context::silent(1)).unwrap();
    assert_eq!((by_file.groups, &by_file.folds), (Some(7), &by_pattern.folds));
}

#[test]
fn cases_without_group_are_rejected_with_names() {
    let fixture = Fixture::new(&names(20));
    let partial = fixture.write("patients.json", r#"{ "p00_0": "p00" }"#);
    let error = fixture.splits(Rule::Groups(partial)).unwrap_err();
    assert_eq!(error.code(), "ERR_SPLITS");
    assert_eq!(error.details()["cases"].as_array().unwrap().len(), 19);
    let message = error.to_string();
    assert!(message.contains("patients.json") && message.contains("p00_1") && message.contains("and 7 more"));

    let bad = fixture.splits(Rule::GroupPattern("p(".into())).unwrap_err();
    assert_eq!(bad.code(), "ERR_OPTIONS");
    let few = fixture.splits(Rule::GroupPattern(r"^(p)\d+".into())).unwrap_err();
    assert_eq!(few.code(), "ERR_TOO_FEW_CASES");
    assert!(few.to_string().contains("1 groups of cases") && few.to_string().contains("--fold all"));
    let absent = fixture
        .splits(Rule::Groups("/nonexistent/patients.csv".into()))
        .unwrap_err();
    assert!(absent.to_string().contains("/nonexistent/patients.csv"));
    assert!(
        !fixture.preprocessed().exists(),
        "nothing is written before the error"
    );
}

#[test]
fn four_cases_are_rejected_with_hint_to_fold_all() {
    let error = Fixture::new(&names(4)).splits(Rule::FiveFold).unwrap_err();
    assert_eq!(error.code(), "ERR_TOO_FEW_CASES");
    assert!(error.to_string().contains("--fold all"), "{error}");
}

#[test]
fn custom_splits_are_accepted_if_they_match_the_cases() {
    let fixture = Fixture::new(&names(6));
    let split = |train: &[usize], val: &[usize]| Split {
        train: train.iter().map(|&i| names(9)[i].clone()).collect(),
        val: val.iter().map(|&i| names(9)[i].clone()).collect(),
    };
    let good = vec![split(&[3, 0], &[1]), split(&[1, 2], &[3, 4, 5])];
    let json = fixture.write("splits_final.json", &serde_json::to_string(&good).unwrap());
    let pkl = fixture.base.path().join("own.pkl");
    write_splits(&pkl, &good).unwrap();
    for path in [json, pkl] {
        let options = SplitsOptions {
            overwrite: true,
            ..fixture.options(Rule::From(path))
        };
        let summary = make_splits(&options, &Context::silent(1)).unwrap();
        assert_eq!(read_splits(&summary.file).unwrap(), good);
    }
    let before = std::fs::read(fixture.preprocessed().join("splits_final.pkl")).unwrap();

    let refuse = |splits: &[Split], code: &str, words: &[&str]| {
        let path = fixture.write("bad.json", &serde_json::to_string(splits).unwrap());
        let options = SplitsOptions {
            overwrite: true,
            ..fixture.options(Rule::From(path))
        };
        let error = make_splits(&options, &Context::silent(1)).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        for word in ["bad.json"].iter().chain(words) {
            assert!(error.to_string().contains(word), "{error}: {word}");
        }
    };
    let unknown = split(&[0, 7], &[1, 8]);
    refuse(
        &[good[0].clone(), unknown],
        "ERR_SPLITS",
        &["fold 1", "dataset.json does not list", "p02_1, p02_2"],
    );
    refuse(
        &[split(&[0, 1], &[1])],
        "ERR_SPLITS",
        &["fold 0 has cases in both", "p00_1"],
    );
    refuse(&[split(&[0], &[])], "ERR_DATASET_RECORD", &["val of fold 0"]);
    refuse(&[], "ERR_DATASET_RECORD", &["no folds"]);
    assert_eq!(
        std::fs::read(fixture.preprocessed().join("splits_final.pkl")).unwrap(),
        before
    );
}

#[test]
fn existing_splits_are_kept_or_backed_up() {
    let fixture = Fixture::new(&names(20));
    let first = fixture.splits(Rule::FiveFold).unwrap();
    let previous = std::fs::read(&first.file).unwrap();
    let pattern = Rule::GroupPattern(r"^(p\d+)_".into());
    let error = fixture.splits(pattern.clone()).unwrap_err();
    assert_eq!(error.code(), "ERR_SPLITS_EXIST");
    assert!(error.to_string().contains("splits_final.pkl") && error.to_string().contains("overwrite"));
    assert_eq!(std::fs::read(&first.file).unwrap(), previous);

    let options = SplitsOptions {
        overwrite: true,
        ..fixture.options(pattern)
    };
    for backup in ["splits_final.old1.pkl", "splits_final.old2.pkl"] {
        let summary = make_splits(&options, &Context::silent(1)).unwrap();
        assert_eq!(summary.backup, Some(fixture.preprocessed().join(backup)));
    }
    assert_eq!(
        files(&fixture.preprocessed()),
        [
            "splits_final.old1.pkl",
            "splits_final.old2.pkl",
            "splits_final.pkl"
        ]
    );
    assert_eq!(
        std::fs::read(fixture.preprocessed().join("splits_final.old1.pkl")).unwrap(),
        previous
    );
}

#[test]
fn preprocessed_folder_without_raw_task_is_sufficient() {
    let fixture = Fixture::new(&names(5));
    names(5)
        .iter()
        .for_each(|case| fixture.preprocess("nnUNetData_plans_v2.1_stage0", case));
    std::fs::write(fixture.preprocessed().join("dataset_properties.pkl"), "").unwrap();
    let options = SplitsOptions {
        task: fixture.preprocessed().to_string_lossy().into_owned(),
        ..SplitsOptions::new(TASK)
    };
    let summary = make_splits(&options, &Context::silent(1)).unwrap();
    assert_eq!((summary.task.as_str(), summary.cases), (TASK, 5));
}
