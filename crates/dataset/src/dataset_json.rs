//! `dataset.json` of a raw task.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use indexmap::IndexMap;
use run::NotFound;
use serde_json::{json, Map, Value as Json};

use crate::text::read_json;
use crate::Error;

/// One entry of `training`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainingCase {
    /// Name of the case: the file name of the label without its extension.
    pub case: String,
    /// Image path as written, such as `./imagesTr/mri_001.nii.gz` (without the channel number).
    pub image: String,
    /// Label path as written, such as `./labelsTr/mri_001.nii.gz`.
    pub label: String,
    /// `presentLabels`, an addition to nnU-Net v1's format: the classes that were annotated. Voxels of other classes may
    /// be labelled as background. `None` if all classes were annotated.
    pub present_labels: Option<Vec<i64>>,
}

impl TrainingCase {
    /// A case in `imagesTr` and `labelsTr`, annotated for all classes.
    #[must_use]
    pub fn new(case: &str) -> Self {
        Self {
            case: case.to_owned(),
            image: format!("./imagesTr/{case}.nii.gz"),
            label: format!("./labelsTr/{case}.nii.gz"),
            present_labels: None,
        }
    }

    fn to_json(&self) -> Json {
        let mut entry = json!({ "image": self.image, "label": self.label });
        if let Some(labels) = &self.present_labels {
            entry["presentLabels"] = json!(labels);
        }
        entry
    }
}

/// Content of `dataset.json`. All entries keep the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DatasetJson {
    /// Name of the dataset.
    pub name: String,
    /// Maps the channel number, as a string, to the channel's name, such as `"0": "CT"`.
    pub modality: IndexMap<String, String>,
    /// Maps the label value to the label's name. 0 is the background.
    pub labels: IndexMap<i64, String>,
    /// Training cases.
    pub training: Vec<TrainingCase>,
    /// Test images as written, such as `./imagesTs/mri_010.nii.gz`.
    pub test: Vec<String>,
    /// All other entries, such as `description`, `licence` and `tensorImageSize`.
    pub extra: Map<String, Json>,
}

/// Returns the case of a file: the file name without folder and without `.nii.gz` or `.nii`.
pub fn case_of(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    volume::nifti::stem(name).unwrap_or(name)
}

