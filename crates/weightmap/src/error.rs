use std::io;
use std::path::{Path, PathBuf};

use run::{Cancelled, Coded};
use serde_json::{json, Value};

/// Why a weightmap, or a whole run, could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The run was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The folder of cases, or the output folder, cannot be used.
    #[error("cannot {action} the folder {}: {source}", path.display())]
    Folder {
        /// What was attempted: `read`, `create`.
        action: &'static str,
        /// The folder.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// The matching pattern is malformed.
    #[error("the matching pattern {pattern:?} is malformed: {problem}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No file matches.
    #[error("no file in {} matches {pattern:?}; name a folder of preprocessed cases (nnUNetData_plans_v2.1_stage0)", folder.display())]
    NoCases {
        /// The folder.
        folder: PathBuf,
        /// The pattern.
        pattern: String,
    },
    /// Classes were neither given nor found.
    #[error("no classes were given and {} does not exist; name the classes", path.display())]
    NoClasses {
        /// The dataset.json looked for.
        path: PathBuf,
    },
    /// dataset.json has no usable labels.
    #[error("cannot take the classes from {}: {problem}; correct it or name the classes", path.display())]
    DatasetJson {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A class that the data set does not have.
    #[error("class {class} is not a label of {}, which has {labels:?}", path.display())]
    UnknownClass {
        /// The class asked for.
        class: i64,
        /// The labels there are.
        labels: Vec<i64>,
        /// The dataset.json that says so.
        path: PathBuf,
    },
    /// A class that cannot be one.
    #[error("class {class} is not usable: {problem}")]
    Class {
        /// The class.
        class: i64,
        /// Why not.
        problem: &'static str,
    },
    /// More classes than a byte can number.
    #[error("{found} classes were given; at most {limit} are possible")]
    TooManyClasses {
        /// Classes given.
        found: usize,
        /// The most there can be.
        limit: usize,
    },
    /// Options that cannot be used.
    #[error(transparent)]
    Option(#[from] run::OptionError),
    /// The threads to work on could not be started.
    #[error("cannot start the worker threads: {0}; try fewer workers")]
    Threads(rayon::ThreadPoolBuildError),
    /// An error in one file.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<Error>,
    },
    /// The file is the result of an earlier run.
    #[error("this is a weightmap, not a case; choose a matching pattern that leaves out *_weightmap.npy")]
    IsWeightmap,
    /// Two files would give the same weightmap.
    #[error("{} gives the same weightmap; choose a matching pattern that matches one of them", other.display())]
    SameOutput {
        /// The file that comes first.
        other: PathBuf,
    },
    /// Neither npz nor npy.
    #[error("only .npz and .npy files can be read")]
    Extension,
    /// Not (channel, z, y, x), or empty.
    #[error("the array has shape {found:?}; expected (channel, z, y, x) with at least one voxel")]
    Rank {
        /// The shape found.
        found: Vec<usize>,
    },
    /// More voxels than objects can be numbered in.
    #[error("the segmentation has {voxels} voxels; mode `instances` takes at most {limit}")]
    TooManyVoxels {
        /// Voxels found.
        voxels: usize,
        /// The most there can be.
        limit: usize,
    },
    /// No channel holds the segmentation.
    #[error("the array has {found} channel(s); expected the image's channels and then the segmentation")]
    Channels {
        /// Channels found.
        found: usize,
    },
    /// A value of the segmentation that is no label.
    #[error("the segmentation holds {value} at (z, y, x) = {at:?}; expected whole numbers")]
    Label {
        /// The value.
        value: f64,
        /// The first voxel that holds it.
        at: [usize; 3],
    },
    /// The case's properties are needed and missing.
    #[error("{} does not exist; the spacing of this case is needed from it", path.display())]
    NoProperties {
        /// The file looked for.
        path: PathBuf,
    },
    /// The case's properties have no usable spacing.
    #[error("{}: {key} is {found:?}; expected three positive numbers in mm", path.display())]
    Spacing {
        /// The properties.
        path: PathBuf,
        /// The key looked up.
        key: &'static str,
        /// What it holds, empty when it is missing or not numbers.
        found: Vec<f64>,
    },
    /// The case's properties cannot be read.
    #[error(transparent)]
    Properties(#[from] pickle::Error),
    /// An array could not be read or written.
    #[error(transparent)]
    Volume(#[from] volume::Error),
    /// Connected components could not be labelled.
    #[error(transparent)]
    Components(#[from] components::Error),
    /// The distance transform refused.
    #[error(transparent)]
    Distance(#[from] edt::Error),
}

impl Error {
    /// Names the file in which this happened.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        match self {
            // These name their file themselves.
            Self::Volume(_)
            | Self::File { .. }
            | Self::Properties(_)
            | Self::NoProperties { .. }
            | Self::Spacing { .. }
            | Self::Cancelled(_) => self,
            other => Self::File {
                path: path.to_owned(),
                source: Box::new(other),
            },
        }
    }
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Cancelled(e) => e.code(),
            Self::Folder { .. } => "ERR_WEIGHTMAP_FOLDER",
            Self::Pattern { .. } => "ERR_WEIGHTMAP_PATTERN",
            Self::NoCases { .. } => "ERR_WEIGHTMAP_NO_CASES",
            Self::NoClasses { .. } => "ERR_WEIGHTMAP_NO_CLASSES",
            Self::DatasetJson { .. } => "ERR_WEIGHTMAP_DATASET_JSON",
            Self::UnknownClass { .. } | Self::Class { .. } | Self::TooManyClasses { .. } => {
                "ERR_WEIGHTMAP_CLASS"
            }
            Self::Option(e) => e.code(),
            Self::Threads(_) => "ERR_WEIGHTMAP_THREADS",
            Self::File { source, .. } => source.code(),
            Self::IsWeightmap => "ERR_WEIGHTMAP_IS_WEIGHTMAP",
            Self::SameOutput { .. } => "ERR_WEIGHTMAP_SAME_OUTPUT",
            Self::Extension => "ERR_WEIGHTMAP_EXTENSION",
            Self::Rank { .. } => "ERR_WEIGHTMAP_RANK",
            Self::TooManyVoxels { .. } => "ERR_WEIGHTMAP_SIZE",
            Self::Channels { .. } => "ERR_WEIGHTMAP_CHANNELS",
            Self::Label { .. } => "ERR_WEIGHTMAP_LABEL",
            Self::NoProperties { .. } => "ERR_WEIGHTMAP_NO_PROPERTIES",
            Self::Spacing { .. } => "ERR_WEIGHTMAP_SPACING",
            Self::Properties(e) => e.code(),
            Self::Volume(e) => e.code(),
            Self::Components(e) => e.code(),
            Self::Distance(e) => e.code(),
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Cancelled(e) => e.details(),
            Self::Folder { action, path, source } => {
                json!({ "action": action, "path": path, "os": source.to_string() })
            }
            Self::Pattern { pattern, problem } => json!({ "pattern": pattern, "problem": problem }),
            Self::NoCases { folder, pattern } => json!({ "folder": folder, "pattern": pattern }),
            Self::NoClasses { path } | Self::NoProperties { path } => json!({ "path": path }),
            Self::DatasetJson { path, problem } => json!({ "path": path, "problem": problem }),
            Self::UnknownClass { class, labels, path } => {
                json!({ "class": class, "labels": labels, "path": path })
            }
            Self::Class { class, problem } => json!({ "class": class, "problem": problem }),
            Self::TooManyClasses { found, limit } => json!({ "found": found, "limit": limit }),
            Self::Option(e) => e.details(),
            Self::File { path, source } => {
                let mut facts = json!({ "path": path });
                if let (Value::Object(all), Value::Object(more)) = (&mut facts, source.details()) {
                    all.extend(more);
                }
                facts
            }
            Self::Threads(_) | Self::IsWeightmap | Self::Extension => Value::Null,
            Self::SameOutput { other } => json!({ "other": other }),
            Self::Rank { found } => json!({ "found": found, "expected": ["channel", "z", "y", "x"] }),
            Self::TooManyVoxels { voxels, limit } => json!({ "found": voxels, "limit": limit }),
            Self::Channels { found } => json!({ "found": found, "expected": "2 or more" }),
            Self::Spacing { path, key, found } => json!({ "path": path, "key": key, "found": found }),
            // JSON has no NaN.
            Self::Label { value, at } => json!({ "found": value.to_string(), "at": at }),
            Self::Properties(e) => e.details(),
            Self::Volume(e) => e.details(),
            Self::Components(e) => e.details(),
            Self::Distance(e) => e.details(),
        }
    }
}
