//! Source datasets, as lists of files to write.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dataset::files::{nifti_files, ImageFolder};
use dataset::{case_of, DatasetJson, Task};
use indexmap::IndexMap;
use run::NotFound;
use serde_json::{Map, Value as Json};
use volume::UNLABELLED;

use crate::Error;

/// Convention of a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Convention {
    /// nnU-Net v2: `Dataset###_NAME`.
    NnunetV2,
    /// Medical Segmentation Decathlon: `Task##_NAME` with all channels of a case in one file.
    Decathlon,
    /// Raw task of nnU-Net v1: `Task###_NAME`.
    NnunetV1,
    /// Trained model of nnU-Net v1: a folder with `plans.pkl` and folds.
    NnunetV1Model,
}

/// Image files of a case.
#[derive(Clone, Debug)]
pub(super) enum Images {
    /// One file per channel, by the channel number in the file name.
    Channels(BTreeMap<usize, PathBuf>),
    /// One file per channel, in the order of the dataset's own list.
    Listed(Vec<PathBuf>),
    /// One file with one volume per channel.
    Volumes(PathBuf),
}

/// A label value and its new value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Relabel {
    pub(super) from: i16,
    pub(super) to: i16,
}

/// A case to convert.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) case: String,
    pub(super) images: Images,
    pub(super) label: Option<PathBuf>,
    pub(super) test: bool,
}

/// A dataset to convert.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) convention: Convention,
    /// Content of `dataset.json` without the lists of cases.
    pub(super) dataset: DatasetJson,
    /// A label value that becomes another one, such as that of unlabelled voxels.
    pub(super) relabel: Option<Relabel>,
    pub(super) jobs: Vec<Job>,
    pub(super) warnings: Vec<String>,
}

/// Returns the task name of nnU-Net v1 for a folder such as `Dataset027_ACDC` or `Task04_Hippocampus`.
pub(super) fn task_name(folder: &Path) -> Result<Task, Error> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let bare = name.strip_prefix("Dataset").or_else(|| name.strip_prefix("Task"));
    let parts = bare
        .and_then(|n| n.split_once('_'))
        .and_then(|(id, rest)| Some((id.parse::<u32>().ok()?, rest)));
    match parts {
        Some((id, rest)) => Ok(Task::from_name(&format!("Task{id:03}_{rest}"))?),
        None => Err(dataset::Error::TaskName {
            found: name.into_owned(),
        }
        .into()),
    }
}