impl DatasetJson {
    /// Reads `dataset.json`.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Io`]. [`Error::Record`] naming the entry that is missing or has another form than nnU-Net
    /// v1's.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let advice = "name a folder that has this file, as every task has";
        NotFound::unless_exists("description of the data set", path, advice)?;
        Self::from_json(read_json(path)?).map_err(|problem| Error::record(path, problem))
    }

    fn from_json(json: Json) -> Result<Self, String> {
        let Json::Object(mut map) = json else {
            return Err("not a JSON object".into());
        };
        if map.contains_key("channel_names") {
            return Err(
                "this is a dataset.json of nnU-Net v2; convert the data set with `nnunet-diag convert` first"
                    .into(),
            );
        }
        let mut take = |key: &str| map.shift_remove(key);
        let name = take("name")
            .and_then(|n| n.as_str().map(str::to_owned))
            .unwrap_or_default();
        let modality = named(take("modality"), "modality")?;
        let mut labels = IndexMap::new();
        let labels_entry = take("labels");
        if let Some(Json::Object(map)) = &labels_entry {
            if !map.is_empty() && map.values().all(|v| v.is_number() || v.is_array()) {
                return Err(format!(
                    "labels: {} maps names to numbers, as in nnU-Net v2; write entries such as \"1\": \"liver\", or \
                     convert a data set of v2 with `nnunet-diag convert`",
                    Json::Object(map.clone())
                ));
            }
        }
        for (key, label) in named(labels_entry, "labels")? {
            let value = key.trim().parse().map_err(|_| {
                format!("labels: key {key:?} is not an integer; expected entries such as \"1\": \"liver\"")
            })?;
            if let Some(other) = labels.insert(value, label) {
                return Err(format!(
                    "labels: {value} stands twice, once as {other:?} and once with the key {key:?}; remove one of them"
                ));
            }
        }
        let training = match take("training") {
            Some(Json::Array(entries)) => entries.iter().map(training_case).collect::<Result<_, _>>()?,
            _ => return Err("training: expected a list of {image, label} entries".into()),
        };
        let test = match take("test") {
            None | Some(Json::Null) => Vec::new(),
            Some(Json::Array(entries)) => {
                let path = |e: &Json| e.as_str().or_else(|| e["image"].as_str()).map(str::to_owned);
                let all: Option<Vec<_>> = entries.iter().map(path).collect();
                all.ok_or("test: expected a list of file names")?
            }
            Some(_) => return Err("test: expected a list of file names".into()),
        };
        // Computed from the lists when the file is written.
        map.shift_remove("numTraining");
        map.shift_remove("numTest");
        Ok(Self {
            name,
            modality,
            labels,
            training,
            test,
            extra: map,
        })
    }

    /// Returns the file's content, in the order of nnU-Net's own script.
    pub fn to_json(&self) -> Json {
        let mut map = Map::new();
        map.insert("name".into(), json!(self.name));
        map.extend(self.extra.clone());
        map.insert("modality".into(), json!(self.modality));
        let labels = self
            .labels
            .iter()
            .map(|(value, name)| (value.to_string(), json!(name)));
        map.insert("labels".into(), Json::Object(labels.collect()));
        map.insert("numTraining".into(), json!(self.training.len()));
        map.insert("numTest".into(), json!(self.test.len()));
        let training = self.training.iter().map(TrainingCase::to_json);
        map.insert("training".into(), training.collect());
        map.insert("test".into(), json!(self.test));
        Json::Object(map)
    }

    /// Writes `dataset.json` atomically.
    ///
    /// # Errors
    /// [`Error::Storage`] naming the file.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        storage::write_atomic(path, |file| {
            serde_json::to_writer_pretty(&mut *file, &self.to_json())?;
            file.write_all(b"\n")
        })?;
        Ok(())
    }

    /// Returns the channel names by channel number.
    ///
    /// # Errors
    /// [`Error::Value`] unless the keys are 0, 1, 2, ... in any order.
    pub fn modalities(&self) -> Result<BTreeMap<usize, String>, Error> {
        let parsed = self
            .modality
            .iter()
            .map(|(k, v)| Some((k.trim().parse::<usize>().ok()?, v.clone())));
        let map: Option<BTreeMap<usize, String>> = parsed.collect();
        match map {
            Some(map)
                if !map.is_empty()
                    && map.len() == self.modality.len()
                    && map.keys().copied().eq(0..map.len()) =>
            {
                Ok(map)
            }
            _ => {
                let keys: Vec<_> = self.modality.keys().map(String::as_str).collect();
                let problem = match keys.is_empty() {
                    true => "modality is empty; expected entries such as \"0\": \"MRI\"".to_owned(),
                    false => format!("modality keys are {}; expected 0, 1, 2, ...", keys.join(", ")),
                };
                Err(Error::Value {
                    record: "dataset.json",
                    problem,
                })
            }
        }
    }

    /// Returns the cases of the training list whose name nnU-Net would misunderstand, with the reason: an image
    /// with its channel number, or a case whose files another case would overwrite.
    pub fn misnamed(&self) -> Vec<(&str, String)> {
        let names: BTreeSet<&str> = self.training.iter().map(|t| case_of(&t.image)).collect();
        let misnamed = self.training.iter().filter_map(|entry| {
            let name = case_of(&entry.image);
            let numbered = name.strip_prefix(entry.case.as_str()).is_some_and(is_channel);
            if numbered {
                let what = format!(
                    "image {} has a channel number; write it without, like its label {}",
                    entry.image, entry.label
                );
                return Some((name, what));
            }
            let other = name
                .strip_suffix(WEIGHTMAP)
                .filter(|other| names.contains(other))?;
            let what = format!(
                "the files of case {name} have the names of the weightmap of case {other}; rename it"
            );
            Some((name, what))
        });
        misnamed.collect()
    }

    /// Returns the names of the training cases in the order of the file. As in nnU-Net v1, the image names
    /// the case.
    pub fn cases(&self) -> Vec<String> {
        let names = self.training.iter().map(|t| case_of(&t.image).to_owned());
        names.collect()
    }
}

/// End of the name of a weightmap.
const WEIGHTMAP: &str = "_weightmap";

/// Whether the end of a name is a channel number, such as `_0000`.
fn is_channel(end: &str) -> bool {
    end.len() == 5 && end.starts_with('_') && end[1..].bytes().all(|b| b.is_ascii_digit())
}

/// Reads an object of strings. A list is read as an object with the keys 0, 1, 2, ...
fn named(value: Option<Json>, key: &str) -> Result<IndexMap<String, String>, String> {
    let bad = || format!("{key}: expected an object such as {{\"0\": \"name\"}}");
    let text = |v: &Json| v.as_str().map(str::to_owned).ok_or_else(bad);
    match value {
        Some(Json::Object(map)) => map.iter().map(|(k, v)| Ok((k.clone(), text(v)?))).collect(),
        Some(Json::Array(list)) => list
            .iter()
            .enumerate()
            .map(|(i, v)| Ok((i.to_string(), text(v)?)))
            .collect(),
        _ => Err(bad()),
    }
}

