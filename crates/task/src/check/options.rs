//! Options of the integrity check.

use dataset::Folders;
use run::Options;

/// Options of `check_dataset`.
#[run::options]
pub struct CheckOptions {
    /// Number, `TaskXXX_NAME` or folder of a raw task.
    #[schemars(length(min = 1))]
    pub task: String,
    /// Largest difference of spacing and origin (mm) and of direction cosines that is no problem.
    #[default(1e-3)]
    #[schemars(range(min = 0.0))]
    pub tolerance: f64,
    /// Copies the geometry of a case's first channel into its other files where they differ harmlessly.
    ///
    /// What is harmless: see `ProblemKind::Geometry`.
    #[default]
    pub fix: bool,
    /// With `fix`: copies the geometry wherever the sizes agree, also where files lie at different places.
    #[default]
    pub fix_displaced: bool,
    /// With `fix`: keeps the original as `<name>.orig` beside each repaired file.
    #[default(true)]
    pub keep_originals: bool,
    /// nnU-Net's folders.
    #[default]
    #[serde(flatten)]
    pub folders: Folders,
}

impl Options for CheckOptions {}
