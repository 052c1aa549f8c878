//! `plans.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dataset::text::read_json;
use serde_json::{Map, Value as Json};

use crate::record::{list, short, size, text, Record};
use crate::{Error, Reader, ResampleFunction, Scheme};

/// Plans of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Plans {
    /// The file.
    pub path: PathBuf,
    /// Name of the data set, such as `Dataset004_Hippocampus`.
    pub dataset_name: Option<String>,
    /// Name of the plans, such as `nnUNetPlans`.
    pub plans_name: String,
    /// Network axis `i` is image axis `transpose_forward[i]`.
    pub transpose_forward: [usize; 3],
    /// Image axis `i` is network axis `transpose_backward[i]`.
    pub transpose_backward: [usize; 3],
    /// Reader of the images and writer of the segmentations.
    pub reader: Reader,
    /// Foreground intensities of the training cases, by channel.
    pub intensities: BTreeMap<usize, IntensityProperties>,
    /// The `configurations` of the file, by name, as written.
    pub configurations: Map<String, Json>,
}

/// Foreground intensities of the training cases, of one channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IntensityProperties {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub std: f64,
    /// 0.5th percentile.
    pub percentile_00_5: f64,
    /// 99.5th percentile.
    pub percentile_99_5: f64,
}

/// A configuration of the plans, with what it inherits.
#[derive(Clone, Debug, PartialEq)]
pub struct Configuration {
    /// Name, such as `3d_fullres`.
    pub name: String,
    /// Size of a patch in voxels: (z, y, x), or (y, x) in 2D.
    pub patch_size: Vec<usize>,
    /// Spacing of the network's input in mm, in the network's axis order. Two values in 2D, where axis 0 keeps the
    /// spacing of the image.
    pub spacing: Vec<f64>,
    /// Normalisation of each channel.
    pub normalization: Vec<Scheme>,
    /// Whether the statistics of each channel are those of the voxels inside the non-zero mask.
    pub use_mask_for_norm: Vec<bool>,
    /// Resampling of the images.
    pub resample_data: ResampleFunction,
    /// Resampling of the segmentation of the previous stage.
    pub resample_segmentation: ResampleFunction,
    /// Resampling of the network's output to the grid of the image.
    pub resample_probabilities: ResampleFunction,
    /// The configuration whose segmentation is an additional input, in a cascade.
    pub previous_stage: Option<String>,
    /// `batch_dice`, if given.
    pub batch_dice: Option<bool>,
    /// The whole entry, with what it inherits. `architecture`, or the older keys from `UNet_class_name` on, describe the
    /// network.
    pub json: Map<String, Json>,
}

impl Configuration {
    /// Number of axes of the network: 2 or 3.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.patch_size.len()
    }

    /// Spacing of the network's input for a case of `spacing` (mm), both in the network's axis order.
    #[must_use]
    pub fn spacing_for(&self, spacing: [f64; 3]) -> [f64; 3] {
        match self.spacing[..] {
            [y, x] => [spacing[0], y, x],
            [z, y, x] => [z, y, x],
            _ => spacing,
        }
    }
}

impl Plans {
    /// Reads `plans.json`.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Record`] naming the entry; [`Error::Unsupported`] for an unknown reader or label
    /// manager.
    pub fn read(path: &Path) -> Result<Self, Error> {
        run::NotFound::unless_exists("plans", path, "copy plans.json of the model's training")?;
        Self::from_json(path, read_json(path)?)
    }

    /// Reads the content of `path`.
    ///
    /// # Errors
    /// As [`Plans::read`].
    pub fn from_json(path: &Path, json: Json) -> Result<Self, Error> {
        let record = Record::of(path, &json)?;
        if record.get("plans_per_stage").is_some() {
            return Err(Error::record(
                path,
                "these are plans of nnU-Net v1; expected those of v2",
            ));
        }
        let manager = record.optional("label_manager", "a class name", text)?;
        if let Some(other) = manager.filter(|name| name != "LabelManager") {
            return Err(Error::unsupported(path, "label_manager", other, "LabelManager"));
        }
        let configurations = record.required("configurations", "an object", Json::as_object)?;
        let transpose_forward = axes(record, "transpose_forward")?;
        let transpose_backward = axes(record, "transpose_backward")?;
        if (0..3).any(|axis| transpose_backward[transpose_forward[axis]] != axis) {
            let expected = format!("the inverse of transpose_forward {transpose_forward:?}");
            return Err(record.wrong(
                "transpose_backward",
                &expected,
                &format!("{transpose_backward:?}"),
            ));
        }
        let reader = record.required("image_reader_writer", "a class name", text)?;
        Ok(Self {
            path: path.to_owned(),
            dataset_name: record.optional("dataset_name", "a text", text)?,
            plans_name: record
                .optional("plans_name", "a text", text)?
                .unwrap_or_else(|| "nnUNetPlans".to_owned()),
            transpose_forward,
            transpose_backward,
            reader: Reader::parse(path, "image_reader_writer", &reader)?,
            intensities: intensities(record)?,
            configurations: configurations.clone(),
        })
    }

    /// Names of the configurations.
    #[must_use]
    pub fn configuration_names(&self) -> Vec<&str> {
        self.configurations.keys().map(String::as_str).collect()
    }

