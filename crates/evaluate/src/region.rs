//! Regions for evaluation and postprocessing: a label, or a union of labels.

use serde::{Deserialize, Serialize};

/// A label or a union of labels. In JSON: `1`, `[1, 2]`, or `{ "name": "whole tumour", "labels": [1, 2] }`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Region {
    /// One label.
    Label(i16),
    /// The union of several labels.
    Union(Vec<i16>),
    /// A named union of one or more labels.
    Named {
        /// Key of the region in results.
        name: String,
        /// Labels of the region.
        labels: Vec<i16>,
    },
}

impl Region {
    /// Returns the labels of the region.
    pub fn labels(&self) -> &[i16] {
        match self {
            Self::Label(label) => std::slice::from_ref(label),
            Self::Union(labels) | Self::Named { labels, .. } => labels,
        }
    }

    /// Whether a voxel with this value belongs to the region.
    pub fn contains(&self, value: i16) -> bool {
        self.labels().contains(&value)
    }

    /// Returns the key in result files, in Python's notation: `1`, `(1, 2)`, `(1,)`, or the name.
    pub fn key(&self) -> String {
        match self {
            Self::Label(label) => label.to_string(),
            Self::Named { name, .. } => name.clone(),
            Self::Union(labels) => match labels.as_slice() {
                [one] => format!("({one},)"),
                labels => {
                    let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
                    format!("({})", labels.join(", "))
                }
            },
        }
    }
}
