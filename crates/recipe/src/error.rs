//! Errors of this crate.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// An error of a recipe or its training data.
#[derive(Debug, thiserror::Error, run::Coded)]
pub enum Error {
    /// An invalid option or combination of options.
    #[error(transparent)]
    #[code(transparent)]
    Option(#[from] run::OptionError),
    /// A file or folder does not exist.
    #[error(transparent)]
    #[code(transparent)]
    NotFound(#[from] run::NotFound),
    /// A preprocessed configuration has no cases.
    #[error("{} holds no preprocessed case (*.npz): {advice}", folder.display())]
    #[code(NoCases)]
    NoCases {
        /// Folder of the configuration.
        folder: PathBuf,
        /// The command to run.
        advice: String,
    },
    /// The network cannot be built, or does not accept patches of this size.
    #[error("network: {problem}")]
    #[code(Network)]
    Network {
        /// The found and the expected value.
        problem: String,
    },
    /// Cases have labels that the network has no class for. Lists all of them.
    #[error(
        "{} cases have labels that are not among the classes 0 to {highest}: {}; correct the labels (`nnunet-diag check` \
        finds them in the raw task), then plan and preprocess again",
        labels.len(),
        list_labels(labels)
    )]
    #[code(LabelRange)]
    Labels {
        /// The labels of each affected case.
        labels: BTreeMap<String, Vec<i64>>,
        /// The highest class.
        highest: usize,
    },
    /// Cases have unlabelled voxels, which the recipe would take for background. Lists all of them.
    #[error(
        "{} cases have unlabelled voxels (-1), which this trainer takes for background: {}; choose a sparse trainer such as \
        nnUNetTrainerV2Sparse, or a recipe with \"ignoreLabel\": -1",
        cases.len(),
        cases.join(", ")
    )]
    #[code(UnlabelledNotIgnored)]
    Unlabelled {
        /// The affected cases.
        cases: Vec<String>,
    },
    /// Partially annotated cases have labels of classes that were not annotated. Lists all of them.
    #[error(
        "{} cases have labels that their presentLabels leave out: {}; add the labels to presentLabels, or remove them from \
        the segmentations",
        labels.len(),
        list_labels(labels)
    )]
    #[code(PresentLabels)]
    AbsentLabels {
        /// The labels of each affected case.
        labels: BTreeMap<String, Vec<i64>>,
    },
    /// Weightmaps are missing.
    #[error(transparent)]
    #[code(transparent)]
    Sampling(#[from] sampling::Error),
    /// The worker threads cannot be started.
    #[error(transparent)]
    #[code(transparent)]
    Threads(#[from] run::ThreadsError),
    /// The work was cancelled.
    #[error(transparent)]
    #[code(transparent)]
    Cancelled(#[from] run::Cancelled),
    /// An error of the task, its plans or its splits.
    #[error(transparent)]
    #[code(transparent)]
    Dataset(#[from] dataset::Error),
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn network(problem: impl Into<String>) -> Self {
        Self::Network {
            problem: problem.into(),
        }
    }
}

fn list_labels(labels: &BTreeMap<String, Vec<i64>>) -> String {
    let case = |(case, labels): (&String, &Vec<i64>)| {
        let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
        format!("{case} ({})", labels.join(", "))
    };
    labels.iter().map(case).collect::<Vec<_>>().join(", ")
}
