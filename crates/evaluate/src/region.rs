//! What is evaluated or postprocessed as one thing: a label, or several together.

use serde::{Deserialize, Serialize};

/// A label, or the union of several. In JSON: `1`, `[1, 2]`, or `{ "name": "whole tumour", "labels": [1, 2] }`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Region {
    /// One label.
    Label(i16),
    /// The union of several labels.
    Union(Vec<i16>),
    /// The union of one or several labels under a name.
    Named {
        /// Its key in results.
        name: String,
        /// The labels.
        labels: Vec<i16>,
    },
}

impl Region {
    /// The labels.
    pub fn labels(&self) -> &[i16] {
        match self {
            Self::Label(label) => std::slice::from_ref(label),
            Self::Union(labels) | Self::Named { labels, .. } => labels,
        }
    }

    /// Whether a voxel of this value is part of the region.
    pub fn contains(&self, value: i16) -> bool {
        self.labels().contains(&value)
    }

    /// Key in result files, as Python writes it: `1`, `(1, 2)`, `(1,)`, or the name.
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
