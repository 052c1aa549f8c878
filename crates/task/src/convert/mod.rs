//! Converting data sets of nnU-Net v2 and of the Medical Segmentation Decathlon to raw tasks of nnU-Net v1.

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
    /// Folder of the data set: `Dataset###_NAME` (nnU-Net v2) or `Task##_NAME` (Medical Decathlon).
    #[schemars(length(min = 1))]
    pub source: PathBuf,
    /// Name of the new task, such as `Task027_ACDC`. The default is number and name of the source.
    pub task: Option<String>,
    /// Folder to put the task in. The default is `nnUNet_raw_data`.
    pub output: Option<PathBuf>,
    /// Converts into a task that exists, replacing its files.
    #[default]
    pub overwrite: bool,
    /// nnU-Net's folders.
    #[default]
    #[serde(flatten)]
    pub folders: Folders,
}

impl Options for ConvertOptions {}

/// What [`convert`] did.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConvertSummary {
    /// What the source was.
    pub convention: Convention,
    /// The new task.
    pub task: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Training cases converted.
    pub training: usize,
    /// Test cases converted.
    pub test: usize,
    /// Label value of the source that became -1, unlabelled.
    pub ignore_label: Option<i16>,
    /// Cases that could not be converted; `dataset.json` does not list them.
    pub failures: Vec<CaseFailure>,
}

/// Converts a foreign data set to a raw task of nnU-Net v1.
///
/// Of nnU-Net v2: `channel_names` become `modality`, the label `ignore` becomes -1 (unlabelled), labels of test cases go along.
/// Of the Decathlon: the volumes of a 4D image become a file for each channel. Voxels stay stored as they are, except in
/// labels with an ignored value. `dataset.json` is written last, so that a task without one is unfinished; running again
/// goes on with it.
///
/// # Errors
/// Where the data set cannot be converted at all: [`Error::Unsupported`] for regions and images that are not NIfTI,
/// [`dataset::Error::Record`], [`Error::TaskNumberTaken`], [`Error::TaskExists`]; a full disk. Any other case that
/// fails is in the summary.
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
            dataset.training.push(TrainingCase {
                case: case.clone(),
                image: format!("./imagesTr/{case}.nii.gz"),
                label: format!("./labelsTr/{case}.nii.gz"),
            });
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

/// Two tasks of one number could not be told apart by it.
fn refuse_taken_number(task: &Task, parent: &std::path::Path) -> Result<(), Error> {
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
