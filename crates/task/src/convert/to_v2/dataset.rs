//! Raw tasks.

use std::path::Path;

use dataset::{DatasetJson, Task};
use run::{Context, Outcome};
use serde_json::{Map, Value as Json};
use volume::UNLABELLED;

use super::{name, parent, write_json};
use crate::convert::source::{Relabel, Source};
use crate::convert::{refuse_existing, write, ConvertOptions, ConvertSummary};
use crate::Error;

/// Channel names that nnU-Net v2 does not normalise with the case's mean and deviation.
const OTHERWISE_NORMALISED: [&str; 4] = ["ct", "nonorm", "rescale_to_0_1", "rgb_to_0_1"];

/// Converts a raw task to a data set of nnU-Net v2. `dataset.json` is written last.
pub(super) fn convert(options: &ConvertOptions, context: &Context) -> Result<ConvertSummary, Error> {
    let mut source = Source::task(&options.source)?;
    let path = options.source.join("dataset.json");
    let highest = consecutive(&path, &source.dataset)?;
    let of_source = options.source.file_name().map(|name| name.to_string_lossy());
    let of_source = of_source.filter(|name| Task::from_name(name).is_ok());
    let name = name(options, of_source.map(|name| name.into_owned()))?;
    let folder = parent(options)?.join(&name);
    refuse_existing(options, &folder, "dataset.json")?;
    warn_of_normalisation(&source.dataset, context);
    let ignore = highest + 1;
    source.relabel = Some(Relabel {
        from: UNLABELLED,
        to: ignore,
    });
    let Outcome { results, failures } = write::write_cases(&source, options, &folder, context)?;
    let converted: Vec<_> = source
        .jobs
        .iter()
        .zip(results)
        .filter_map(|(job, done)| Some((job, done?)))
        .collect();
    let sparse = converted.iter().any(|(_, unlabelled)| *unlabelled);
    let training = converted.iter().filter(|(job, _)| !job.test).count();
    let json = description(&source.dataset, training, sparse.then_some(ignore));
    write_json(&folder.join("dataset.json"), &json)?;
    Ok(ConvertSummary {
        convention: source.convention,
        task: name,
        folder,
        training,
        test: converted.len() - training,
        ignore_label: sparse.then_some(ignore),
        folds: Vec::new(),
        failures,
    })
}

/// The highest label, if labels are 0, 1, 2, … as nnU-Net v2 requires. -1 is not counted.
fn consecutive(path: &Path, dataset: &DatasetJson) -> Result<i16, Error> {
    let mut labels: Vec<i64> = dataset
        .labels
        .keys()
        .copied()
        .filter(|&label| label >= 0)
        .collect();
    labels.sort_unstable();
    let highest = labels.len() as i64 - 1;
    match labels.iter().copied().eq(0..=highest) {
        true if (0..i64::from(i16::MAX)).contains(&highest) => Ok(highest as i16),
        _ => Err(Error::Unsupported {
            path: path.to_owned(),
            problem: format!("the labels are {labels:?}; nnU-Net v2 requires 0, 1, 2, … without gaps"),
        }),
    }
}

/// `dataset.json` of nnU-Net v2.
fn description(dataset: &DatasetJson, training: usize, ignore: Option<i16>) -> Json {
    let channels: Map<String, Json> = dataset
        .modality
        .iter()
        .map(|(channel, name)| (channel.clone(), name.as_str().into()))
        .collect();
    let mut labels = Map::new();
    for (&label, name) in dataset.labels.iter().filter(|(&label, _)| label >= 0) {
        // v2 knows the two by their names.
        let name = match (label, name.as_str()) {
            (0, _) => "background".to_owned(),
            (_, "background" | "ignore") => format!("{name}_{label}"),
            (_, name) if labels.contains_key(name) => format!("{name}_{label}"),
            (_, name) => name.to_owned(),
        };
        labels.insert(name, label.into());
    }
    if let Some(ignore) = ignore {
        labels.insert("ignore".to_owned(), ignore.into());
    }
    let mut json = Map::new();
    json.insert("name".to_owned(), dataset.name.as_str().into());
    json.insert("channel_names".to_owned(), channels.into());
    json.insert("labels".to_owned(), labels.into());
    json.insert("numTraining".to_owned(), training.into());
    json.insert("file_ending".to_owned(), ".nii.gz".into());
    // Lists of files of v1 mean something else to v2.
    let of_v1 = [
        "numTraining",
        "numTest",
        "tensorImageSize",
        "dataset",
        "file_ending",
    ];
    for (key, value) in dataset
        .extra
        .iter()
        .filter(|(key, _)| !of_v1.contains(&key.as_str()))
    {
        json.entry(key.clone()).or_insert_with(|| value.clone());
    }
    Json::Object(json)
}

/// Warns of channels that nnU-Net v2 normalises differently by their names.
fn warn_of_normalisation(dataset: &DatasetJson, context: &Context) {
    for (channel, name) in &dataset.modality {
        let lower = name.to_lowercase();
        let same = matches!(name.as_str(), "CT" | "ct" | "noNorm");
        if OTHERWISE_NORMALISED.contains(&lower.as_str()) && !same {
            let message = format!(
                "channel {channel} is {name:?}: nnU-Net v1 z-scores it, but v2 normalises it as {lower}; rename the channel"
            );
            context.warn("WARN_NORMALIZATION", message, None);
        }
    }
}
