//! Training cases of a task and their files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dataset::files::{channel_files, image_file};
use dataset::{case_of, DatasetJson, Folders, Task};

use crate::case::CaseFiles;
use crate::source::Source;
use crate::Error;

/// A training case.
#[derive(Clone, Debug)]
pub struct TrainingCase {
    /// Case identifier: the image's file name without channel and extension.
    pub name: String,
    /// Source of the data. A missing file is an error of the case, not of the task.
    pub source: Source,
}

/// A task's folders and cases.
#[derive(Clone, Debug)]
pub struct TaskCases {
    /// Name of the task, `TaskXXX_NAME`.
    pub name: String,
    /// Path of `dataset.json`.
    pub dataset_json: PathBuf,
    /// Content of `dataset.json`.
    pub dataset: DatasetJson,
    /// Names of the modalities.
    pub modalities: BTreeMap<usize, String>,
    /// Folder of the cropped data, if known.
    pub cropped: Option<PathBuf>,
    /// Folder of the preprocessed data.
    pub preprocessed: PathBuf,
    /// Cases in the order of their file names, as in nnU-Net v1.
    pub cases: Vec<TrainingCase>,
}

impl TaskCases {
    /// Finds the task's raw data or, without raw data, its cropped data.
    pub fn find(text: &str, folders: &Folders) -> Result<Self, Error> {
        let task = Task::resolve(text, folders)?;
        let preprocessed = task.preprocessed_folder(folders)?;
        let cropped = task.cropped_folder(folders).ok();
        let raw = match task.raw_folder(folders) {
            Ok(raw) => Some(raw),
            Err(error) => match &cropped {
                Some(folder) if folder.join("dataset.json").is_file() => None,
                _ => return Err(error.into()),
            },
        };
        let home = raw.clone().or_else(|| cropped.clone()).unwrap_or_default();
        let dataset_json = home.join("dataset.json");
        let dataset = DatasetJson::read(&dataset_json)?;
        let modalities = dataset.modalities()?;
        let wrong = |problem: String| dataset::Error::Record {
            path: dataset_json.clone(),
            problem,
        };
        if let Some((_, problem)) = dataset.misnamed().into_iter().next() {
            return Err(wrong(problem).into());
        }
        if !dataset.labels.keys().any(|&label| label > 0) {
            let problem =
                "labels: no label above 0; expected entries such as \"0\": \"background\", \"1\": \"liver\"";
            return Err(wrong(problem.to_owned()).into());
        }
        let mut cases = BTreeMap::new();
        for entry in &dataset.training {
            let name = case_of(&entry.image).to_owned();
            let source = match &raw {
                Some(raw) => Source::Raw(raw_files(raw, &name, &entry.label, modalities.len())),
                None => Source::Cropped { folder: home.clone() },
            };
            // nnU-Net sorts by `<case>.npz`: `a-1` comes before `a`, and `a_1` after it.
            cases.insert(format!("{name}.npz"), TrainingCase { name, source });
        }
        if cases.is_empty() {
            return Err(Error::NoCases);
        }
        let cases = cases.into_values().collect();
        Ok(Self {
            name: task.name,
            dataset_json,
            dataset,
            modalities,
            cropped,
            preprocessed,
            cases,
        })
    }

    /// Returns the labels above 0, in the order of dataset.json.
    pub fn classes(&self) -> Vec<i64> {
        self.dataset
            .labels
            .keys()
            .copied()
            .filter(|&label| label > 0)
            .collect()
    }

    /// Whether foreground intensities are needed: one modality is CT.
    pub fn has_ct(&self) -> bool {
        self.modalities.values().any(|name| name == "CT" || name == "ct")
    }
}

/// Returns the files of a case. Missing files keep their usual name; reading the case reports them.
fn raw_files(raw: &Path, case: &str, label: &str, channels: usize) -> CaseFiles {
    let images = raw.join("imagesTr");
    let usual = |channel| images.join(format!("{case}_{channel:04}.nii.gz"));
    let labels = raw.join("labelsTr");
    let label_name = case_of(label);
    CaseFiles {
        images: channel_files(&images, case, channels).unwrap_or_else(|_| (0..channels).map(usual).collect()),
        label: Some(
            image_file(&labels, label_name).unwrap_or_else(|| labels.join(format!("{label_name}.nii.gz"))),
        ),
    }
}