    /// A configuration with what it inherits.
    ///
    /// # Errors
    /// [`Error::Record`] if the plans do not have it, or an entry is missing or invalid; [`Error::Unsupported`] if it
    /// names an unknown preprocessor, normalisation or resampling.
    pub fn configuration(&self, name: &str) -> Result<Configuration, Error> {
        let json = self.resolved(name)?;
        let place = format!("configurations.{name}.");
        let record = Record {
            path: &self.path,
            place: &place,
            map: &json,
        };
        let preprocessor = record.optional("preprocessor_name", "a class name", text)?;
        if let Some(other) = preprocessor.filter(|name| name != "DefaultPreprocessor") {
            let what = format!("{place}preprocessor_name");
            return Err(Error::unsupported(
                &self.path,
                &what,
                other,
                "DefaultPreprocessor",
            ));
        }
        let number = |value: &Json| value.as_f64().filter(|v| *v > 0.0 && v.is_finite());
        let patch_size = record.required("patch_size", "two or three sizes", list(size))?;
        let spacing = record.required("spacing", "positive numbers", list(number))?;
        if !matches!(patch_size.len(), 2 | 3) || patch_size.contains(&0) {
            let found = format!("{patch_size:?}");
            return Err(record.wrong("patch_size", "two or three positive sizes", &found));
        }
        if spacing.len() != patch_size.len() {
            let expected = format!("{} numbers, as patch_size", patch_size.len());
            return Err(record.wrong("spacing", &expected, &format!("{spacing:?}")));
        }
        let names = record.required("normalization_schemes", "a list of class names", list(text))?;
        let use_mask = record.required(
            "use_mask_for_norm",
            "a list of true and false",
            list(Json::as_bool),
        )?;
        if use_mask.len() != names.len() {
            let expected = format!("{} values, one for each normalization scheme", names.len());
            return Err(record.wrong("use_mask_for_norm", &expected, &use_mask.len().to_string()));
        }
        let schemes = names
            .iter()
            .enumerate()
            .map(|(i, name)| Scheme::parse(&self.path, &place, name, i, self.intensities.get(&i)));
        Ok(Configuration {
            name: name.to_owned(),
            normalization: schemes.collect::<Result<_, _>>()?,
            use_mask_for_norm: use_mask,
            resample_data: ResampleFunction::read(record, "resampling_fn_data", false)?,
            resample_segmentation: ResampleFunction::read(record, "resampling_fn_seg", true)?,
            resample_probabilities: ResampleFunction::read(record, "resampling_fn_probabilities", false)?,
            previous_stage: record.optional("previous_stage", "the name of a configuration", text)?,
            batch_dice: record.optional("batch_dice", "true or false", Json::as_bool)?,
            patch_size,
            spacing,
            json,
        })
    }

    /// A configuration's entries over those of its `inherits_from`.
    fn resolved(&self, name: &str) -> Result<Map<String, Json>, Error> {
        let mut chain: Vec<(&str, &Map<String, Json>)> = Vec::new();
        let mut next = Some(name);
        while let Some(name) = next {
            if chain.iter().any(|(seen, _)| *seen == name) {
                let names: Vec<_> = chain.iter().map(|(name, _)| *name).collect();
                let problem = format!("configurations: {} inherit from each other", names.join(", "));
                return Err(Error::record(&self.path, problem));
            }
            let Some(entry) = self.configurations.get(name) else {
                let known = self.configuration_names().join(", ");
                let problem = format!("configurations: there is no \"{name}\"; the plans have {known}");
                return Err(Error::record(&self.path, problem));
            };
            let Json::Object(entry) = entry else {
                let problem = format!(
                    "configurations.{name}: expected an object, found {}",
                    short(entry)
                );
                return Err(Error::record(&self.path, problem));
            };
            chain.push((name, entry));
            next = match entry.get("inherits_from") {
                None | Some(Json::Null) => None,
                Some(Json::String(parent)) => Some(parent),
                Some(other) => {
                    let problem = format!(
                        "configurations.{name}.inherits_from: expected the name of a configuration, found {}",
                        short(other)
                    );
                    return Err(Error::record(&self.path, problem));
                }
            };
        }
        let mut merged = Map::new();
        for (_, entry) in chain.into_iter().rev() {
            merged.extend(entry.clone());
        }
        Ok(merged)
    }
}

fn axes(record: Record<'_>, key: &str) -> Result<[usize; 3], Error> {
    let expected = "a permutation of 0, 1 and 2";
    let permutation = |value: &Json| {
        let axes: [usize; 3] = list(size)(value)?.try_into().ok()?;
        (0..3).all(|axis| axes.contains(&axis)).then_some(axes)
    };
    record.required(key, expected, permutation)
}

fn intensities(record: Record<'_>) -> Result<BTreeMap<usize, IntensityProperties>, Error> {
    let keys = [
        "foreground_intensity_properties_per_channel",
        "foreground_intensity_properties_by_modality",
    ];
    let key = keys
        .into_iter()
        .find(|key| record.get(key).is_some())
        .unwrap_or(keys[0]);
    let mut all = BTreeMap::new();
    let Some(channels) = record.optional(key, "an object with the channel numbers", Json::as_object)? else {
        return Ok(all);
    };
    for (channel, value) in channels {
        let index = channel.parse().ok();
        let index = index.ok_or_else(|| record.wrong(key, "channel numbers", &format!("{channel:?}")))?;
        let place = format!("{key}.{channel}.");
        let map = value.as_object();
        let entry = Record {
            place: &place,
            map: map.ok_or_else(|| record.wrong(key, "an object for each channel", &short(value)))?,
            ..record
        };
        let number = |name: &str| entry.required(name, "a number", Json::as_f64);
        all.insert(
            index,
            IntensityProperties {
                mean: number("mean")?,
                std: number("std")?,
                percentile_00_5: number("percentile_00_5")?,
                percentile_99_5: number("percentile_99_5")?,
            },
        );
    }
    Ok(all)
}
