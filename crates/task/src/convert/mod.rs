//! Converts datasets of nnU-Net v2 and of the Medical Segmentation Decathlon to raw tasks of nnU-Net v1, and tasks and models
//! of v1 to those of v2.

mod source;
mod to_v2;
mod write;

pub use source::Convention;

use std::path::{Path, PathBuf};

use dataset::{Folders, Task, TrainingCase};
use run::{CaseFailure, Context, Options, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Error;
use source::Source;

/// Version of nnU-Net.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// nnU-Net v1.
    #[default]
    V1,
    /// nnU-Net v2.
    V2,
}

/// Options of [`convert`].
#[run::options]
pub struct ConvertOptions {
    /// Folder of the dataset: `Dataset###_NAME` (nnU-Net v2) or `Task##_NAME` (Medical Decathlon). With `to: 'v2'`, a raw
    /// task of nnU-Net v1, or a model that it trained.
    #[schemars(length(min = 1))]
    pub source: PathBuf,
    /// Version of nnU-Net to convert to.
    #[default]
    pub to: Target,
    /// Name of the new task, such as `Task027_ACDC`, or of the data set of v2, such as `Dataset027_ACDC`. The default is
    /// the number and name of the source.
    pub task: Option<String>,
    /// Folder that receives the task. The default is `nnUNet_raw_data`. With `to: 'v2'`, v2's folder of raw data sets or of
    /// results, which has no default.
    pub output: Option<PathBuf>,
    /// Converts into an existing task and replaces its files.
    #[default]
    pub overwrite: bool,
    /// nnU-Net's folders.
    #[default]
    #[serde(flatten)]
    pub folders: Folders,
}

impl Options for ConvertOptions {}

/// Result of [`convert`].
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConvertSummary {
    /// Convention of the source.
    pub convention: Convention,
    /// Name of the new task or data set.
    pub task: String,
    /// Folder of the new task, data set or model.
    pub folder: PathBuf,
    /// Number of converted training cases.
    pub training: usize,
    /// Number of converted test cases.
    pub test: usize,
    /// Label value of nnU-Net v2's unlabelled voxels, which are -1 in v1. Null if there are none.
    pub ignore_label: Option<i16>,
    /// Converted folds of a model.
    pub folds: Vec<String>,
    /// Cases that could not be converted. `dataset.json` does not list them.
    pub failures: Vec<CaseFailure>,
}

/// Converts a dataset of another convention to a raw task of nnU-Net v1.
///
/// For nnU-Net v2, `channel_names` become `modality`, the label `ignore` becomes -1 (unlabelled), and labels
/// of test cases are copied. For the Decathlon, each volume of a 4D image becomes the file of a channel.
/// Voxels are copied without conversion, except in labels with an ignore label. `dataset.json` is written
/// last: a task without it is unfinished, and another run continues it.
///
/// To nnU-Net v2, a raw task becomes a data set: `modality` becomes `channel_names`, and -1 the label `ignore`. A trained
/// model becomes a model folder: `plans.json`, `dataset.json`, and `checkpoint_final.pth` of each fold, whose network
/// computes the same as that of v1.
///
/// # Errors
/// If the whole dataset cannot be converted: [`Error::Unsupported`] for regions and for images other than
/// NIfTI, [`Error::NotInV2`] and [`Error::Checkpoint`] for a model that v2 cannot express, [`dataset::Error::Record`], [`Error::TaskNumberTaken`], [`Error::TaskExists`], or a full disk. All
/// other failures of a case are listed in the summary.
pub fn convert(options: &ConvertOptions, context: &Context) -> Result<ConvertSummary, Error> {
    if options.to == Target::V2 {
        return to_v2::convert(options, context);
    }
    let folders = options.folders.resolve(context);
    let source = Source::read(&options.source)?;
    let task = match &options.task {
        Some(name) => Task::from_name(name)?,
        None => source::task_name(&options.source)?,
    };
    let parent = match &options.output {
        Some(folder) => folder.clone(),
        None => folders.raw_data()?,
    };
    let folder = parent.join(&task.name);
    refuse_existing(options, &folder, "dataset.json")?;
    refuse_taken_number(&task, &parent)?;
    source
        .warnings
        .iter()
        .for_each(|message| context.warn("WARN_NORMALIZATION", message.clone(), None));
    let Outcome { results, failures } = write::write_cases(&source, options, &folder, context)?;
    let mut dataset = source.dataset.clone();
    let converted = source
        .jobs
        .iter()
        .zip(results)
        .filter_map(|(job, done)| done.map(|_| job));
    for job in converted {
        let case = &job.case;
        if job.test {
            dataset.test.push(format!("./imagesTs/{case}.nii.gz"));
        } else {
            dataset.training.push(TrainingCase::new(case));
        }
    }
    dataset.write(&folder.join("dataset.json"))?;
    Ok(ConvertSummary {
        convention: source.convention,
        task: task.name,
        folder,
        training: dataset.training.len(),
        test: dataset.test.len(),
        ignore_label: source.relabel.map(|relabel| relabel.from),
        folds: Vec::new(),
        failures,
    })
}

/// Fails if the folder has a finished result already, whose `last` file exists, unless it is to be replaced.
fn refuse_existing(options: &ConvertOptions, folder: &Path, last: &str) -> Result<(), Error> {
    match folder.join(last).exists() && !options.overwrite {
        true => Err(Error::TaskExists {
            folder: folder.to_owned(),
        }),
        false => Ok(()),
    }
}

/// Fails if another task has the same number. Tasks are identified by their number.
pub(crate) fn refuse_taken_number(task: &Task, parent: &Path) -> Result<(), Error> {
    let names = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let taken = names
        .filter_map(|name| Task::from_name(&name).ok())
        .find(|t| t.id == task.id && t.name != task.name);
    match taken {
        Some(other) => Err(Error::TaskNumberTaken {
            task: task.name.clone(),
            by: other.name,
        }),
        None => Ok(()),
    }
}
