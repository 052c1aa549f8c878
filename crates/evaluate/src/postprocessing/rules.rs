//! nnU-Net's `postprocessing.json`.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use components::Connectivity;
use ndarray::{Array3, ArrayViewMut3};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;
use volume::Geometry;

use crate::summary::{read_python_json, Python};
use crate::{Error, Region};

use super::{largest::remove_components, v2, Removal};

/// Postprocessing of predictions, and the scores on which it is based.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// Mean Dice by label, with all foreground postprocessed as one region.
    #[serde(default)]
    pub dc_per_class_pp_all: BTreeMap<String, Option<f64>>,
    /// Mean Dice by label, with each label also postprocessed separately. Empty for a single label.
    #[serde(default)]
    pub dc_per_class_pp_per_class: BTreeMap<String, Option<f64>>,
    /// Mean Dice by label before postprocessing.
    #[serde(default)]
    pub dc_per_class_raw: BTreeMap<String, Option<f64>>,
    /// Regions that keep only their largest component, in this order.
    pub for_which_classes: Vec<Region>,
    /// Volume (mm³) below which components are removed, by region. `None` removes all but the largest. The
    /// file stores a Python literal as text.
    #[serde(
        rename = "min_valid_object_sizes",
        default,
        serialize_with = "write_literal",
        deserialize_with = "read_literal"
    )]
    pub minimum_sizes: Option<Vec<(Region, f64)>>,
    /// Whether components are also connected by edges and corners, as in nnU-Net v2. nnU-Net v1 does not have this entry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full_connectivity: bool,
    /// Number of validation cases.
    #[serde(default)]
    pub num_samples: u64,
    /// Folder of the postprocessed validation cases.
    #[serde(default)]
    pub validation_final: String,
    /// Folder of the validation cases.
    #[serde(default)]
    pub validation_raw: String,
}

impl Rules {
    /// Applies the postprocessing to labels (z, y, x), in place.
    ///
    /// # Errors
    /// [`Error::Background`], [`Error::MinimumSize`], [`Error::Components`].
    pub fn apply(&self, labels: ArrayViewMut3<'_, i16>, geometry: &Geometry) -> Result<Vec<Removal>, Error> {
        // The order of nnU-Net's product (x, y, z) gives the same volumes to the last digit.
        let [z, y, x] = geometry.spacing;
        remove_components(
            labels,
            Some(&self.for_which_classes),
            x * y * z,
            self.minimum_sizes.as_deref(),
            match self.full_connectivity {
                true => Connectivity::Full,
                false => Connectivity::Face,
            },
        )
    }

    /// The labels of each region, in order.
    pub fn label_lists(&self) -> Vec<Vec<i16>> {
        let regions = self.for_which_classes.iter();
        regions.map(|region| region.labels().to_vec()).collect()
    }

    /// Checks that the rules can be applied.
    ///
    /// # Errors
    /// [`Error::Background`], [`Error::MinimumSize`].
    pub fn check(&self) -> Result<(), Error> {
        let mut one = Array3::zeros((1, 1, 1));
        self.apply(one.view_mut(), &Geometry::default()).map(drop)
    }
}

/// Writes sizes in the notation of Python's `str` of a dictionary.
fn write_literal<S: Serializer>(
    sizes: &Option<Vec<(Region, f64)>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match sizes {
        None => serializer.serialize_str("None"),
        Some(sizes) => {
            let entries: Vec<String> = sizes
                .iter()
                .map(|(region, size)| format!("{}: {size:?}", region.key()))
                .collect();
            serializer.serialize_str(&format!("{{{}}}", entries.join(", ")))
        }
    }
}

fn read_literal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<(Region, f64)>>, D::Error> {
    parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// Reads a `postprocessing.json` of nnU-Net v1 or v2, or v2's `postprocessing.pkl`.
///
/// # Errors
/// [`Error::Postprocessing`].
pub fn read_rules(path: &Path) -> Result<Rules, Error> {
    let problem = |problem: String| Error::Postprocessing {
        path: path.to_owned(),
        problem,
    };
    if path.extension().is_some_and(|extension| extension == "pkl") {
        return v2::read_pickle(path).map_err(problem);
    }
    let json: Json = read_python_json(path).map_err(problem)?;
    match v2::is_v2(&json) {
        true => v2::rules_of(&json).map_err(problem),
        false => serde_json::from_value(json).map_err(|error| problem(error.to_string())),
    }
}

/// Writes a `postprocessing.json`. An existing file is replaced atomically.
///
/// # Errors
/// [`Error::Storage`].
pub fn write_rules(path: &Path, rules: &Rules) -> Result<(), Error> {
    storage::write_atomic(path, |file| {
        rules
            .serialize(&mut serde_json::Serializer::with_formatter(
                file,
                Python::new(false),
            ))
            .map_err(io::Error::from)
    })?;
    Ok(())
}

/// Parses `None`, `{}` or `{(1, 2): 990.0, 2: 450.0}`.
fn parse(text: &str) -> Result<Option<Vec<(Region, f64)>>, String> {
    let text = text.trim();
    if text == "None" {
        return Ok(None);
    }
    let unexpected =
        || format!("min_valid_object_sizes is '{text}', expected None or a dictionary of numbers");
    let mut rest = text
        .strip_prefix('{')
        .and_then(|t| t.strip_suffix('}'))
        .ok_or_else(unexpected)?
        .trim();
    let mut sizes = Vec::new();
    let integer = |text: &str| text.trim().parse::<i16>().map_err(|_| unexpected());
    while !rest.is_empty() {
        let (region, after) = if let Some(tuple) = rest.strip_prefix('(') {
            let (labels, after) = tuple.split_once(')').ok_or_else(unexpected)?;
            let labels = labels.split(',').filter(|l| !l.trim().is_empty()).map(integer);
            (Region::Union(labels.collect::<Result<_, _>>()?), after)
        } else {
            let end = rest.find(':').ok_or_else(unexpected)?;
            (Region::Label(integer(&rest[..end])?), &rest[end..])
        };
        let after = after.trim_start().strip_prefix(':').ok_or_else(unexpected)?;
        let (size, after) = after.split_once(',').unwrap_or((after, ""));
        // numpy 2 prints its scalars as np.float64(1.5).
        let size = size.trim();
        let size = size
            .strip_prefix("np.float64(")
            .and_then(|s| s.strip_suffix(')'))
            .unwrap_or(size);
        sizes.push((region, size.parse().map_err(|_| unexpected())?));
        rest = after.trim_start();
    }
    Ok(Some(sizes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_literals_are_parsed() {
        let both = vec![
            (Region::Union(vec![1, 2]), 990.000_039_339_065_6),
            (Region::Label(2), 450.0),
        ];
        let text = "{(1, 2): 990.0000393390656, 2: 450.0}";
        assert_eq!(parse(text).unwrap().unwrap(), both);
        for (sizes, text) in [
            (Some(both), text),
            (Some(vec![(Region::Union(vec![1]), 2.5)]), "{(1,): 2.5}"),
            (Some(vec![]), "{}"),
            (None, "None"),
        ] {
            let rules = Rules {
                minimum_sizes: sizes,
                ..Rules::default()
            };
            let json = serde_json::to_value(&rules).unwrap();
            assert_eq!(json["min_valid_object_sizes"], text);
            assert_eq!(serde_json::from_value::<Rules>(json).unwrap(), rules);
        }
        assert_eq!(
            parse("{3: np.float64(1.5)}").unwrap().unwrap(),
            [(Region::Label(3), 1.5)]
        );
        for bad in ["", "{1}", "{(1: 2}", "{1: x}", "__import__('os')"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
