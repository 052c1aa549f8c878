//! Errors of this crate.

use std::path::PathBuf;

/// Errors of this crate.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// An option has an invalid value.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// A required folder is set neither by an option nor by an environment variable.
    #[error("the folder for {what} is not set: pass the option {option}, or set the environment variable {variable}")]
    #[code(FolderUnset)]
    FolderUnset {
        /// Content of the folder.
        what: &'static str,
        /// Name of the option.
        option: &'static str,
        /// nnU-Net's environment variable.
        variable: &'static str,
    },
    /// A file or folder does not exist.
    #[error(transparent)]
    #[code(transparent)]
    NotFound(#[from] run::NotFound),
    /// No task has this number or name.
    #[error(
        "no task {task}: looked for {pattern} in {}; choose another folder, or create the task with `nnunet-diag convert`",
        list_paths(searched)
    )]
    #[code(NotFound)]
    TaskNotFound {
        /// Number or name of the task.
        task: String,
        /// Folder name that was searched for.
        pattern: String,
        /// Folders that were searched.
        searched: Vec<PathBuf>,
    },
    /// Several tasks have this number.
    #[error("task number {id} is ambiguous: {}; pass the whole name", candidates.join(", "))]
    #[code(TaskAmbiguous)]
    TaskAmbiguous {
        /// The number.
        id: u32,
        /// Names of these tasks.
        candidates: Vec<String>,
    },
    /// A task name is invalid.
    #[error("{found:?} is not a task name: expected TaskXXX_NAME with a number of three or more digits, a number, or a path to such a folder")]
    #[code(TaskName)]
    TaskName {
        /// The invalid name.
        found: String,
    },
    /// A file could not be read, or a folder could not be listed.
    #[error("{}: {source}", path.display())]
    #[code(io(DatasetIo))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// A file exists as `.nii` and as `.nii.gz`.
    #[error("{} and {} are two files for the same volume; remove one of them", path.display(), other.display())]
    #[code(TwoFiles)]
    TwoFiles {
        /// One of them.
        path: PathBuf,
        /// The other one.
        other: PathBuf,
    },
    /// A file could not be written.
    #[error(transparent)]
    #[code(transparent)]
    Storage(#[from] storage::Error),
    /// A pickle could not be read or written, or its content is invalid.
    #[error(transparent)]
    #[code(transparent)]
    Pickle(#[from] pickle::Error),
    /// A JSON or text file has an invalid form.
    #[error("{}: {problem}", path.display())]
    #[code(DatasetRecord)]
    Record {
        /// The file.
        path: PathBuf,
        /// The problem: found and expected values.
        problem: String,
    },
    /// A record in memory has an invalid value.
    #[error("{record}: {problem}")]
    #[code(DatasetRecord)]
    Value {
        /// Name of the record.
        record: &'static str,
        /// The problem: found and expected values.
        problem: String,
    },
    /// The file of a channel is missing.
    #[error("case {case}: no {name}.nii.gz (or .nii) in {}; every case needs one file for each of its {channels} channels", folder.display())]
    #[code(ChannelMissing)]
    ChannelMissing {
        /// The case.
        case: String,
        /// File name without extension.
        name: String,
        /// The searched folder.
        folder: PathBuf,
        /// Number of channels of a case.
        channels: usize,
    },
    /// The dataset has too few cases for a cross-validation.
    #[error("{found} {unit} are too few for a cross-validation in {folds} folds; train on all cases with `--fold all`, or provide custom splits")]
    #[code(TooFewCases)]
    TooFewCases {
        /// Unit of the split: cases, or groups of cases.
        unit: &'static str,
        /// Number of units.
        found: usize,
        /// Number of folds. Each needs at least one unit.
        folds: usize,
    },
    /// The splits have no fold of this number.
    #[error(
        "fold {fold} is not in the splits, which have {}; choose one of them or `all`, or pass `randomSplit` \
        (`--random-split`) for nnU-Net v1's random 80:20 split, which ignores patients",
        list_folds(*folds)
    )]
    #[code(FoldMissing)]
    FoldMissing {
        /// The requested fold.
        fold: u32,
        /// Number of folds in the splits, counted from 0.
        folds: usize,
    },
    /// The splits do not match the dataset.
    #[error("the splits do not match the dataset: {problem}: {}", shorten(cases))]
    #[code(Splits)]
    Splits {
        /// The problem.
        problem: String,
        /// The affected cases.
        cases: Vec<String>,
    },
    /// The folder is not a model folder.
    #[error("{} is not a model folder: {problem}", folder.display())]
    #[code(ModelFolder)]
    Model {
        /// The folder.
        folder: PathBuf,
        /// The problem: found and expected content.
        problem: String,
    },
}

fn list_paths(paths: &[PathBuf]) -> String {
    match paths {
        [] => "no folder (none is set)".into(),
        some => some
            .iter()
            .map(|p| p.display().to_string())
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn list_folds(folds: usize) -> String {
    match folds {
        0 => "no fold".into(),
        1 => "fold 0 only".into(),
        n => format!("folds 0 to {}", n - 1),
    }
}

/// Returns the first names of a list. The error's details contain all.
fn shorten(cases: &[String]) -> String {
    const SHOWN: usize = 12;
    let first = cases[..cases.len().min(SHOWN)].join(", ");
    match cases.len().saturating_sub(SHOWN) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

impl Error {
    pub(crate) fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io {
            path: path.into(),
            source,
        }
    }

    pub(crate) fn record(path: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        Self::Record {
            path: path.into(),
            problem: problem.into(),
        }
    }
}
