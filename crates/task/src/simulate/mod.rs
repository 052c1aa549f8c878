//! Sparse labels from dense ones.

mod case;
mod classes;
mod options;
mod scribbles;
mod slices;
mod voxels;

#[cfg(test)]
mod tests;

pub use case::{CaseReport, ClassReport};
pub use options::{Pattern, SimulateSparseOptions, SliceAxis};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dataset::files::image_file;
use dataset::{case_of, DatasetJson, Task, TrainingCase};
use run::{CaseFailure, CaseLoop, Context, Event, Job, Outcome, Progress};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::Error;
use case::{share_of, CaseFiles};

/// Result of [`simulate_sparse`].
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SimulateSparseSummary {
    /// Name of the new task.
    pub task: String,
    /// Folder of the new task.
    pub folder: PathBuf,
    /// Annotated share of all labelled voxels of the training cases.
    pub share: f64,
    /// Classes of all training cases, by label.
    pub classes: Vec<ClassReport>,
    /// Training cases, in the order of `dataset.json`.
    pub cases: Vec<CaseReport>,
    /// Number of test cases.
    pub test: usize,
    /// Cases that could not be written. The new `dataset.json` does not list them.
    pub failures: Vec<CaseFailure>,
}

/// Copies a raw task with dense labels to a new one whose training labels are sparse: all voxels except those
/// of the pattern become -1, unlabelled. Every class that occurs in a case, background included, has an
/// annotated voxel there.
///
/// The new task lies in `nnUNet_raw_data`, or beside the source if no such folder is set. Images, and labels
/// of test cases, are hard links to those of the source, or copies where the file system has no links. The
/// entry `simulated_annotation` of the new `dataset.json` states the source and the options. The result
/// depends on options, seed and names of the cases, not on the number of threads. The new task appears under
/// its name when it is complete.
///
/// # Errors
/// [`Error::DestinationExists`], [`Error::TaskNumberTaken`], [`dataset::Error`] if the task or its
/// `dataset.json` cannot be read, a full disk, [`Error::Cancelled`]. All other failures of a case are listed
/// in the summary.
pub fn simulate_sparse(
    options: &SimulateSparseOptions,
    context: &Context,
) -> Result<SimulateSparseSummary, Error> {
    run::validate(options)?;
    let folders = options.folders.resolve(context);
    let source_task = Task::resolve(&options.task, &folders)?;
    let source = source_task.raw_folder(&folders)?;
    let task = Task::from_name(&options.name)?;
    let parent = match &folders.raw_base {
        Some(_) => folders.raw_data()?,
        // A task given as a folder: the new one lies beside it.
        None => source.parent().map_or_else(PathBuf::new, Path::to_owned),
    };
    let folder = parent.join(&task.name);
    if std::fs::symlink_metadata(&folder).is_ok() {
        return Err(Error::DestinationExists { folder });
    }
    crate::convert::refuse_taken_number(&task, &parent)?;
    let mut dataset = DatasetJson::read(&source.join("dataset.json"))?;
    let channels = dataset.modalities()?.len();
    let settings = json!({
        "source": source, "folder": folder, "pattern": options.pattern, "share": options.share,
        "slices": options.slices, "axes": options.axes, "seed": options.seed,
    });
    context.emit(Event::Started {
        verb: "simulateSparse",
        settings,
    });

    let files = case_files(&source, &dataset);
    // A folder of its own, removed if anything fails.
    let incomplete = storage::temporary_folder(&folder)?;
    make_folders(incomplete.path(), &files)?;
    let jobs: Vec<_> = files.iter().map(|f| Job::new(&f.name, f)).collect();
    let progress = Progress::new("cases", jobs.len());
    let places = (source.as_path(), incomplete.path());
    let Outcome { results, failures } = CaseLoop::new(context)?.run(&jobs, progress, |job| {
        case::write(options, job.input, channels, places, context.cancel())
    })?;

    let done = || files.iter().zip(&results).filter(|(_, result)| result.is_some());
    let written = |part| done().map(|(file, _)| file).filter(move |file| file.part == part);
    let entries = dataset.training.iter();
    let present: BTreeMap<_, _> = entries
        .map(|entry| (entry.case.clone(), entry.present_labels.clone()))
        .collect();
    let entry = |file: &CaseFiles| TrainingCase {
        present_labels: present.get(&file.name).cloned().flatten(),
        ..TrainingCase::new(&file.name)
    };
    dataset.training = written("Tr").map(entry).collect();
    dataset.test = written("Ts")
        .map(|file| format!("./imagesTs/{}.nii.gz", file.name))
        .collect();
    dataset.name.clone_from(&task.name);
    let simulated = json!({
        "source": source_task.name, "pattern": options.pattern, "share": options.share,
        "slices": options.slices, "axes": options.axes, "seed": options.seed,
    });
    dataset.extra.insert("simulated_annotation".to_owned(), simulated);
    dataset.write(&incomplete.path().join("dataset.json"))?;
    std::fs::rename(incomplete.path(), &folder).map_err(|e| Error::io(&folder, e))?;
    // Its content has moved.
    drop(incomplete);

    let cases: Vec<CaseReport> = results.into_iter().flatten().flatten().collect();
    let classes = total(&cases);
    Ok(SimulateSparseSummary {
        task: task.name,
        folder,
        share: share_of(&classes),
        classes,
        test: dataset.test.len(),
        cases,
        failures,
    })
}

/// The cases of `dataset.json`, training cases first.
fn case_files(source: &Path, dataset: &DatasetJson) -> Vec<CaseFiles> {
    let training = dataset.training.iter().map(|entry| CaseFiles {
        name: entry.case.clone(),
        part: "Tr",
        // `.nii` in place of the listed `.nii.gz` is accepted; a missing file is named as listed.
        label: image_file(&source.join("labelsTr"), &entry.case)
            .or_else(|| Some(source.join(entry.label.trim_start_matches("./")))),
    });
    let test = dataset.test.iter().map(|image| CaseFiles {
        name: case_of(image).to_owned(),
        part: "Ts",
        label: image_file(&source.join("labelsTs"), case_of(image)),
    });
    training.chain(test).collect()
}

fn make_folders(folder: &Path, files: &[CaseFiles]) -> Result<(), Error> {
    let mut names = vec!["imagesTr", "labelsTr"];
    if files.iter().any(|file| file.part == "Ts") {
        names.extend(["imagesTs", "labelsTs"]);
    }
    for name in names {
        let path = folder.join(name);
        std::fs::create_dir_all(&path).map_err(|e| Error::io(path, e))?;
    }
    Ok(())
}

/// The classes of all cases.
fn total(cases: &[CaseReport]) -> Vec<ClassReport> {
    let mut sums: BTreeMap<i16, (u64, u64)> = BTreeMap::new();
    for class in cases.iter().flat_map(|case| &case.classes) {
        let sum = sums.entry(class.label).or_default();
        *sum = (sum.0 + class.voxels, sum.1 + class.annotated);
    }
    let class = |(label, (voxels, annotated))| ClassReport {
        label,
        voxels,
        annotated,
    };
    sums.into_iter().map(class).collect()
}
