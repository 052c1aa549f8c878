//! Errors of this crate.

use std::path::PathBuf;

/// Why a folder, task or record could not be used.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// An option has a value that cannot be used.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// A folder that is needed is neither an option nor an environment variable.
    #[error("the folder for {what} is not known: pass the option {option}, or set the environment variable {variable}")]
    #[code(FolderUnset)]
    FolderUnset {
        /// What the folder holds.
        what: &'static str,
        /// The option that names it.
        option: &'static str,
        /// nnU-Net's environment variable.
        variable: &'static str,
    },
    /// A file or folder does not exist.
    #[error(transparent)]
    #[code(transparent)]
    NotFound(#[from] run::NotFound),
    /// No task of that number or name exists.
    #[error(
        "no task {task}: looked for {pattern} in {}; name another folder, or make the task with `nnunet-diag convert`",
        list_paths(searched)
    )]
    #[code(NotFound)]
    TaskNotFound {
        /// What was asked for.
        task: String,
        /// The folder name looked for.
        pattern: String,
        /// Folders that were searched.
        searched: Vec<PathBuf>,
    },
    /// A number that several tasks share.
    #[error("task number {id} is ambiguous: {}; pass the whole name", candidates.join(", "))]
    #[code(TaskAmbiguous)]
    TaskAmbiguous {
        /// The number.
        id: u32,
        /// Names of the tasks that have it.
        candidates: Vec<String>,
    },
    /// A name that is not of the form nnU-Net expects.
    #[error("{found:?} is no task name: expected TaskXXX_NAME with a number of three or more digits, a number, or a path to such a folder")]
    #[code(TaskName)]
    TaskName {
        /// What was given.
        found: String,
    },
    /// A file could not be read or a folder not listed.
    #[error("{}: {source}", path.display())]
    #[code(io(DatasetIo))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error(transparent)]
    #[code(transparent)]
    Storage(#[from] storage::Error),
    /// A pickle could not be read or written, or holds something else than expected.
    #[error(transparent)]
    #[code(transparent)]
    Pickle(#[from] pickle::Error),
    /// A JSON or text file has another form than expected.
    #[error("{}: {problem}", path.display())]
    #[code(DatasetRecord)]
    Record {
        /// The file.
        path: PathBuf,
        /// What was found and expected.
        problem: String,
    },
    /// A value of a record that is in memory only.
    #[error("{record}: {problem}")]
    #[code(DatasetRecord)]
    Value {
        /// Which record.
        record: &'static str,
        /// What was found and expected.
        problem: String,
    },
    /// A case lacks the file of a channel.
    #[error("case {case}: no {name}.nii.gz (or .nii) in {}; every case needs one file for each of its {channels} channels", folder.display())]
    #[code(ChannelMissing)]
    ChannelMissing {
        /// The case.
        case: String,
        /// File name without extension.
        name: String,
        /// Folder searched.
        folder: PathBuf,
        /// Channels that a case has.
        channels: usize,
    },
    /// Too few cases for a cross-validation.
    #[error("{found} {unit} are too few for a cross-validation in {folds} folds; train on all cases with `--fold all`, or provide splits of your own")]
    #[code(TooFewCases)]
    TooFewCases {
        /// What is split: cases, or groups of cases.
        unit: &'static str,
        /// How many there are.
        found: usize,
        /// Folds, each of which needs one.
        folds: usize,
    },
    /// Splits that do not fit the data set.
    #[error("the splits do not fit the data: {problem}: {}", shorten(cases))]
    #[code(Splits)]
    Splits {
        /// What is wrong.
        problem: String,
        /// The cases concerned.
        cases: Vec<String>,
    },
    /// A folder that is not that of a model.
    #[error("{} is not the folder of a model: {problem}", folder.display())]
    #[code(ModelFolder)]
    Model {
        /// The folder.
        folder: PathBuf,
        /// What was found and expected.
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

/// The first names of a list; the details of the error have them all.
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