fn training_case(entry: &Json) -> Result<TrainingCase, String> {
    let present_labels = match &entry["presentLabels"] {
        Json::Null => None,
        labels => Some(
            serde_json::from_value(labels.clone())
                .map_err(|_| format!("training: presentLabels: expected a list of labels, got {labels}"))?,
        ),
    };
    match (entry["image"].as_str(), entry["label"].as_str()) {
        (Some(image), Some(label)) => Ok(TrainingCase {
            case: case_of(label).to_owned(),
            image: image.to_owned(),
            label: label.to_owned(),
            present_labels,
        }),
        _ => Err(format!("training: {entry} lacks image and label")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_entries_are_kept_in_order() {
        let source = json!({
            "name": "X", "description": "d", "tensorImageSize": "4D", "licence": "CC", "custom": { "a": [1, 2] },
            "modality": { "1": "T2", "0": "T1" }, "labels": { "0": "background", "2": "b", "-1": "unlabelled" },
            "numTraining": 2, "numTest": 1,
            "training": [
                { "image": "./imagesTr/c.nii.gz", "label": "./labelsTr/c.nii.gz" },
                { "image": "./imagesTr/d.nii.gz", "label": "./labelsTr/d.nii.gz", "presentLabels": [2] },
            ],
            "test": ["./imagesTs/t.nii.gz"],
        });
        let dataset = DatasetJson::from_json(source.clone()).unwrap();
        assert_eq!(dataset.to_json().to_string(), source.to_string());
        assert_eq!(dataset.cases(), ["c", "d"]);
        assert_eq!(
            dataset.modalities().unwrap(),
            BTreeMap::from([(0, "T1".into()), (1, "T2".into())])
        );
        assert_eq!(dataset.labels.keys().copied().collect::<Vec<_>>(), [0, 2, -1]);
    }

    #[test]
    fn invalid_entries_are_rejected_with_reason() {
        let error = |json: Json| DatasetJson::from_json(json).unwrap_err();
        assert!(error(json!({ "channel_names": {} })).contains("v2"));
        assert!(error(json!({ "modality": { "0": "CT" }, "labels": { "liver": "1" } })).contains("liver"));
        assert!(error(json!({ "modality": { "0": "CT" }, "labels": {} })).contains("training"));
        let twice = json!({ "modality": { "0": "CT" }, "labels": { "1": "a", "01": "b" }, "training": [] });
        assert!(error(twice).contains("1 stands twice"));
        let none = json!({ "modality": {}, "labels": {}, "training": [] });
        let none = DatasetJson::from_json(none).unwrap().modalities().unwrap_err();
        assert!(none.to_string().contains("modality is empty"), "{none}");
        let gap = json!({ "modality": { "0": "a", "2": "b" }, "labels": {}, "training": [] });
        assert!(DatasetJson::from_json(gap).unwrap().modalities().is_err());
    }

    #[test]
    fn misnamed_cases_are_found() {
        let entry = |image: &str, label: &str| json!({ "image": format!("./imagesTr/{image}.nii.gz"), "label": format!("./labelsTr/{label}.nii.gz") });
        let dataset = |entries: Json| {
            DatasetJson::from_json(json!({ "modality": { "0": "CT" }, "labels": {}, "training": entries }))
                .unwrap()
        };
        let wrong = dataset(json!([
            entry("a_0000", "a"),
            entry("b_weightmap", "b_weightmap"),
            entry("b", "b")
        ]));
        let found = wrong.misnamed();
        assert_eq!(
            found.iter().map(|(case, _)| *case).collect::<Vec<_>>(),
            ["a_0000", "b_weightmap"]
        );
        assert!(
            found[0].1.contains("channel number") && found[1].1.contains("case b;"),
            "{found:?}"
        );
        // These names are unusual, but clear.
        let right = [
            entry("p_0000", "p_0000"),
            entry("c_weightmap", "c_weightmap"),
            entry("ä ß.1", "ä ß.1"),
        ];
        assert_eq!(dataset(json!(right)).misnamed(), []);
    }

    #[test]
    fn labels_of_version_2_are_named() {
        let v2 = json!({ "modality": { "0": "CT" }, "labels": { "background": 0, "l": 1 }, "training": [] });
        let error = DatasetJson::from_json(v2).unwrap_err();
        assert!(
            error.contains("nnU-Net v2") && error.contains("convert"),
            "{error}"
        );
    }

    #[test]
    fn file_names_give_cases() {
        assert_eq!(case_of("./labelsTr/a.b_001.nii.gz"), "a.b_001");
        assert_eq!(case_of("a.nii"), "a");
    }
}
