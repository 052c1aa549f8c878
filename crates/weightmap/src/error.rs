use std::io;
use std::path::{Path, PathBuf};

use run::Cancelled;

/// Errors of this crate.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// The run was cancelled.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] Cancelled),
    /// The folder of cases or the output folder could not be read or created.
    #[error("cannot {action} the folder {}: {source}", folder.display())]
    #[code(io(WeightmapFolder))]
    Folder {
        /// The failed action: `read`, `create`.
        action: &'static str,
        /// The folder.
        folder: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// No file matches the pattern.
    #[error("no file in {} matches {pattern:?}; choose a folder of preprocessed cases (nnUNetData_plans_v2.1_stage0)", folder.display())]
    #[code(WeightmapNoCases)]
    NoCases {
        /// The folder.
        folder: PathBuf,
        /// The pattern.
        pattern: String,
    },
    /// No classes were given, and no dataset.json exists.
    #[error("no classes were given, and {} does not exist; set the classes", path.display())]
    #[code(WeightmapNoClasses)]
    NoClasses {
        /// Path of the missing dataset.json.
        path: PathBuf,
    },
    /// The labels of dataset.json are invalid.
    #[error("cannot read the classes from {}: {problem}; correct it or set the classes", path.display())]
    #[code(WeightmapDatasetJson)]
    DatasetJson {
        /// The file.
        path: PathBuf,
        /// The problem found.
        problem: String,
    },
    /// The dataset does not have the class.
    #[error("class {class} is not a label of {}, which has {labels:?}", path.display())]
    #[code(WeightmapClass)]
    UnknownClass {
        /// The requested class.
        class: i64,
        /// Labels of the dataset.
        labels: Vec<i64>,
        /// Path of dataset.json.
        path: PathBuf,
    },
    /// The class is invalid.
    #[error("class {class} is invalid: {problem}")]
    #[code(WeightmapClass)]
    Class {
        /// The class.
        class: i64,
        /// The problem.
        problem: &'static str,
    },
    /// The number of classes exceeds one byte.
    #[error("{found} classes were given; expected at most {limit}")]
    #[code(WeightmapClass)]
    TooManyClasses {
        /// Number of given classes.
        found: usize,
        /// Maximum number of classes.
        limit: usize,
    },
    /// An option has an invalid value.
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
        /// The error in the file.
        source: Box<Error>,
    },
    /// The file is a weightmap of an earlier run.
    #[error("this is a weightmap, not a case; choose a matching pattern that excludes *_weightmap.npy")]
    #[code(WeightmapIsWeightmap)]
    IsWeightmap,
    /// Two files have the same weightmap path.
    #[error("{} gives the same weightmap; choose a matching pattern that matches one of them", other.display())]
    #[code(WeightmapSameOutput)]
    SameOutput {
        /// The first of these files.
        other: PathBuf,
    },
    /// The file is neither npz nor npy.
    #[error("only .npz and .npy files can be read")]
    #[code(WeightmapExtension)]
    Extension,
    /// The array is empty, or its axes are not (channel, z, y, x).
    #[error("the array has shape {found:?}; expected (channel, z, y, x) with at least one voxel")]
    #[code(WeightmapRank)]
    #[detail(expected = ["channel", "z", "y", "x"])]
    Rank {
        /// Shape of the array.
        found: Vec<usize>,
    },
    /// The number of voxels exceeds the numbering of objects.
    #[error("the segmentation has {voxels} voxels; mode `instances` takes at most {limit}")]
    #[code(WeightmapSize)]
    TooManyVoxels {
        /// Number of voxels.
        #[detail(name = "found")]
        voxels: usize,
        /// Maximum number of voxels.
        limit: usize,
    },
    /// The array has no channel for the segmentation.
    #[error("the array has {found} channel(s); expected the image's channels and then the segmentation")]
    #[code(WeightmapChannels)]
    #[detail(expected = "2 or more")]
    Channels {
        /// Number of channels.
        found: usize,
    },
    /// A value of the segmentation is not a label.
    #[error("the segmentation contains {value} at (z, y, x) = {voxel:?}; expected whole numbers")]
    #[code(WeightmapLabel)]
    Label {
        /// The value.
        #[detail(name = "found", text)]
        value: f64,
        /// Index of the first voxel with this value.
        voxel: [usize; 3],
    },
    /// The properties of a case are required but missing.
    #[error("{} does not exist; it must contain the spacing of this case", path.display())]
    #[code(WeightmapNoProperties)]
    NoProperties {
        /// Path of the missing file.
        path: PathBuf,
    },
    /// The properties of a case have no valid spacing.
    #[error("{}: {key} is {found:?}; expected three positive numbers in mm", path.display())]
    #[code(WeightmapSpacing)]
    Spacing {
        /// Path of the properties.
        path: PathBuf,
        /// Key of the spacing.
        key: &'static str,
        /// Value of the key. Empty if it is missing or not numeric.
        found: Vec<f64>,
    },
    /// The properties of a case cannot be read.
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
    /// The input of the distance transform is invalid.
    #[error(transparent)]
    #[code(transparent)]
    Distance(#[from] edt::Error),
}

impl Error {
    /// Adds the path of the file to this error.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        match self {
            // These errors already name their file.
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
