//! Converts datasets of nnU-Net v2 and of the Medical Segmentation Decathlon to raw tasks of nnU-Net v1.

mod source;
mod write;

pub use source::Convention;

use std::path::PathBuf;

use dataset::{Folders, Task, TrainingCase};
use run::{CaseFailure, CaseLoop, Context, Event, Job, Options, Outcome, Progress};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::Error;
use source::Source;

/// Options of [`convert`].
#[run::options]
pub struct ConvertOptions {
    /// Folder of the dataset: `Dataset###_NAME` (nnU-Net v2) or `Task##_NAME` (Medical Decathlon).
    #[schemars(length(min = 1))]
    pub source: PathBuf,
    /// Name of the new task, such as `Task027_ACDC`. The default is the number and name of the source.
    pub task: Option<String>,
    /// Folder that receives the task. The default is `nnUNet_raw_data`.
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
    /// Name of the new task.
    pub task: String,
    /// Folder of the new task.
    pub folder: PathBuf,
    /// Number of converted training cases.
    pub training: usize,
    /// Number of converted test cases.
    pub test: usize,
    /// Label value of the source that was changed to -1 (unlabelled).
    pub ignore_label: Option<i16>,
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
/// # Errors
/// If the whole dataset cannot be converted: [`Error::Unsupported`] for regions and for images other than
/// NIfTI, [`dataset::Error::Record`], [`Error::TaskNumberTaken`], [`Error::TaskExists`], or a full disk. All
/// other failures of a case are listed in the summary.
pub fn convert(options: &ConvertOptions, context: &Context) -> Result<ConvertSummary, Error> {
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
    if folder.join("dataset.json").exists() && !options.overwrite {
        return Err(Error::TaskExists { folder });
    }
    refuse_taken_number(&task, &parent)?;
    source
        .warnings
        .iter()
        .for_each(|message| context.warn("WARN_NORMALIZATION", message.clone(), None));
    let settings = json!({ "source": options.source, "convention": source.convention, "folder": folder });
    context.emit(Event::Started {
        verb: "convert",
        settings,
    });

    write::make_folders(&folder, &source.jobs)?;
    let jobs: Vec<_> = source.jobs.iter().map(|job| Job::new(&job.case, job)).collect();
    let progress = Progress::new("cases", jobs.len());
    let Outcome { results, failures } = CaseLoop::new(context)?.run(&jobs, progress, |job| {
        write::write_case(&source, job.input, &folder, context.cancel())
    })?;

    let mut dataset = source.dataset.clone();
    let converted = source
        .jobs
        .iter()
        .zip(results)
        .filter_map(|(job, done)| done.map(|()| job));
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
        ignore_label: source.ignore,
        failures,
    })
}

/// Fails if another task has the same number. Tasks are identified by their number.
pub(crate) fn refuse_taken_number(task: &Task, parent: &std::path::Path) -> Result<(), Error> {
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
