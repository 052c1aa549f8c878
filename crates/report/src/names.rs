//! Names of labels.

use std::collections::BTreeMap;
use std::path::Path;

use dataset::DatasetJson;

/// Names of labels, from the nearest `dataset.json`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Names {
    labels: BTreeMap<i64, String>,
    /// Whether the first channel is CT, if it is known.
    pub ct: Option<bool>,
}

impl Names {
    /// Names from the first folder that has a readable `dataset.json`. Without one, a label is named by its number.
    pub fn find<'a>(folders: impl IntoIterator<Item = &'a Path>) -> Self {
        let read = |folder: &Path| DatasetJson::read(&folder.join("dataset.json")).ok();
        folders
            .into_iter()
            .find_map(read)
            .map_or_else(Self::default, |dataset| Self::of(&dataset))
    }

    /// Names of a task.
    pub fn of(dataset: &DatasetJson) -> Self {
        let first = dataset.modality.get("0");
        Self {
            labels: dataset
                .labels
                .iter()
                .map(|(value, name)| (*value, name.clone()))
                .collect(),
            ct: first.map(|name| name.eq_ignore_ascii_case("ct")),
        }
    }

    /// Name of a label.
    pub fn label(&self, value: i64) -> String {
        self.labels
            .get(&value)
            .cloned()
            .unwrap_or_else(|| format!("label {value}"))
    }

    /// Name of a region of scores: of a label, or as it is.
    pub fn region(&self, key: &str) -> String {
        key.parse()
            .map_or_else(|_| key.to_owned(), |value| self.label(value))
    }
}
