//! `dataset.json` of a model folder.

use std::path::Path;

use dataset::text::read_json;
use serde_json::Value as Json;

use crate::record::{short, text, Record};
use crate::{Error, FileEnding, Labels};

/// Content of v2's `dataset.json` that prediction needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Names of the input channels, in the order of the channel numbers.
    pub channel_names: Vec<String>,
    /// Labels and regions.
    pub labels: Labels,
    /// End of the names of images and segmentations.
    pub file_ending: FileEnding,
    /// `numTraining`, if given.
    pub num_training: Option<i64>,
    /// The whole file.
    pub json: Json,
}

impl Dataset {
    /// Reads `dataset.json`.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Record`] naming the entry; [`Error::Unsupported`] for another file ending than
    /// those of NIfTI.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let advice = "copy dataset.json of the model's training beside plans.json";
        run::NotFound::unless_exists("description of the data set", path, advice)?;
        Self::from_json(path, read_json(path)?)
    }

    /// Reads the content of `path`.
    ///
    /// # Errors
    /// As [`Dataset::read`].
    pub fn from_json(path: &Path, json: Json) -> Result<Self, Error> {
        let record = Record::of(path, &json)?;
        let ending = record.required("file_ending", "a text such as \".nii.gz\"", text)?;
        Ok(Self {
            channel_names: channel_names(record)?,
            labels: Labels::read(record)?,
            file_ending: FileEnding::parse(path, &ending)?,
            num_training: record.get("numTraining").and_then(Json::as_i64),
            json,
        })
    }
}

/// `channel_names`, or `modality` as older files call it.
fn channel_names(record: Record<'_>) -> Result<Vec<String>, Error> {
    let key = match record.get("channel_names") {
        None if record.get("modality").is_some() => "modality",
        _ => "channel_names",
    };
    let expected = "an object such as {\"0\": \"CT\"} with the keys 0, 1, 2, …";
    let map = record.required(key, expected, Json::as_object)?;
    let name = |index: usize| map.get(&index.to_string()).and_then(text);
    let names: Option<Vec<String>> = (0..map.len()).map(name).collect();
    names
        .filter(|names| !names.is_empty())
        .ok_or_else(|| record.wrong(key, expected, &record.get(key).map_or_else(String::new, short)))
}
