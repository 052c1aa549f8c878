use std::io;
use std::path::{Path, PathBuf};

use run::Cancelled;

/// Why a weightmap, or a whole run, could not be made.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// The run was cancelled.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] Cancelled),
    /// The folder of cases, or the output folder, cannot be used.
    #[error("cannot {action} the folder {}: {source}", folder.display())]
    #[code(io(WeightmapFolder))]
    Folder {
        /// What was attempted: `read`, `create`.
        action: &'static str,
        /// The folder.
        folder: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// No file matches.
    #[error("no file in {} matches {pattern:?}; name a folder of preprocessed cases (nnUNetData_plans_v2.1_stage0)", folder.display())]
    #[code(WeightmapNoCases)]
    NoCases {
        /// The folder.
        folder: PathBuf,
        /// The pattern.
        pattern: String,
    },
    /// Classes were neither given nor found.
    #[error("no classes were given and {} does not exist; name the classes", path.display())]
    #[code(WeightmapNoClasses)]
    NoClasses {
        /// The dataset.json looked for.
        path: PathBuf,
    },
    /// dataset.json has no usable labels.
    #[error("cannot take the classes from {}: {problem}; correct it or name the classes", path.display())]
    #[code(WeightmapDatasetJson)]
    DatasetJson {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A class that the data set does not have.
    #[error("class {class} is not a label of {}, which has {labels:?}", path.display())]
    #[code(WeightmapClass)]
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
    #[code(WeightmapClass)]
    Class {
        /// The class.
        class: i64,
        /// Why not.
        problem: &'static str,
    },
    /// More classes than a byte can number.
    #[error("{found} classes were given; at most {limit} are possible")]
    #[code(WeightmapClass)]
    TooManyClasses {
        /// Classes given.
        found: usize,
        /// The most there can be.
        limit: usize,
    },
    /// An option's value is not usable.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// A folder does not exist.
    #[error(transparent)]
    #[code(transparent)]
    NotFound(#[from] run::NotFound),
    /// The threads could not be started.
    #[error(transparent)]
    #[code(transparent)]
    Threads(#[from] run::ThreadsError),
    /// An error in one file.
    #[error("{}: {source}", path.display())]
    #[code(transparent)]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<Error>,
    },
    /// The file is the result of an earlier run.
    #[error("this is a weightmap, not a case; choose a matching pattern that leaves out *_weightmap.npy")]
    #[code(WeightmapIsWeightmap)]
    IsWeightmap,
    /// Two files would give the same weightmap.
    #[error("{} gives the same weightmap; choose a matching pattern that matches one of them", other.display())]
    #[code(WeightmapSameOutput)]
    SameOutput {
        /// The file that comes first.
        other: PathBuf,
    },
    /// Neither npz nor npy.
    #[error("only .npz and .npy files can be read")]
    #[code(WeightmapExtension)]
    Extension,
    /// Not (channel, z, y, x), or empty.
    #[error("the array has shape {found:?}; expected (channel, z, y, x) with at least one voxel")]
    #[code(WeightmapRank)]
    #[detail(expected = ["channel", "z", "y", "x"])]
    Rank {
        /// The shape found.
        found: Vec<usize>,
    },
    /// More voxels than objects can be numbered in.
    #[error("the segmentation has {voxels} voxels; mode `instances` takes at most {limit}")]
    #[code(WeightmapSize)]
    TooManyVoxels {
        /// Voxels found.
        #[detail(name = "found")]
        voxels: usize,
        /// The most there can be.
        limit: usize,
    },
    /// No channel holds the segmentation.
    #[error("the array has {found} channel(s); expected the image's channels and then the segmentation")]
    #[code(WeightmapChannels)]
    #[detail(expected = "2 or more")]
    Channels {
        /// Channels found.
        found: usize,
    },
    /// A value of the segmentation that is no label.
    #[error("the segmentation holds {value} at (z, y, x) = {voxel:?}; expected whole numbers")]
    #[code(WeightmapLabel)]
    Label {
        /// The value.
        #[detail(name = "found", text)]
        value: f64,
        /// The first voxel that holds it.
        voxel: [usize; 3],
    },
    /// The case's properties are needed and missing.
    #[error("{} does not exist; the spacing of this case is needed from it", path.display())]
    #[code(WeightmapNoProperties)]
    NoProperties {
        /// The file looked for.
        path: PathBuf,
    },
    /// The case's properties have no usable spacing.
    #[error("{}: {key} is {found:?}; expected three positive numbers in mm", path.display())]
    #[code(WeightmapSpacing)]
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
    #[code(transparent)]
    Properties(#[from] pickle::Error),
    /// An array could not be read or written.
    #[error(transparent)]
    #[code(transparent)]
    Volume(#[from] volume::Error),
    /// Connected components could not be labelled.
    #[error(transparent)]
    #[code(transparent)]
    Components(#[from] components::Error),
    /// The distance transform refused.
    #[error(transparent)]
    #[code(transparent)]
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
