//! Cases that are annotated for some of the classes only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dataset::DatasetJson;
use run::{NotFound, OptionError};

use crate::Result;

/// The annotated classes of partially annotated cases, without the background. Cases that are not named are annotated
/// for every class.
pub type PresentLabels = BTreeMap<String, BTreeSet<i64>>;

/// Reads which cases are annotated for some classes only: the file `given`, a JSON object that maps a case to its labels,
/// or else the entries `presentLabels` of the training cases in the `dataset.json` of the preprocessed task.
///
/// # Errors
/// [`crate::Error::Option`] for a file of another form, a case that is not among `cases`, and a label that is no class;
/// [`crate::Error::NotFound`]; [`crate::Error::Dataset`].
pub(crate) fn read(
    given: Option<&PathBuf>,
    preprocessed: &Path,
    cases: &[String],
    highest: usize,
) -> Result<PresentLabels> {
    let file = preprocessed.join("dataset.json");
    let (path, found) = match given {
        Some(path) => (path.clone(), from_file(path)?),
        None if file.is_file() => {
            let dataset = match DatasetJson::read(&file) {
                Ok(dataset) => dataset,
                // Nothing else of this file is needed, and nnU-Net v1 trains without it.
                Err(_) if !mentions_present_labels(&file) => return Ok(PresentLabels::new()),
                Err(error) => return Err(error.into()),
            };
            let partial = dataset.training.into_iter();
            let partial = partial.filter_map(|case| Some((case.case, case.present_labels?)));
            (file, partial.collect())
        }
        None => return Ok(PresentLabels::new()),
    };
    let refuse = |problem: String| {
        let problem = format!("{}: {problem}", path.display());
        Err(OptionError::new("presentLabels", problem).into())
    };
    let all: BTreeSet<i64> = (1..=highest as i64).collect();
    let mut partial = PresentLabels::new();
    for (case, labels) in found {
        if given.is_some() && !cases.contains(&case) {
            return refuse(format!("{case} is not a preprocessed case of this configuration"));
        }
        let labels: BTreeSet<i64> = labels.into_iter().filter(|&label| label != 0).collect();
        if let Some(label) = labels.difference(&all).next() {
            return refuse(format!(
                "{case} has label {label}; expected classes of the plans (1 to {highest})"
            ));
        }
        if labels != all {
            partial.insert(case, labels);
        }
    }
    Ok(partial)
}

fn mentions_present_labels(path: &Path) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| text.contains("presentLabels"))
}

fn from_file(path: &Path) -> Result<BTreeMap<String, Vec<i64>>> {
    let advice = "name a JSON file such as {\"case_001\": [1, 3]}";
    NotFound::unless_exists("file of the annotated classes", path, advice)?;
    let refuse =
        |problem: String| OptionError::new("presentLabels", format!("{}: {problem}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
    let found = serde_json::from_slice(&bytes).map_err(|error| {
        refuse(format!(
            "expected a JSON object of cases with lists of labels, such as {{\"case_001\": [1, 3]}}: {error}"
        ))
    });
    Ok(found?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_or_the_dataset_names_partial_cases() {
        let folder = tempfile::tempdir().unwrap();
        let cases = ["a", "b"].map(str::to_owned);
        let read = |given: Option<&PathBuf>| super::read(given, folder.path(), &cases, 3);
        assert!(read(None).unwrap().is_empty());
        let dataset = r#"{"name":"X","modality":{"0":"CT"},"labels":{"0":"background","1":"a","2":"b","3":"c"},"training":[
            {"image":"./imagesTr/a.nii.gz","label":"./labelsTr/a.nii.gz","presentLabels":[0,2]},
            {"image":"./imagesTr/b.nii.gz","label":"./labelsTr/b.nii.gz","presentLabels":[1,2,3]},
            {"image":"./imagesTr/c.nii.gz","label":"./labelsTr/c.nii.gz"}],"test":[]}"#;
        std::fs::write(folder.path().join("dataset.json"), dataset).unwrap();
        assert_eq!(
            read(None).unwrap(),
            PresentLabels::from([("a".to_owned(), BTreeSet::from([2]))])
        );
        for (damaged, refused) in [("{", false), (r#"{"presentLabels":"#, true)] {
            std::fs::write(folder.path().join("dataset.json"), damaged).unwrap();
            assert_eq!(read(None).is_err(), refused, "{damaged}");
        }
        let file = folder.path().join("present.json");
        let given = |text: &str| {
            std::fs::write(&file, text).unwrap();
            read(Some(&file)).map_err(|error| error.to_string())
        };
        assert_eq!(
            given(r#"{"b":[]}"#).unwrap(),
            PresentLabels::from([("b".to_owned(), BTreeSet::new())])
        );
        for (text, problem) in [
            (r#"{"d":[1]}"#, "d is not a preprocessed case"),
            (
                r#"{"a":[4]}"#,
                "a has label 4; expected classes of the plans (1 to 3)",
            ),
            (r#"{"a":1}"#, "expected a JSON object"),
            ("", "expected a JSON object"),
        ] {
            let error = given(text).unwrap_err();
            assert!(
                error.contains(problem) && error.contains("present.json"),
                "{error}"
            );
        }
    }
}