impl Source {
    pub(super) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("dataset.json");
        let advice = "name the folder of a data set of nnU-Net v2 or of the Medical Decathlon";
        NotFound::unless_exists("description of the data set", &path, advice)
            .map_err(dataset::Error::from)?;
        let json: Json = dataset::text::read_json(&path)?;
        let source = if json.get("channel_names").is_some() {
            Self::v2(folder, &path, &json)?
        } else {
            Self::decathlon(folder, &path)?
        };
        source.checked(&path)
    }

    /// A raw task of nnU-Net v1.
    pub(super) fn task(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("dataset.json");
        let dataset = DatasetJson::read(&path)?;
        let mut jobs = channel_jobs(folder, "Tr", false)?;
        if folder.join("imagesTs").is_dir() {
            jobs.extend(channel_jobs(folder, "Ts", true)?);
        }
        // nnU-Net v1 trains with the listed cases only.
        let listed: BTreeSet<&str> = dataset
            .training
            .iter()
            .map(|entry| case_of(&entry.image))
            .collect();
        jobs.retain(|job| job.test || listed.contains(job.case.as_str()));
        let found: BTreeSet<&str> = jobs
            .iter()
            .filter(|job| !job.test)
            .map(|job| job.case.as_str())
            .collect();
        let missing: Vec<Job> = listed
            .difference(&found)
            .map(|case| Job {
                case: (*case).to_owned(),
                images: Images::Channels(BTreeMap::new()),
                label: None,
                test: false,
            })
            .collect();
        jobs.extend(missing);
        let source = Self {
            convention: Convention::NnunetV1,
            dataset,
            relabel: None,
            jobs,
            warnings: Vec::new(),
        };
        source.checked(&path)
    }

    /// The source, if it has cases and valid names.
    fn checked(self, path: &Path) -> Result<Self, Error> {
        let source = self;
        if source.jobs.is_empty() {
            let problem =
                "no case to convert: dataset.json lists none, and imagesTr has no file <case>_0000.nii.gz";
            return Err(Error::record(path, problem));
        }
        if let Some(job) = source.jobs.iter().find(|job| !is_file_name(&job.case)) {
            let problem = format!(
                "{:?} is not the name of a case, but a path; rename the case",
                job.case
            );
            return Err(Error::record(path, problem));
        }
        match source.dataset.modalities() {
            Ok(_) => Ok(source),
            // This error does not name the file.
            Err(dataset::Error::Value { problem, .. }) => Err(Error::record(path, problem)),
            Err(other) => Err(other.into()),
        }
    }

    fn v2(folder: &Path, path: &Path, json: &Json) -> Result<Self, Error> {
        let record = |problem: &str| Error::record(path, problem);
        let unsupported = |problem: String| Error::Unsupported {
            path: path.to_owned(),
            problem,
        };
        let ending = json["file_ending"].as_str().unwrap_or(".nii.gz");
        if !matches!(ending, ".nii.gz" | ".nii") {
            return Err(unsupported(format!(
                "file_ending is {ending:?}, expected \".nii.gz\" or \".nii\": nnU-Net v1 reads NIfTI only; convert the images first"
            )));
        }
        let channels = json["channel_names"]
            .as_object()
            .ok_or_else(|| record("channel_names: expected an object such as {\"0\": \"CT\"}"))?;
        let mut modality = IndexMap::new();
        let mut warnings = Vec::new();
        for (key, name) in channels {
            let name = name
                .as_str()
                .ok_or_else(|| record("channel_names has values that are not strings"))?;
            if ["nonorm", "rescale_to_0_1", "rgb_to_0_1"].contains(&name.to_ascii_lowercase().as_str()) {
                let message = format!(
                    "channel {key} is {name:?}: nnU-Net v1 has no such normalisation and will z-score it"
                );
                warnings.push(message);
            }
            modality.insert(key.clone(), name.to_owned());
        }
        let mut labels = IndexMap::new();
        let mut ignore = None;
        for (name, value) in json["labels"]
            .as_object()
            .ok_or_else(|| record("labels: expected an object such as {\"background\": 0, \"liver\": 1}"))?
        {
            let value = match value {
                Json::Array(_) => {
                    let problem = format!(
                        "label {name:?} is a region of several labels; nnU-Net v1 does not support regions: list its labels \
                         instead, and combine them after prediction"
                    );
                    return Err(unsupported(problem));
                }
                other => other.as_i64().ok_or_else(|| {
                    let problem =
                        format!("labels: {name:?} is {other}; expected entries such as \"liver\": 1");
                    record(&problem)
                })?,
            };
            if name == "ignore" {
                ignore = Some(i16::try_from(value).map_err(|_| {
                    let problem =
                        format!("label \"ignore\" is {value}; expected a label from -32768 to 32767");
                    record(&problem)
                })?);
            } else if let Some(other) = labels.insert(value, name.clone()) {
                let problem =
                    format!("labels: {other:?} and {name:?} are both {value}; give each its own number");
                return Err(record(&problem));
            }
        }
        labels.sort_keys();
        let highest = labels.keys().next_back().copied();
        if let Some((ignore, highest)) = ignore.zip(highest).filter(|&(i, highest)| highest > i64::from(i)) {
            let problem = format!(
                "label \"ignore\" is {ignore}, but another label is {highest}; nnU-Net v2 requires the highest number for it, \
                 because labels are consecutive without it"
            );
            return Err(record(&problem));
        }
        let known = [
            "channel_names",
            "labels",
            "numTraining",
            "file_ending",
            "name",
            "dataset",
            "regions_class_order",
        ];
        let extra: Map<String, Json> = json
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(k, _)| !known.contains(&k.as_str()))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let name = json["name"]
            .as_str()
            .map_or_else(|| folder_name(folder), str::to_owned);
        let dataset = DatasetJson {
            name,
            modality,
            labels,
            extra,
            ..DatasetJson::default()
        };
        let mut jobs = match json["dataset"].as_object() {
            Some(listed) => listed
                .iter()
                .map(|(case, entry)| listed_job(folder, path, case, entry))
                .collect::<Result<_, _>>()?,
            None => channel_jobs(folder, "Tr", false)?,
        };
        if folder.join("imagesTs").is_dir() {
            jobs.extend(channel_jobs(folder, "Ts", true)?);
        }
        Ok(Self {
            convention: Convention::NnunetV2,
            dataset,
            relabel: ignore.map(|from| Relabel { from, to: UNLABELLED }),
            jobs,
            warnings,
        })
    }

    fn decathlon(folder: &Path, path: &Path) -> Result<Self, Error> {
        let mut dataset = DatasetJson::read(path)?;
        // A raw task of nnU-Net v1 has the same dataset.json, but one file per channel.
        if let Some(first) = dataset.training.first() {
            if !below(folder, &first.image).is_file() {
                let problem = format!("the image {} of the first training case is missing; the folder may already be a task of nnU-Net v1", first.image);
                return Err(Error::record(path, problem));
            }
        }
        let training = std::mem::take(&mut dataset.training)
            .into_iter()
            .map(|entry| Job {
                case: case_of(&entry.image).to_owned(),
                images: Images::Volumes(below(folder, &entry.image)),
                label: Some(below(folder, &entry.label)),
                test: false,
            });
        let test = std::mem::take(&mut dataset.test).into_iter().map(|image| Job {
            case: case_of(&image).to_owned(),
            images: Images::Volumes(below(folder, &image)),
            label: None,
            test: true,
        });
        // Some lists contain the hidden files of macOS.
        let jobs = training
            .chain(test)
            .filter(|job| !job.case.starts_with('.'))
            .collect();
        Ok(Self {
            convention: Convention::Decathlon,
            dataset,
            relabel: None,
            jobs,
            warnings: Vec::new(),
        })
    }
}

