//! Labels and regions of `dataset.json`: v2's `LabelManager`.

use std::collections::BTreeSet;

use resample::Decision;
use serde_json::Value as Json;

use crate::record::{list, short, whole, Record};
use crate::Error;

/// Labels of a model. With regions, each channel of the network is a region and has a sigmoid; otherwise each channel
/// is a label, and all channels have a softmax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// Name and labels of each entry, in the order of the file, without `ignore`. A single label has one element.
    pub entries: Vec<(String, Vec<i64>)>,
    /// Every label in ascending order, with the background, without the ignore label.
    pub all: Vec<i64>,
    /// Label of voxels without annotation. It is never predicted.
    pub ignore: Option<i64>,
    /// With regions: the value that each region is written as, in the order of the channels. Later ones overwrite
    /// earlier ones.
    pub regions_class_order: Option<Vec<i16>>,
}

impl Labels {
    pub(crate) fn read(record: Record<'_>) -> Result<Self, Error> {
        let expected = "an object such as {\"background\": 0, \"tumour\": 1}";
        let labels = record.required("labels", expected, Json::as_object)?;
        let at = Record {
            place: "labels.",
            map: labels,
            ..record
        };
        let (mut entries, mut regions, mut ignore) = (Vec::new(), false, None);
        for (name, value) in labels {
            if name == "ignore" {
                let label = whole(value);
                ignore = Some(label.ok_or_else(|| at.wrong(name, "one whole number", &short(value)))?);
                continue;
            }
            let values = match value {
                Json::Array(_) => list(whole)(value),
                one => whole(one).map(|label| vec![label]),
            };
            let values = values.filter(|values| !values.is_empty());
            let expected = "a whole number, or a list of them for a region";
            let values = values.ok_or_else(|| at.wrong(name, expected, &short(value)))?;
            regions |= values.len() > 1;
            entries.push((name.clone(), values));
        }
        match entries.iter().find(|(name, _)| name == "background") {
            Some((_, values)) if values == &[0] => {}
            Some((name, values)) => return Err(at.wrong(name, "0", &format!("{values:?}"))),
            None => return Err(at.wrong("background", "0", "nothing")),
        }
        let all: BTreeSet<i64> = entries.iter().flat_map(|(_, values)| values).copied().collect();
        let all: Vec<i64> = all.into_iter().collect();
        let highest = all.last().copied().unwrap_or_default();
        if let Some(label) = ignore.filter(|&label| label != highest + 1) {
            let expected = format!("{}, the highest label plus 1", highest + 1);
            return Err(at.wrong("ignore", &expected, &label.to_string()));
        }
        let labels = Self {
            regions_class_order: regions.then(|| class_order(record, &entries)).transpose()?,
            entries,
            all,
            ignore,
        };
        Ok(labels)
    }

    /// Number of channels of the network's output.
    #[must_use]
    pub fn heads(&self) -> usize {
        self.regions_class_order.as_ref().map_or(self.all.len(), Vec::len)
    }

    /// Labels other than the background, in ascending order. The second stage of a cascade has a channel for each.
    #[must_use]
    pub fn foreground(&self) -> Vec<i64> {
        self.all.iter().copied().filter(|&label| label != 0).collect()
    }

    /// Name of each channel of the network's output.
    #[must_use]
    pub fn channel_names(&self) -> Vec<String> {
        match &self.regions_class_order {
            Some(_) => self.regions().map(|(name, _)| name.clone()).collect(),
            None => {
                let name_of = |label: &i64| {
                    let entry = self.entries.iter().find(|(_, values)| values == &[*label]);
                    entry.map_or_else(|| label.to_string(), |(name, _)| name.clone())
                };
                self.all.iter().map(name_of).collect()
            }
        }
    }

    /// Conversion of logits to labels. As in v2, a label is written as the index of its channel.
    pub(crate) fn decision_of_logits(&self) -> Decision {
        match &self.regions_class_order {
            // The sigmoid exceeds one half where its argument exceeds 0; in float32, a little more.
            Some(classes) => Decision::Regions {
                classes: classes.clone(),
                threshold: f32::EPSILON,
            },
            None => Decision::Argmax,
        }
    }

    /// Conversion of probabilities to labels.
    #[must_use]
    pub fn decision_of_probabilities(&self) -> Decision {
        self.regions_class_order
            .clone()
            .map_or(Decision::Argmax, Decision::regions)
    }

    fn regions(&self) -> impl Iterator<Item = &(String, Vec<i64>)> {
        foreground(&self.entries)
    }
}

/// Entries that are not background only.
fn foreground(entries: &[(String, Vec<i64>)]) -> impl Iterator<Item = &(String, Vec<i64>)> {
    entries
        .iter()
        .filter(|(_, values)| values.iter().any(|&label| label != 0))
}

fn class_order(record: Record<'_>, entries: &[(String, Vec<i64>)]) -> Result<Vec<i16>, Error> {
    let key = "regions_class_order";
    let regions = foreground(entries).count();
    let expected = format!("a list of {regions} labels from 0 to 32767, one for each region");
    let class = |value: &Json| i16::try_from(whole(value)?).ok().filter(|class| *class >= 0);
    let order = record.required(key, &expected, list(class))?;
    if order.len() != regions {
        return Err(record.wrong(key, &expected, &format!("{order:?}")));
    }
    Ok(order)
}
