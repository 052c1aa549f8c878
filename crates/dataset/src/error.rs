//! What can be wrong with nnU-Net's folders and records.

use std::path::PathBuf;

use serde_json::{json, Value as Json};

/// Why a folder, task or record could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A folder that is needed is neither an option nor an environment variable.
    #[error("the folder for {what} is not known: pass the option {option}, or set the environment variable {variable}")]
    FolderUnset {
        /// What the folder holds.
        what: &'static str,
        /// The option that names it.
        option: &'static str,
        /// nnU-Net's environment variable.
        variable: &'static str,
    },
    /// A folder that has to exist does not.
    #[error("{} ({what}, from {origin}) is not an existing folder", path.display())]
    FolderMissing {
        /// What the folder should hold.
        what: &'static str,
        /// Where the path came from: an option or a variable.
        origin: &'static str,
        /// The path.
        path: PathBuf,
    },
    /// No task of that number or name exists.
    #[error("no task {task}: looked for {pattern} in {}", list_paths(searched))]
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
    TaskAmbiguous {
        /// The number.
        id: u32,
        /// Names of the tasks that have it.
        candidates: Vec<String>,
    },
    /// A name that is not of the form nnU-Net expects.
    #[error("{name:?} is no task name: expected TaskXXX_NAME with a number of three or more digits, a number, or a path to such a folder")]
    TaskName {
        /// What was given.
        name: String,
    },
    /// A file could not be read or a folder not listed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// A pickle could not be read or written, or holds something else than expected.
    #[error(transparent)]
    Pickle(#[from] pickle::Error),
    /// A JSON or text file has another form than expected.
    #[error("{}: {what}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What was found and expected.
        what: String,
    },
    /// A value of a record that is in memory only.
    #[error("{record}: {what}")]
    Value {
        /// Which record.
        record: &'static str,
        /// What was found and expected.
        what: String,
    },
    /// A case lacks the file of a channel.
    #[error("case {case}: no {name}.nii.gz (or .nii) in {}; every case needs one file for each of its {channels} channels", folder.display())]
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
    TooFewCases {
        /// What is split: cases, or groups of cases.
        unit: &'static str,
        /// How many there are.
        found: usize,
        /// Folds, each of which needs one.
        folds: usize,
    },
    /// Splits that do not fit the data set.
    #[error("the splits do not fit the data: {what}: {}", shorten(cases))]
    Splits {
        /// What is wrong.
        what: String,
        /// The cases concerned.
        cases: Vec<String>,
    },
    /// A model folder that has no fold, plans or checkpoint.
    #[error("{}: {what}", path.display())]
    Model {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        what: String,
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

    pub(crate) fn record(path: impl Into<PathBuf>, what: impl Into<String>) -> Self {
        Self::Record {
            path: path.into(),
            what: what.into(),
        }
    }
}

impl run::Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::FolderUnset { .. } => "ERR_FOLDER_UNSET",
            Self::FolderMissing { .. } => "ERR_FOLDER_MISSING",
            Self::TaskNotFound { .. } => "ERR_TASK_NOT_FOUND",
            Self::TaskAmbiguous { .. } => "ERR_TASK_AMBIGUOUS",
            Self::TaskName { .. } => "ERR_TASK_NAME",
            Self::Io { .. } => "ERR_DATASET_IO",
            Self::Storage(e) => e.code(),
            Self::Pickle(e) => e.code(),
            Self::Record { .. } | Self::Value { .. } => "ERR_DATASET_RECORD",
            Self::ChannelMissing { .. } => "ERR_CHANNEL_MISSING",
            Self::TooFewCases { .. } => "ERR_TOO_FEW_CASES",
            Self::Splits { .. } => "ERR_SPLITS",
            Self::Model { .. } => "ERR_MODEL_FOLDER",
        }
    }

    fn details(&self) -> Json {
        match self {
            Self::FolderUnset {
                what,
                option,
                variable,
            } => {
                json!({ "what": what, "option": option, "variable": variable })
            }
            Self::FolderMissing { what, origin, path } => {
                json!({ "what": what, "origin": origin, "path": path })
            }
            Self::TaskNotFound {
                task,
                pattern,
                searched,
            } => {
                json!({ "task": task, "pattern": pattern, "searched": searched })
            }
            Self::TaskAmbiguous { id, candidates } => json!({ "id": id, "candidates": candidates }),
            Self::TaskName { name } => json!({ "name": name }),
            Self::Io { path, source } => json!({ "path": path, "reason": source.to_string() }),
            Self::Storage(e) => e.details(),
            Self::Pickle(e) => e.details(),
            Self::Record { path, what } | Self::Model { path, what } => {
                json!({ "path": path, "what": what })
            }
            Self::Value { record, what } => json!({ "record": record, "what": what }),
            Self::ChannelMissing {
                case,
                name,
                folder,
                channels,
            } => {
                json!({ "case": case, "name": name, "folder": folder, "channels": channels })
            }
            Self::TooFewCases { unit, found, folds } => {
                json!({ "unit": unit, "found": found, "folds": folds })
            }
            Self::Splits { what, cases } => json!({ "what": what, "cases": cases }),
        }
    }
}