/// Whether a file of this name stays in its folder.
fn is_file_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0'])
}

/// Returns the path of a file in `dataset.json`, such as `./imagesTr/a.nii.gz`.
fn below(folder: &Path, name: &str) -> PathBuf {
    folder.join(name.trim_start_matches("./"))
}

fn folder_name(folder: &Path) -> String {
    folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Returns the cases of `imagesTr` or `imagesTs` with their labels.
fn channel_jobs(folder: &Path, part: &str, test: bool) -> Result<Vec<Job>, Error> {
    let images = ImageFolder::list(&folder.join(format!("images{part}")))?;
    let labels_folder = folder.join(format!("labels{part}"));
    let mut labels = if labels_folder.is_dir() {
        nifti_files(&labels_folder)?
    } else {
        Default::default()
    };
    let mut jobs = Vec::new();
    for (case, files) in images.cases {
        jobs.push(Job {
            label: labels.remove(&case),
            images: Images::Channels(files),
            case,
            test,
        });
    }
    // A label without an image fails as a case whose channels are missing.
    jobs.extend(labels.into_iter().map(|(case, label)| Job {
        label: Some(label),
        images: Images::Channels(BTreeMap::new()),
        case,
        test,
    }));
    Ok(jobs)
}

/// Reads an entry of nnU-Net v2's `dataset`, with the files of a case.
fn listed_job(folder: &Path, path: &Path, case: &str, entry: &Json) -> Result<Job, Error> {
    let file = |value: &Json| value.as_str().map(|text| below(folder, text));
    let images: Option<Vec<PathBuf>> = entry["images"]
        .as_array()
        .and_then(|list| list.iter().map(file).collect());
    match (images, file(&entry["label"])) {
        (Some(images), Some(label)) => Ok(Job {
            case: case.to_owned(),
            images: Images::Listed(images),
            label: Some(label),
            test: false,
        }),
        _ => Err(Error::record(
            path,
            format!("dataset: case {case} has no images or no label; expected both"),
        )),
    }
}
