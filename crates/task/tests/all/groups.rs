//! Splits that keep the cases of a patient together.

use std::collections::BTreeMap;

use proptest::prelude::*;
use run::Coded;
use task::splits::{grouped_splits, groups_by_pattern, groups_from_file};

fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("p{:03}_{}", i / 3, i % 3)).collect()
}

proptest! {
    #[test]
    fn groups_stay_together(n in 13usize..80) {
        let cases = names(n);
        let groups = groups_by_pattern(&cases, r"^(p\d+)_").unwrap();
        let splits = grouped_splits(&cases, &groups).unwrap();
        let mut validated: Vec<String> = splits.iter().flat_map(|s| s.val.clone()).collect();
        validated.sort();
        prop_assert_eq!(validated, cases.clone());
        for split in &splits {
            prop_assert!(split.val.iter().all(|v| split.train.iter().all(|t| groups[v] != groups[t])));
        }
    }
}

#[test]
fn groups_are_read_from_json_and_csv() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let expected: BTreeMap<String, String> = [("a", "p1"), ("b", "p2")]
        .map(|(c, g)| (c.into(), g.into()))
        .into();
    assert_eq!(
        groups_from_file(&write("g.json", r#"{"a": "p1", "b": "p2"}"#)).unwrap(),
        expected
    );
    assert_eq!(
        groups_from_file(&write("g.csv", "\u{feff}case,patient\na,p1\n\nb, \"p2\"\n")).unwrap(),
        expected
    );
    assert_eq!(
        groups_from_file(&write("g.txt", "a\tp1\nb;p2\n")).unwrap(),
        expected
    );
    let excel = "\u{feff}sep=;\r\n# patients\r\ncase;patient\r\na;p1\r\nb;\"p2\"\r\n";
    assert_eq!(groups_from_file(&write("excel.csv", excel)).unwrap(), expected);
    assert_eq!(
        groups_from_file(&write("mark.csv", "\u{feff}a,p1\nb,p2\n")).unwrap(),
        expected,
        "a byte order mark is not a part of the first case"
    );
    let twice = groups_from_file(&write("twice.csv", "a,p1\na,p2\n")).unwrap_err();
    assert!(twice.to_string().contains("line 2"), "{twice}");
    assert!(groups_from_file(&write("short.csv", "a\n")).is_err());

    let missing = grouped_splits(&["a", "c"], &expected).unwrap_err();
    assert_eq!(missing.details()["cases"], serde_json::json!(["c"]));
    assert_eq!(
        grouped_splits(&["a", "b"], &expected).unwrap_err().code(),
        "ERR_TOO_FEW_CASES"
    );
    assert_eq!(
        groups_by_pattern(&["a", "b7"], r"b(\d)").unwrap_err().details()["cases"],
        serde_json::json!(["a"])
    );
    assert!(groups_by_pattern(&["a"], "a").is_err() && groups_by_pattern(&["a"], "(").is_err());
}
