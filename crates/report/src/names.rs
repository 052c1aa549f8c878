//! Names of labels and channels.

use std::collections::BTreeMap;
use std::path::Path;

use dataset::{DatasetJson, Plans};

/// Names of labels and channels, from the nearest `dataset.json`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Names {
    labels: BTreeMap<i64, String>,
    /// Modality by number of the channel.
    channels: BTreeMap<usize, String>,
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
        Self {
            labels: dataset
                .labels
                .iter()
                .map(|(value, name)| (*value, name.clone()))
                .collect(),
            // Others than numbers are a finding of the check.
            channels: dataset.modalities().unwrap_or_default(),
        }
    }

    /// With the channels of plans, if no `dataset.json` names them.
    pub fn or_channels(mut self, plans: Option<&Plans>) -> Self {
        if let (true, Some(plans)) = (self.channels.is_empty(), plans) {
            self.channels.clone_from(&plans.modalities);
        }
        self
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

    /// Name of a channel: its modality, with its number if several have the same one. `alone` is whether the image has
    /// no other.
    pub fn channel(&self, number: usize, alone: bool) -> String {
        let Some(name) = self.channels.get(&number) else {
            return match alone {
                true => "Image".to_owned(),
                false => format!("Channel {number}"),
            };
        };
        match self.channels.values().filter(|other| *other == name).count() {
            1 => name.clone(),
            _ => format!("{name} ({number})"),
        }
    }

    /// Whether a channel is CT, if it is known.
    pub fn is_ct(&self, number: usize) -> Option<bool> {
        let name = self.channels.get(&number)?;
        Some(name.eq_ignore_ascii_case("ct"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_named_by_their_modality() {
        let names = |entries: &[(usize, &str)]| Names {
            channels: entries.iter().map(|(n, name)| (*n, (*name).to_owned())).collect(),
            ..Names::default()
        };
        let all = |names: &Names| [0, 1, 2].map(|number| names.channel(number, false));
        let two = names(&[(0, "CT"), (1, "PET")]);
        assert_eq!(all(&two), ["CT", "PET", "Channel 2"]);
        assert_eq!(
            (two.channel(0, true), names(&[]).channel(0, true)),
            ("CT".into(), "Image".into())
        );
        let same = names(&[(0, "MRI"), (1, "MRI"), (2, "ct")]);
        assert_eq!(all(&same), ["MRI (0)", "MRI (1)", "ct"]);
        assert_eq!(
            [0, 2, 3].map(|number| same.is_ct(number)),
            [Some(false), Some(true), None]
        );
    }
}
